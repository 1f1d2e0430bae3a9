/**
 * Room `drivers/mysql2`, published as `holdfast/mysql2` (callbacks) and `holdfast/mysql2/promise`: everything the
 * `mysql2` package exports, with a `createPool` and a `createConnection` that survive. `createPoolCluster` and
 * `createServer` are the library's own, untouched.
 */
import type { Connection, ConnectionOptions, Pool, PoolOptions } from "mysql2";
import type { Connection as PromiseConnection, Pool as PromisePool } from "mysql2/promise";
import type { Resilience } from "../../observe/index.ts";
import type { PoolResilience, TransactionOptions } from "../../sql/index.ts";
import { makeConnection } from "./connection.ts";
import type { MysqlConnectionResilience, MysqlPoolResilience } from "./options.ts";
import { makePool } from "./pool.ts";
import type {
  ResilientConnection as ResilientPromiseConnection,
  ResilientPool as ResilientPromisePool,
} from "./promise.ts";

export * from "mysql2";
export {
  fromGoMysqlDsn,
  fromMysqlUrl,
  fromSqlYaml,
  type GoMysqlDsnOptions,
  type PoolResilience,
  type SqlSettings,
  type TransactionOptions,
} from "../../sql/index.ts";
export { connectionOptionsOf, poolOptionsOf } from "./from-settings.ts";
export type {
  MysqlConnectionResilience,
  MysqlCredentials,
  MysqlPoolLimits,
  MysqlPoolResilience,
  MysqlResilience,
  StatementResilience,
} from "./options.ts";
export type { ResilientPromiseConnection, ResilientPromisePool };

/** What a connection has beside the library's own. */
export interface ResilientConnection {
  /** State, events and control of the connection. */
  readonly resilience: Resilience;
  /**
   * Begins, runs the function, commits; rolls back when it throws. With `retry` it is run again when the connection was
   * lost before COMMIT was sent, or the server undid the transaction (1205, 1213). A lost COMMIT is `maybe-applied`.
   */
  transaction<T>(work: (connection: Connection) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** The library's promise API over this connection, with these extras too. */
  promise(promiseImpl?: PromiseConstructor): PromiseConnection & ResilientPromiseConnection;
}

/** What a pool has beside the library's own. */
export interface ResilientPool {
  readonly resilience: PoolResilience;
  /** The same on a connection of the pool, on another one for each try. */
  transaction<T>(work: (connection: Connection) => Promise<T>, options?: TransactionOptions): Promise<T>;
  promise(promiseImpl?: PromiseConstructor): ResilientPromisePool & PromisePool;
}

/**
 * The library's `createPool`: its options, types and methods, and `resilience`. Dials when a connection is needed.
 * Statements wait for a connection in a bounded queue; one whose connection dies is sent again if that is safe, and
 * otherwise fails with an `outcome`. Defaults: docs/mysql2.md.
 *
 * @throws `HF_OPTION` for a wrong option, naming key, value and what is allowed
 */
export function createPool(
  options: string | (PoolOptions & { resilience?: MysqlPoolResilience }),
): ResilientPool & Pool {
  return makePool(options) as unknown as ResilientPool & Pool;
}

/**
 * The library's `createConnection`: dials at once. A lost connection is dialled again and its session restored; what
 * can't be restored (an open transaction, user variables, temporary tables, locks) makes the next statement fail once
 * with `HF_UNRECOVERABLE`.
 *
 * @throws `HF_OPTION`
 */
export function createConnection(
  options: string | (ConnectionOptions & { resilience?: MysqlConnectionResilience }),
): ResilientConnection & Connection {
  return makeConnection(options) as unknown as ResilientConnection & Connection;
}

export const connect: typeof createConnection = createConnection;
