/** `createPool`: the library's own pool class, whose connections are those of our pool room. */
import type { Pool } from "mysql2/promise";
import { ElasticPool, type PoolOptions } from "../../pool/index.ts";
import {
  type Ending,
  type PoolResilience,
  PoolRunner,
  poolResilience,
  type TransactionOptions,
} from "../../sql/index.ts";
import { CoarseTimers } from "../../time/index.ts";
import { mysqlConnector } from "./connector.ts";
import { classifyMysqlCall } from "./errors.ts";
import type { Job, Reply } from "./job.ts";
import { LeasedConnection } from "./leased.ts";
import type { Callback, Command, LibraryConnection, LibraryPoolConfig } from "./library.ts";
import { library } from "./library.ts";
import { bareShell } from "./on-physical.ts";
import type { Physical } from "./physical.ts";
import { libraryPoolConfig, poolOptions } from "./pool-settings.ts";
import { promisedPool, type ResilientPool } from "./promised.ts";
import { libraryConfig, type MysqlSettings, readGiven, readSettings } from "./settings.ts";
import { attach, ShellConnection, type ShellCore, shellConfig } from "./shell.ts";

/** Dials nothing, unless a minimum is asked for. @throws `HF_OPTION` */
export function makePool(options: unknown): HoldfastPool {
  const { own, resilience } = readGiven(options);
  const config = libraryConfig(own);
  const settings = readSettings(own, config, resilience);
  return new HoldfastPool(libraryPoolConfig(own, config), settings);
}

export class HoldfastPool extends library.Pool {
  readonly resilience: PoolResilience;
  readonly elastic: ElasticPool<Physical>;
  readonly settings: MysqlSettings;
  readonly #runner: PoolRunner<Physical, Reply, Job>;
  /** Makes the library's commands for `query` and `execute`; it has no connection. */
  readonly #front: LibraryConnection;
  readonly #waits: boolean;

  constructor(config: LibraryPoolConfig, settings: MysqlSettings) {
    // The library's own timer would watch over idle connections that it does not have.
    super({ config: { ...config, maxIdle: config.connectionLimit } });
    Object.assign(this, { config });
    this.settings = settings;
    this.#waits = config.waitForConnections;
    const connector = mysqlConnector(settings, (physical) => this.#tellNew(physical));
    const options: PoolOptions<Physical> = poolOptions(config, settings, connector);
    this.elastic = new ElasticPool(options);
    this.resilience = poolResilience(this.elastic);
    const { clock } = settings.resolved.world;
    const timers = new CoarseTimers(clock);
    this.#runner = new PoolRunner(
      this.elastic,
      {
        transmit: (physical, job, ending) => this.#transmit(physical, job, ending),
        lostCause: (physical) => physical.lostCause,
        classifyCall: classifyMysqlCall,
      },
      { retry: settings.resolved.retry, clock, timers },
    );
    this.#front = new ShellConnection({ config: shellConfig(settings.plan.config) });
    attach(this.#front, this.#core());
  }

  #core(): ShellCore {
    const submit = (job: Job): void => {
      const refusal = this.#refusal();
      if (refusal !== undefined) return job.fail(refusal);
      this.#runner.run(job);
    };
    return {
      callDeadlineMs: this.settings.callDeadlineMs,
      physical: undefined,
      submit,
      wipe: submit,
      changeUser: submit,
    };
  }

  query(sql: unknown, values?: unknown, callback?: Callback): Command {
    return this.#front.query(sql, values, callback);
  }

  execute(sql: unknown, values?: unknown, callback?: Callback): Command {
    if (typeof values === "function") return this.#front.execute(sql, [], values as Callback);
    return this.#front.execute(sql, values, callback);
  }

  getConnection(callback: Callback): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) return process.nextTick(callback, refusal);
    LeasedConnection.acquire(this).then(
      (connection) => {
        this.emit("acquire", connection);
        // What a callback throws is the process's to hear, not a promise's.
        process.nextTick(callback, null, connection);
      },
      (error: unknown) => process.nextTick(callback, error),
    );
  }

  override promise(promiseImpl?: unknown): Pool & ResilientPool {
    return promisedPool(super.promise(promiseImpl), this);
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release();
  }

  /** Waits for connections in use, as long as the drain timeout allows, and then ends them. */
  end(callback?: Callback): void {
    this._closed = true;
    this.elastic.close({ deadlineMs: this.settings.resolved.drainTimeoutMs }).then(() => callback?.(null));
  }

  /**
   * Runs the function in a transaction on a connection of its own. With `retry` it is run again, on another connection,
   * when the first was lost before COMMIT was sent, or the server undid the transaction.
   */
  async transaction<T>(
    work: (connection: LibraryConnection) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    const connection = await LeasedConnection.acquire(this);
    try {
      return await connection.transaction(() => work(connection), options);
    } finally {
      connection.release();
    }
  }

  /** The library's own words, where it has its own limits. */
  #refusal(): Error | undefined {
    if (this._closed) return new Error("Pool is closed.");
    if (this.#waits && this.listenerCount("enqueue") === 0) return undefined;
    const { idle, open, dialing, max } = this.elastic.stats();
    if (idle > 0 || open + dialing < max) return undefined;
    if (!this.#waits) return new Error("No connections available.");
    this.emit("enqueue");
    return undefined;
  }

  #tellNew(physical: Physical): void {
    if (this.listenerCount("connection") > 0) this.emit("connection", bareShell(this, physical, true));
  }

  #transmit(physical: Physical, job: Job, ending: Ending<Reply>): void {
    const watched = this.listenerCount("acquire") > 0 || this.listenerCount("release") > 0;
    physical.transmit(job, watched ? this.#watched(physical, ending) : ending);
  }

  /** `acquire` and `release` of a single query, for those who listen. */
  #watched(physical: Physical, ending: Ending<Reply>): Ending<Reply> {
    const shell = bareShell(this, physical, false);
    this.emit("acquire", shell);
    const back = (): void => void setImmediate(() => this.emit("release", shell));
    return {
      resolve(reply) {
        back();
        ending.resolve(reply);
      },
      reject(error) {
        back();
        ending.reject(error);
      },
    };
  }
}
