/**
 * The driver of a link whose connections come from a pool: `open` is an acquire, `close` gives the connection back. So
 * a checked-out connection has the same session, gate and outcomes as one that was dialled for itself.
 */
import type { Endpoint } from "../endpoint/index.ts";
import type { Driver, Sink } from "../link/index.ts";
import type { ElasticPool, Lease } from "../pool/index.ts";

/** What is needed of a driver's connections beside its own driver. */
export interface LeaseRules<C> {
  lostCause(connection: C): unknown;
  /** Hears what happens on a lent connection; `undefined` when it goes back. */
  watch(connection: C, sink: Sink | undefined): void;
  /** The socket is still good and its session can be cleaned. */
  reusable(connection: C): boolean;
}

/** The one endpoint of a link that only ever asks its pool. */
export const poolEndpoint: Endpoint = { host: "pool", port: 1 };

export class LeaseDriver<C> {
  readonly driver: Driver<C>;
  readonly #pool: ElasticPool<C>;
  readonly #rules: LeaseRules<C>;
  readonly #leases: Map<C, Lease<C>> = new Map();
  /** Acquired before the link was made, so that who asks for a connection waits on the pool itself. */
  #first: Lease<C> | undefined;

  constructor(
    pool: ElasticPool<C>,
    first: Lease<C>,
    rules: LeaseRules<C>,
    base: Omit<Driver<C>, "open" | "close">,
  ) {
    this.#pool = pool;
    this.#rules = rules;
    this.#first = first;
    this.driver = {
      ...base,
      open: async ({ signal, sink }) => {
        const lease = this.#takeFirst() ?? (await pool.acquire({ signal }));
        const { connection } = lease;
        this.#leases.set(connection, lease);
        rules.watch(connection, sink);
        return connection;
      },
      close: async (connection, how) => this.giveBack(connection, how === "abrupt"),
    };
  }

  get pool(): ElasticPool<C> {
    return this.#pool;
  }

  /** Gives one connection back, now; harmless when it went before. */
  giveBack(connection: C, abrupt: boolean): void {
    const lease = this.#leases.get(connection);
    if (lease === undefined) return;
    this.#leases.delete(connection);
    this.#rules.watch(connection, undefined);
    const cause = this.#rules.lostCause(connection);
    if (cause !== undefined) lease.release(cause);
    else if (abrupt || !this.#rules.reusable(connection)) lease.discard();
    else lease.release();
  }

  /** Gives back everything that is lent, also what no call has used yet. */
  release(abrupt = false): void {
    const first = this.#takeFirst();
    if (first !== undefined) {
      if (abrupt) first.discard();
      else first.release();
    }
    for (const connection of [...this.#leases.keys()]) this.giveBack(connection, abrupt);
  }

  #takeFirst(): Lease<C> | undefined {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && this.#rules.lostCause(first.connection) !== undefined) {
      first.release(this.#rules.lostCause(first.connection));
      return undefined;
    }
    return first;
  }
}
