/** `createConnection`: the library's own connection, on a link of ours. */
import type { Connection } from "mysql2/promise";
import { processGovernor } from "../../governor/index.ts";
import { Link } from "../../link/index.ts";
import { type Resilience, resilienceOf } from "../../observe/index.ts";
import { runTransaction, SqlLine, type TransactionOptions } from "../../sql/index.ts";
import { ownDriver } from "./driver.ts";
import { isConflict, isReadOnly } from "./errors.ts";
import type { Callback, LibraryConnection } from "./library.ts";
import type { Physical } from "./physical.ts";
import { promisedConnection, type ResilientConnection } from "./promised.ts";
import { SessionCore } from "./session-core.ts";
import { libraryConfig, type MysqlSettings, readGiven, readSettings } from "./settings.ts";
import { attach, ShellConnection, shellConfig, showPhysical } from "./shell.ts";

/** What a connection of ours has beside the library's own. */
export interface ConnectionExtras {
  readonly resilience: Resilience;
}

/** Dials at once, as the library does. @throws `HF_OPTION` */
export function makeConnection(options: unknown): HoldfastConnection {
  const { own, resilience } = readGiven(options);
  const config = libraryConfig(own);
  return new HoldfastConnection(readSettings(own, config, resilience));
}

export class HoldfastConnection extends ShellConnection {
  readonly resilience: Resilience;
  readonly core: SessionCore;
  #ended = false;

  constructor(settings: MysqlSettings) {
    super({ config: shellConfig(settings.plan.config) });
    const { resolved, plan, endpoints, callDeadlineMs } = settings;
    const link = new Link<Physical>({
      ...resolved,
      name: settings.name,
      driver: ownDriver(() => plan),
      endpoints,
      permits: resolved.permits ?? processGovernor,
    });
    this.core = new SessionCore(new SqlLine(link), () => plan, callDeadlineMs);
    attach(this, this.core);
    this.resilience = resilienceOf(link);
    this.#tellAsTheLibrary(link);
    if (!resolved.policy.lazy && settings.autoConnect) link.connect().catch(() => {}); // told by `error`, and to who waits
  }

  get link(): Link<Physical> {
    return this.core.link;
  }

  /** `connect` once; `error` and `end` when it is over. A loss in between is told by `resilience`. */
  #tellAsTheLibrary(link: Link<Physical>): void {
    const ready = (first: boolean): void => {
      const physical = link.connection;
      if (physical === undefined) return;
      showPhysical(this, physical);
      if (first) this.emit("connect", physical.wire._handshakePacket);
    };
    link.on("connected", () => ready(true));
    link.on("reconnected", () => ready(false));
    link.on("closed", ({ cause, why }) => {
      this._closing = true;
      if (cause !== undefined && why !== "user" && why !== "drained") {
        this._fatalError = link.closedError();
        if (this.listenerCount("error") > 0) this.emit("error", this._fatalError);
      }
      this.emit("end");
    });
  }

  override get state(): string {
    switch (this.link.phase) {
      case "ready":
        return "authenticated";
      case "closing":
      case "closed":
        return this._fatalError ? "error" : "disconnected";
      default:
        return "protocol_handshake";
    }
  }

  override connect(callback?: Callback): void {
    const connecting = this.link.connect();
    connecting.then(
      () => callback !== undefined && process.nextTick(callback, null, this),
      (error: unknown) => callback !== undefined && process.nextTick(callback, error),
    );
  }

  /** Finishes what was asked, says goodbye, closes. */
  override end(callback?: Callback): unknown {
    this._closing = true;
    if (!this.#ended) {
      this.#ended = true;
      const { phase } = this.link;
      const over = phase === "ready" ? this.link.drain() : this.link.close();
      over.then(() => callback?.(null));
    } else callback?.(null);
    return this;
  }

  override close(): void {
    this._closing = true;
    this.#ended = true;
    void this.link.close();
  }

  override destroy(): void {
    this.close();
  }

  override promise(promiseImpl?: unknown): Connection & ResilientConnection {
    return promisedConnection(super.promise(promiseImpl), this);
  }

  /**
   * Begins, runs the function, commits; rolls back when it throws. With `retry` it is run again when the connection was
   * lost before COMMIT was sent, or the server undid the transaction. A lost COMMIT is `maybe-applied`, never repeated.
   */
  transaction<T>(work: (connection: this) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return transactionOn(this, this.core, () => work(this), options);
  }
}

/** The same on any connection that a caller holds. */
export function transactionOn<T>(
  connection: LibraryConnection,
  core: SessionCore,
  work: () => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  const ask = (sql: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      connection.query(sql, (error: unknown) => (error ? reject(error) : resolve(undefined)));
    });
  return runTransaction(
    {
      passed: () => core.line.passed,
      begin: () => ask("START TRANSACTION"),
      work,
      commit: () => ask("COMMIT"),
      // What was open went with its connection: there is nothing to roll back.
      rollback: async () => core.line.forgive() || (await ask("ROLLBACK")),
      isConflict: (error) => isConflict(error) || isReadOnly(error),
    },
    options,
  );
}
