/** `pool.connect()`: the library's own client, on a link whose connections come from the pool. */
import { freePermits, Link } from "../../link/index.ts";
import { type Resilience, resilienceOf } from "../../observe/index.ts";
import { LeaseDriver, type LeaseRules, poolEndpoint, type TransactionOptions } from "../../sql/index.ts";
import { transactionOn } from "./client.ts";
import { baseDriver } from "./driver.ts";
import type { Lender } from "./lender.ts";
import type { Physical } from "./physical.ts";
import { SessionCore } from "./session-core.ts";
import { ShellClient } from "./shell.ts";

export class LeasedClient extends ShellClient {
  readonly core: SessionCore;
  readonly #pool: Lender;
  readonly #lease: LeaseDriver<Physical>;
  #resilience: Resilience | undefined;
  #released = false;

  private constructor(pool: Lender, lease: LeaseDriver<Physical>) {
    super(pool.settings.inert);
    this.#pool = pool;
    this.#lease = lease;
    const { resolved, name, callDeadlineMs } = pool.settings;
    const { acquireTimeoutMs } = pool;
    const link = new Link<Physical>({
      ...resolved,
      name: `client of ${name}`,
      driver: lease.driver,
      endpoints: [poolEndpoint],
      // It waits for the pool's dial, which asks: with a permit of its own it could wait for itself.
      permits: freePermits,
      // Only a call asks the pool for another connection; the pool has its own deadline for it, and its own pace.
      policy: {
        ...resolved.policy,
        ...{ lazy: true, retryInitial: true, minDialGapMs: 0 },
        connectTimeoutMs: acquireTimeoutMs + 1_000,
      },
      outbox: { ...resolved.outbox, ageMs: acquireTimeoutMs },
    });
    this.core = new SessionCore(link, this, callDeadlineMs, pool.names);
    this.attach(this.core);
    // Who listens asks for nothing more, and must be reconnected all the same.
    const goOn = (): void => queueMicrotask(() => this.#reconnectIfListening());
    link.on("disconnected", goOn);
    link.on("attemptFailed", goOn);
    link.connect().catch(() => {});
    link.reconnectNow(); // the first connection is at hand
  }

  /** Waits on the pool, never on a dial. */
  static async acquire(pool: Lender): Promise<LeasedClient> {
    const lease = await pool.elastic.acquire();
    const client = new LeasedClient(
      pool,
      new LeaseDriver(pool.elastic, lease, pool.leaseRules, baseDriver()),
    );
    client.show(lease.connection);
    return client;
  }

  get resilience(): Resilience {
    this.#resilience ??= resilienceOf(this.core.link);
    return this.#resilience;
  }

  #reconnectIfListening(): void {
    const { link, channels } = this.core;
    if (link.phase === "dormant" && channels.length > 0 && !this.#released) link.reconnectNow();
  }

  /**
   * Gives the connection back, when what was asked of it is done; with an error or `true` it is ended instead.
   * @throws a second time, as the library does
   */
  release(error?: unknown): void {
    if (this.#released)
      throw new Error("Release called on client which has already been released to the pool.");
    this.#released = true;
    this._ending = true;
    const { link } = this.core;
    const { waiting, inFlight } = link.snapshot();
    if (error) {
      this.#lease.release(true);
      void link.close();
    } else if (waiting + inFlight > 0) {
      void link.drain();
    } else {
      this.#lease.release();
      void link.close();
    }
    if (this.#pool.listenerCount("release") > 0) this.#pool.emit("release", error, this);
  }

  /** Ends the connection, as the library's client does. */
  override end(callback?: () => void): unknown {
    if (!this.#released) this.release(true);
    if (callback === undefined) return Promise.resolve();
    process.nextTick(callback);
    return undefined;
  }

  /** It is connected. */
  override connect(callback?: (error: unknown) => void): unknown {
    const error = new Error("Client has already been connected. You cannot reuse a client.");
    if (callback === undefined) return Promise.reject(error);
    process.nextTick(callback, error);
    return undefined;
  }

  /** See `transaction` of a client. */
  transaction<T>(work: (client: this) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return transactionOn(this, this.core, () => work(this), options);
  }
}

/** @param lent hears of a connection that goes to a caller */
export function leaseRules(lent: (physical: Physical) => void): LeaseRules<Physical> {
  return {
    lostCause: (physical) => physical.lostCause ?? physical.refused,
    watch(physical, sink) {
      physical.sink = sink;
      if (sink !== undefined) {
        physical.listen();
        lent(physical);
        return;
      }
      physical.ears = undefined;
      physical.restored.clear();
      physical.word.heard = undefined;
    },
    // Whose caller left while it ran: the next borrower would wait behind it.
    reusable: (physical) => physical.idle,
  };
}
