/** `pool.getConnection()`: the library's own pool connection, on a link whose connections come from the pool. */
import type { Connection } from "mysql2/promise";
import { freePermits, Link } from "../../link/index.ts";
import { type Resilience, resilienceOf } from "../../observe/index.ts";
import {
  LeaseDriver,
  type LeaseRules,
  poolEndpoint,
  SqlLine,
  type TransactionOptions,
} from "../../sql/index.ts";
import { transactionOn } from "./connection.ts";
import { baseDriver } from "./driver.ts";
import type { Lender } from "./lender.ts";
import type { Callback } from "./library.ts";
import type { Physical } from "./physical.ts";
import { promisedConnection, type ResilientConnection } from "./promised.ts";
import { SessionCore } from "./session-core.ts";
import { attach, ShellPoolConnection, shellConfig, showPhysical } from "./shell.ts";

const rules: LeaseRules<Physical> = {
  lostCause: (physical) => physical.lostCause ?? physical.refused,
  watch(physical, sink) {
    physical.sink = sink;
    if (sink !== undefined) return physical.listen();
    physical.restored.clear();
    physical.word.heard = undefined;
  },
  reusable: (physical) => !physical.spoiled && !physical.busy,
};

export class LeasedConnection extends ShellPoolConnection {
  readonly core: SessionCore;
  readonly #pool: Lender;
  readonly #lease: LeaseDriver<Physical>;
  #resilience: Resilience | undefined;
  #released = false;

  private constructor(pool: Lender, lease: LeaseDriver<Physical>) {
    super(pool, { config: shellConfig(pool.settings.plan.config) });
    this.#pool = pool;
    this.#lease = lease;
    const { resolved, plan, name, callDeadlineMs, limits } = pool.settings;
    const link = new Link<Physical>({
      ...resolved,
      name: `connection of ${name}`,
      driver: lease.driver,
      endpoints: [poolEndpoint],
      // It waits for the pool's dial, which asks: with a permit of its own it could wait for itself.
      permits: freePermits,
      // Only a call asks the pool for another connection; the pool has its own deadline for it, and its own pace.
      policy: {
        ...resolved.policy,
        ...{ lazy: true, retryInitial: true, minDialGapMs: 0 },
        connectTimeoutMs: (limits.acquireTimeoutMs ?? 30_000) + 1_000,
      },
      outbox: { ...resolved.outbox, ageMs: limits.acquireTimeoutMs ?? 30_000 },
    });
    this.core = new SessionCore(new SqlLine(link), () => plan, callDeadlineMs);
    attach(this, this.core);
    link.on("connected", () => this.#show());
    link.on("reconnected", () => this.#show());
    link.connect().catch(() => {});
    link.reconnectNow(); // the first connection is at hand
  }

  /** Waits on the pool, never on a dial. */
  static async acquire(pool: Lender): Promise<LeasedConnection> {
    const lease = await pool.elastic.acquire();
    const connection = new LeasedConnection(pool, new LeaseDriver(pool.elastic, lease, rules, baseDriver()));
    showPhysical(connection, lease.connection);
    return connection;
  }

  get resilience(): Resilience {
    this.#resilience ??= resilienceOf(this.core.link);
    return this.#resilience;
  }

  #show(): void {
    const { physical } = this.core;
    if (physical !== undefined) showPhysical(this, physical);
  }

  /** Gives the connection back, when what was asked of it is done; a second time it does nothing. */
  release(): void {
    if (this.#released) return;
    this.#leave();
    const { link } = this.core;
    const { waiting, inFlight } = link.snapshot();
    if (waiting + inFlight > 0) void link.drain().then(() => this.#gone());
    else {
      this.#lease.release();
      void link.close();
      this.#gone();
    }
  }

  /** Ends the connection instead of giving it back. */
  override destroy(): void {
    if (this.#released) return;
    this.#leave();
    this.#lease.release(true);
    void this.core.link.close();
  }

  override close(): void {
    this.destroy();
  }

  override end(callback?: Callback): unknown {
    if (!this.config.gracefulEnd) return super.end(callback);
    this.destroy();
    callback?.(null);
    return this;
  }

  override promise(promiseImpl?: unknown): Connection & ResilientConnection {
    return promisedConnection(super.promise(promiseImpl), this);
  }

  /** See `transaction` of a connection. */
  transaction<T>(work: (connection: this) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return transactionOn(this, this.core, () => work(this), options);
  }

  #leave(): void {
    this.#released = true;
    this._closing = true;
  }

  #gone(): void {
    if (this.#pool.listenerCount("release") > 0) this.#pool.emit("release", this);
  }
}
