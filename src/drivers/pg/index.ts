/**
 * Room `drivers/pg`, published as `holdfast/pg`: everything the `pg` package exports, with a `Pool` and a `Client` that
 * survive.
 */
import library, {
  type ClientConfig,
  type Client as LibraryClientType,
  type PoolClient as LibraryPoolClientType,
  type Pool as LibraryPoolType,
  type PoolConfig,
} from "pg";
import type { Resilience } from "../../observe/index.ts";
import type { PoolResilience, TransactionOptions } from "../../sql/index.ts";
import { HoldfastClient } from "./client.ts";
import type { PgPoolResilience, PgResilience, StatementResilience } from "./options.ts";
import { HoldfastPool } from "./pool.ts";

export * from "pg";
export {
  fromPostgresDsn,
  fromPostgresUrl,
  fromSqlYaml,
  type PoolResilience,
  type SqlSettings,
  type TransactionOptions,
} from "../../sql/index.ts";
export { clientOptionsOf, poolOptionsOf } from "./from-settings.ts";
export type { PgPoolLimits, PgPoolResilience, PgResilience, StatementResilience } from "./options.ts";

declare module "pg" {
  interface QueryConfig<I> {
    /** What this statement may be taken for, and how long it may take. */
    resilience?: StatementResilience | undefined;
  }
}

/** What a client has beside the library's own. */
export interface ResilientClient<C> {
  /** State, events and control of the connection. */
  readonly resilience: Resilience;
  /**
   * Begins, runs the function, commits; rolls back when it throws. With `retry` it is run again when the connection was
   * lost before COMMIT was sent, or the server undid the transaction (40001, 40P01). A lost COMMIT is `maybe-applied`.
   */
  transaction<T>(work: (client: C) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/**
 * The library's `Client`: its options, types and methods, and `resilience`. A lost connection is dialled again and its
 * session restored, LISTEN included; what can't be restored (an open transaction, temporary tables, locks, cursors)
 * makes the next statement fail once with `HF_UNRECOVERABLE`. Defaults: docs/pg.md.
 *
 * @throws `HF_OPTION` for a wrong option, naming key, value and what is allowed
 */
export interface Client extends LibraryClientType, ResilientClient<Client> {}
export const Client: new (config?: string | (ClientConfig & { resilience?: PgResilience })) => Client =
  HoldfastClient as never;

/** A client that the pool lent. */
export interface PoolClient extends LibraryPoolClientType, ResilientClient<PoolClient> {}

/**
 * The library's `Pool`: its options, types and methods, and `resilience`. Callers wait on the pool, never on a dial; a
 * statement whose connection dies is sent again if that is safe, and otherwise fails with an `outcome`. What one caller
 * leaves in a session is gone before the next one has it. Defaults: docs/pg.md.
 *
 * @throws `HF_OPTION`
 */
export interface Pool extends LibraryPoolType {
  connect(): Promise<PoolClient>;
  connect(
    callback: (
      error: Error | undefined,
      client: PoolClient | undefined,
      done: (release?: unknown) => void,
    ) => void,
  ): void;
  readonly resilience: PoolResilience;
  /** See `transaction` of a client; each try has a connection of its own. */
  transaction<T>(work: (client: PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T>;
}
export const Pool: new (config?: PoolConfig & { resilience?: PgPoolResilience }) => Pool =
  HoldfastPool as never;

type Everything = Omit<typeof library, "Client" | "Pool"> & { Client: typeof Client; Pool: typeof Pool };

/** As the library's default export. */
const pg: Everything = Object.create(library, {
  Client: { value: Client, enumerable: true },
  Pool: { value: Pool, enumerable: true },
}) as Everything;
export default pg;
