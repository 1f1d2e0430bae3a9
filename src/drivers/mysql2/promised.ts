/** What `promise()` of ours gives: the library's promise wrapper, with `resilience` and `transaction` beside its own. */
import type { Connection, Pool, PoolConnection } from "mysql2/promise";
import type { Resilience } from "../../observe/index.ts";
import type { PoolResilience, TransactionOptions } from "../../sql/index.ts";

/** What a connection has beside the library's own. See `holdfast/mysql2`. */
export interface ResilientConnection {
  readonly resilience: Resilience;
  transaction<T>(work: (connection: Connection) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** A connection that was checked out of a pool. */
export interface ResilientPoolConnection extends PoolConnection {
  readonly resilience: Resilience;
  transaction<T>(work: (connection: Connection) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** What a pool has beside the library's own. See `holdfast/mysql2`. */
export interface ResilientPool {
  getConnection(): Promise<ResilientPoolConnection>;
  readonly resilience: PoolResilience;
  transaction<T>(work: (connection: Connection) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** What is asked of the connection behind a promise wrapper. */
interface Core {
  readonly resilience: Resilience;
  transaction<T>(work: () => Promise<T>, options?: TransactionOptions): Promise<T>;
}

interface PoolCore {
  readonly resilience: PoolResilience;
  transaction<T>(
    work: (connection: { promise(): object }) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
}

/** Adds to a wrapper of the library's. `resilience` is made when it is asked for: most borrowers never do. */
export function promisedConnection(promised: object, core: Core): Connection & ResilientConnection {
  const connection = promised as Connection & ResilientConnection;
  return Object.defineProperties(connection, {
    resilience: { get: () => core.resilience, configurable: true, enumerable: true },
    transaction: {
      value: <T>(work: (connection: Connection) => Promise<T>, how?: TransactionOptions) =>
        core.transaction(() => work(connection), how),
      configurable: true,
      writable: true,
    },
  });
}

export function promisedPool(promised: object, core: PoolCore): Pool & ResilientPool {
  const pool = promised as Pool & ResilientPool;
  const getConnection = pool.getConnection.bind(pool);
  return Object.assign(pool, {
    resilience: core.resilience,
    getConnection: () =>
      getConnection().then((connection) => {
        // The library wraps what the pool lends without asking it for its own wrapper.
        const lease = connection.connection as unknown as Core;
        return promisedConnection(connection, lease) as unknown as ResilientPoolConnection;
      }),
    transaction: <T>(work: (connection: Connection) => Promise<T>, how?: TransactionOptions) =>
      core.transaction((connection) => work(connection.promise() as Connection), how),
  });
}
