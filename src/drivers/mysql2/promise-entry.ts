/** `holdfast/mysql2/promise`: the library's promise API over the same pools and connections. */
import type { Connection, ConnectionOptions, Pool, PoolOptions } from "mysql2/promise";
import { makeConnection } from "./connection.ts";
import type { MysqlConnectionResilience, MysqlPoolResilience } from "./options.ts";
import { makePool } from "./pool.ts";
import type { ResilientConnection, ResilientPool } from "./promised.ts";

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

export type { ResilientConnection, ResilientPool, ResilientPoolConnection } from "./promised.ts";

/** @throws `HF_OPTION`; see `createPool` of `holdfast/mysql2` */
export function createPool(
  options: string | (PoolOptions & { resilience?: MysqlPoolResilience }),
): ResilientPool & Pool {
  return makePool(options).promise(promiseOf(options));
}

/** Resolves when connected. @throws (as rejection) why it could not be; `HF_OPTION` */
export async function createConnection(
  options: string | (ConnectionOptions & { resilience?: MysqlConnectionResilience }),
): Promise<Connection & ResilientConnection> {
  const core = makeConnection(options);
  await core.link.connect();
  return core.promise(promiseOf(options));
}

function promiseOf(options: unknown): unknown {
  return typeof options === "object" && options !== null
    ? (options as { Promise?: unknown }).Promise
    : undefined;
}
