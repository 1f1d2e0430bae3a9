/** `new Pool()`: the library's own pool class, whose connections are those of our pool room. */

import { optionError, redactText } from "../../options/index.ts";
import { ElasticPool, type PoolOptions } from "../../pool/index.ts";
import {
  type Ending,
  type LeaseRules,
  type PoolResilience,
  PoolRunner,
  poolResilience,
  type TransactionOptions,
} from "../../sql/index.ts";
import { CoarseTimers } from "../../time/index.ts";
import { HoldfastClient } from "./client.ts";
import { pgConnector } from "./connector.ts";
import { probeText } from "./driver.ts";
import { classifyPgCall, HookFailed } from "./errors.ts";
import type { Job } from "./job.ts";
import { LeasedClient, leaseRules } from "./leased.ts";
import { library, type PoolCallback } from "./library.ts";
import { bareClient } from "./on-physical.ts";
import type { Physical } from "./physical.ts";
import { poolOptions } from "./pool-settings.ts";
import { escapesKnown } from "./session-core.ts";
import { type PgSettings, readGiven, readSettings } from "./settings.ts";
import { ShellClient } from "./shell.ts";

type Hook = (client: unknown, done?: (error?: unknown) => void) => unknown;

export class HoldfastPool extends library.Pool {
  readonly resilience: PoolResilience;
  readonly elastic: ElasticPool<Physical>;
  readonly settings: PgSettings;
  readonly names: Map<string, string> = new Map();
  readonly leaseRules: LeaseRules<Physical>;
  readonly acquireTimeoutMs: number;
  readonly #runner: PoolRunner<Physical, unknown, Job>;
  /** Makes the library's queries for `query`; it has no connection. */
  readonly #front: ShellClient;
  readonly #maxUses: number;
  #newest: Physical | undefined;

  /** Dials nothing, unless a minimum is asked for. @throws `HF_OPTION` */
  constructor(options?: unknown) {
    const { own, resilience } = readGiven(options);
    const settings = readSettings(own, resilience);
    const { Client } = own;
    if (Client !== undefined && Client !== library.Client && Client !== HoldfastClient) {
      throw optionError("Client", Client, "none: the pool makes its own connections");
    }
    super(own);
    this.settings = settings;
    const pooled: PoolOptions<Physical> = poolOptions(own, settings, this.#connector());
    this.acquireTimeoutMs = pooled.acquireTimeoutMs as number;
    this.#maxUses = Number(this.options.maxUses);
    this.leaseRules = leaseRules((physical) => this.#lent(physical));
    this.elastic = new ElasticPool(pooled);
    this.resilience = poolResilience(this.elastic);
    this.#log();
    const { clock } = settings.resolved.world;
    this.#runner = new PoolRunner(
      this.elastic,
      {
        transmit: (physical, job, ending) => this.#transmit(physical, job, ending),
        lostCause: (physical) => physical.lostCause ?? physical.refused,
        classifyCall: classifyPgCall,
      },
      { retry: settings.resolved.retry, clock, timers: new CoarseTimers(clock) },
    );
    this.#front = this.#makeFront();
  }

  #connector(): ReturnType<typeof pgConnector> {
    return pgConnector(this.settings, {
      made: (physical) => this.#made(physical),
      lost: (physical, cause) => {
        if (physical.idle && this.listenerCount("error") > 0) this.emit("error", cause, this.#bare(physical));
      },
      removed: (physical) => {
        if (this.listenerCount("remove") > 0) this.emit("remove", this.#bare(physical));
      },
    });
  }

  #makeFront(): ShellClient {
    const pool = this;
    const front = new ShellClient(this.settings.inert);
    front.attach({
      callDeadlineMs: this.settings.callDeadlineMs,
      physical: undefined,
      names: this.names,
      get escapesKnown() {
        return escapesKnown(pool.#newest);
      },
      submit: (job) => pool.#submit(job),
    });
    return front;
  }

  #submit(job: Job): void {
    if (this.ending) return job.fail(new Error("Cannot use a pool after calling end on the pool"));
    this.#runner.run(job);
  }

  #transmit(physical: Physical, job: Job, ending: Ending<unknown>): void {
    this.#lent(physical);
    const watched = this.listenerCount("acquire") > 0 || this.listenerCount("release") > 0;
    physical.transmit(job, watched ? this.#watched(physical, ending) : ending);
  }

  /** `acquire` and `release` of a single query, for those who listen. */
  #watched(physical: Physical, ending: Ending<unknown>): Ending<unknown> {
    const client = this.#bare(physical);
    this.emit("acquire", client);
    const back = (error?: unknown): void => void setImmediate(() => this.emit("release", error, client));
    return {
      resolve(result) {
        back();
        ending.resolve(result);
      },
      reject(error) {
        back(error);
        ending.reject(error);
      },
    };
  }

