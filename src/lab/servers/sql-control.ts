import type { Launch, SqlDialect } from "./entry.ts";
import type { SqlRow } from "./sql-wire.ts";

/** The user that clients log in as: the owner of the database `test`, without an administrator's rights. */
export const SQL_USER = "holdfast";
/** The database that clients find. */
export const SQL_DATABASE = "test";

export interface SqlSession {
  readonly id: number;
  /** The statement it runs or ran last, where the server tells. */
  readonly doing: string | null;
}

/** What an administrator does to a running SQL server, for tests. */
export class SqlControl {
  readonly #dialect: SqlDialect;
  readonly #launch: Launch;

  constructor(dialect: SqlDialect, launch: Launch) {
    this.#dialect = dialect;
    this.#launch = launch;
  }

  /** Runs statements as the administrator, in order, in one session; resolves with the last one's rows, in text. */
  query(...statements: readonly string[]): Promise<SqlRow[]> {
    return this.#dialect.query(this.#launch, statements);
  }

  /** From now on, logins need this password; sessions that are open stay. It survives restarts. */
  async changePassword(password: string): Promise<void> {
    await this.query(this.#dialect.changePassword(`'${password.replaceAll("'", "''")}'`));
  }

  /** The clients' sessions (not the administrator's). */
  async sessions(): Promise<SqlSession[]> {
    const rows = await this.query(this.#dialect.sessions);
    return rows.map(({ id, doing }) => ({ id: Number(id), doing: doing ?? null }));
  }

  /** Ends one session from the server's side (`KILL`, `pg_terminate_backend`). */
  async kill(id: number): Promise<void> {
    await this.query(this.#dialect.kill(id));
  }

  /** Ends all clients' sessions; resolves with their number. */
  async killAll(): Promise<number> {
    const ids = (await this.sessions()).map(({ id }) => id);
    for (const id of ids) await this.kill(id).catch(ignoreGone);
    return ids.length;
  }

  /** What a server is after a fail-over: it reads, but refuses writes (MariaDB 1290, PostgreSQL 25006). */
  async setReadOnly(on: boolean): Promise<void> {
    await this.query(...this.#dialect.readOnly(on));
  }
}

/** It may have ended by itself between the look and the kill: MariaDB's "Unknown thread id". */
function ignoreGone(error: unknown): void {
  if (!(error instanceof Error && error.message.startsWith("error 1094:"))) throw error;
}
