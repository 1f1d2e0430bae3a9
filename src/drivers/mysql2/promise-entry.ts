/** `holdfast/mysql2/promise`: the library's promise API over the same pools and connections. */
import type { Connection, ConnectionOptions, Pool, PoolConnection, PoolOptions } from "mysql2/promise";
import type { Resilience } from "../../observe/index.ts";
import type { PoolResilience, TransactionOptions } from "../../sql/index.ts";
import { makeConnection } from "./connection.ts";
import type { LeasedConnection } from "./leased.ts";
import type { MysqlConnectionResilience, MysqlPoolResilience } from "./options.ts";
import { makePool } from "./pool.ts";

export * from "mysql2/promise";
export type { PoolResilience, TransactionOptions } from "../../sql/index.ts";
export type {
  MysqlConnectionResilience,
  MysqlCredentials,
  MysqlPoolLimits,
  MysqlPoolResilience,
  MysqlResilience,
  StatementResilience,
} from "./options.ts";

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

/** @throws `HF_OPTION`; see `createPool` of `holdfast/mysql2` */
export function createPool(
  options: string | (PoolOptions & { resilience?: MysqlPoolResilience }),
): ResilientPool & Pool {
  const core = makePool(options);
  const promised = core.promise(promiseOf(options)) as ResilientPool & Pool;
  const getConnection = promised.getConnection.bind(promised);
  return Object.assign(promised, {
    resilience: core.resilience,
    async getConnection() {
      const connection = await getConnection();
      const lease = connection.connection as unknown as LeasedConnection;
      const extras = {
        transaction: <T>(work: (connection: Connection) => Promise<T>, how?: TransactionOptions) =>
          lease.transaction(() => work(connection), how),
      };
      // Made when it is asked for: most borrowers never do.
      Object.defineProperty(extras, "resilience", { get: () => lease.resilience, configurable: true });
      return Object.defineProperties(
        connection,
        Object.getOwnPropertyDescriptors(extras),
      ) as unknown as ResilientPoolConnection;
    },
    transaction: <T>(work: (connection: Connection) => Promise<T>, how?: TransactionOptions) =>
      core.transaction((connection) => work(connection.promise() as Connection), how),
  });
}

/** Resolves when connected. @throws (as rejection) why it could not be; `HF_OPTION` */
export async function createConnection(
  options: string | (ConnectionOptions & { resilience?: MysqlConnectionResilience }),
): Promise<Connection & ResilientConnection> {
  const core = makeConnection(options);
  await core.link.connect();
  const promised = core.promise(promiseOf(options)) as Connection & ResilientConnection;
  return Object.assign(promised, {
    resilience: core.resilience,
    transaction: <T>(work: (connection: Connection) => Promise<T>, how?: TransactionOptions) =>
      core.transaction(() => work(promised), how),
  });
}

function promiseOf(options: unknown): unknown {
  return typeof options === "object" && options !== null
    ? (options as { Promise?: unknown }).Promise
    : undefined;
}