  #lent(physical: Physical): void {
    if (++physical.uses >= this.#maxUses) physical.leave?.();
  }

  #bare(physical: Physical): ReturnType<typeof bareClient> {
    return bareClient(this.settings.inert, physical);
  }

  /** The library's hooks, in its order: onConnect, the event `connect`, verify. What they set belongs to the set-up. */
  async #made(physical: Physical): Promise<void> {
    this.#newest = physical;
    const { onConnect, verify } = this.options as { onConnect?: Hook; verify?: Hook };
    const listened = this.listenerCount("connect") > 0;
    if (onConnect === undefined && verify === undefined && !listened) return;
    const client = this.#bare(physical);
    client.declaring = true;
    try {
      await onConnect?.(client);
      if (listened) this.emit("connect", client);
      // What a listener sent is done before the session counts as set up.
      if (physical.declared.length > 0) await physical.ask(probeText);
      if (verify === undefined) return;
      client.declaring = false;
      await new Promise<void>((resolve, reject) =>
        verify(client, (error) => (error ? reject(error) : resolve())),
      );
    } catch (error) {
      if (physical.lostCause !== undefined) throw physical.lostCause;
      throw new HookFailed(`a hook of the pool refused the connection: ${redactText(String(error))}`, {
        cause: error,
      });
    } finally {
      client.declaring = false;
    }
  }

  #log(): void {
    const { log } = this.options as { log?: (...messages: unknown[]) => void };
    if (log === undefined) return;
    this.elastic.on("opened", ({ open }) => log(`new client connected, ${open} open`));
    this.elastic.on("dialFailed", ({ error }) => log("client failed to connect", error));
    this.elastic.on("retired", ({ reason, open }) => log(`remove client (${reason}), ${open} open`));
  }

  override connect(callback?: PoolCallback): unknown {
    const connecting = this.#connect();
    if (callback === undefined) return this.#promised(connecting);
    connecting.then(
      (client) => callback(undefined, client, (error) => client.release(error)),
      (error: unknown) => callback(error, undefined, () => {}),
    );
    return undefined;
  }

  async #connect(): Promise<LeasedClient> {
    if (this.ending) throw new Error("Cannot use a pool after calling end on the pool");
    const client = await LeasedClient.acquire(this);
    if (this.listenerCount("acquire") > 0) this.emit("acquire", client);
    return client;
  }

  /** A promise of the class that was asked for. */
  #promised<T>(promise: Promise<T>): Promise<T> {
    if (this.Promise === Promise) return promise;
    return new this.Promise((resolve, reject) => void promise.then(resolve, reject));
  }

  override query(text: unknown, values?: unknown, callback?: unknown): unknown {
    if (typeof text === "function") return super.query(text);
    return this.#front.query(text, values, callback);
  }

  /** Waits for clients in use, as long as the drain timeout allows, and then ends them. */
  override end(callback?: (error?: unknown) => void): unknown {
    if (this.ending) {
      const error = new Error("Called end on pool more than once");
      return callback === undefined ? this.Promise.reject(error) : callback(error);
    }
    this.ending = true;
    const ended = this.elastic.close({ deadlineMs: this.settings.resolved.drainTimeoutMs }).then(() => {
      this.ended = true;
    });
    if (callback === undefined) return this.#promised(ended);
    void ended.then(() => callback());
    return undefined;
  }

  /**
   * Runs the function in a transaction on a client of its own. With `retry` it is run again, on another connection,
   * when the first was lost before COMMIT was sent, or the server undid the transaction.
   */
  async transaction<T>(work: (client: LeasedClient) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const client = await this.#connect();
    try {
      return await client.transaction(work, options);
    } finally {
      client.release();
    }
  }

  override get totalCount(): number {
    const { open, dialing } = this.elastic.stats();
    return open + dialing;
  }

  override get idleCount(): number {
    return this.elastic.stats().idle;
  }

  override get waitingCount(): number {
    return this.elastic.stats().waiting;
  }

  /** Connections beyond their lifetime are replaced when they come back; nobody counts them meanwhile. */
  override get expiredCount(): number {
    return 0;
  }
}
