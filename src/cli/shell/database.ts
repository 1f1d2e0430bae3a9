/** What the prompt asks of a database server; one implementation for each kind of server. */
import type { Resilience } from "../../observe/index.ts";

/** Rows to show, or what a statement without rows did. */
export type StatementResult =
  | {
      readonly kind: "rows";
      readonly columns: readonly string[];
      /** Columns of numbers are aligned to the right. */
      readonly numeric: readonly boolean[];
      readonly rows: readonly (readonly (string | null)[])[];
    }
  | { readonly kind: "done"; readonly affected: number; readonly warnings: number; readonly info: string };

export interface Database {
  readonly dialect: "mysql" | "postgres";
  /** What the server calls itself: `MariaDB`, `MySQL`, `PostgreSQL`. */
  readonly product: string;
  readonly version: string;
  readonly resilience: Resilience;
  /** The server's number of the connection in use. */
  readonly connectionId: number | undefined;
  /** The database in use, as far as known. */
  readonly current: string | undefined;
  /** What the command line of this server says when the connection was found dead before a statement was sent. */
  readonly gone: string;
  /** What it says when the connection was lost while a statement ran. */
  readonly lostDuring: string;
  /** The statement that changes the database in use; `undefined` where the server can't. */
  use(name: string): string | undefined;
  /** The statement behind `\d`. */
  readonly listTables: string;
  connect(signal: AbortSignal): Promise<void>;
  /** Runs one statement. Aborting `signal` withdraws it while it has not been sent. */
  run(statement: string, signal: AbortSignal): Promise<readonly StatementResult[]>;
  /** Asks the server, over a connection of its own, to stop the statement that runs. */
  interrupt(): Promise<void>;
  /** The error as the server's own command line prints it. */
  errorText(error: unknown): string;
  close(): Promise<void>;
}
