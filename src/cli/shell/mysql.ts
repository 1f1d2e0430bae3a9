/** MariaDB and MySQL behind the prompt. */
import type { Connection, FieldPacket, ResultSetHeader } from "mysql2";
import type { ConnectionOptions, Connection as PromiseConnection } from "mysql2/promise";
import type { Resilience } from "../../observe/index.ts";
import type { Database, StatementResult } from "./database.ts";
import { supervision, type Target } from "./target.ts";

/** Column types of numbers, by MySQL's codes: integers, floats, decimals, YEAR. */
const numbers: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 8, 9, 13, 246]);

interface MysqlError {
  readonly errno?: number;
  readonly sqlState?: string;
  readonly sqlMessage?: string;
  readonly message: string;
}

type Changes = { readonly stateChanges?: { readonly schema: string | null } };
type Resilient = Connection & { readonly resilience: Resilience };

export async function mysqlDatabase(target: Target): Promise<Database> {
  const { connectionOptionsOf, createConnection } = await import("../../drivers/mysql2/index.ts");
  const { resilience, ...options } = connectionOptionsOf(target.settings);
  const given = {
    ...options,
    rowsAsArray: true,
    // The text the server sent: a number as it wrote it, a date as it wrote it.
    typeCast: (field: { string(): string | null }) => field.string(),
    resilience: { ...resilience, ...supervision(target) },
  };
  return new Mysql(createConnection(given), options);
}

class Mysql implements Database {
  readonly dialect = "mysql";
  readonly gone = "ERROR 2006 (HY000): MySQL server has gone away";
  readonly lostDuring = "ERROR 2013 (HY000): Lost connection to MySQL server during query";
  readonly listTables = "SHOW TABLES";
  readonly #connection: Resilient;
  readonly #promised: PromiseConnection;
  readonly #options: ConnectionOptions;
  product = "MySQL";
  version = "";
  current: string | undefined;

  constructor(connection: Resilient, options: ConnectionOptions) {
    this.#connection = connection;
    this.#promised = connection.promise();
    this.#options = options;
    // Nobody else listens; what it says is told by the statement it concerns.
    connection.on("error", () => {});
  }

  get resilience(): Resilience {
    return this.#connection.resilience;
  }

  get connectionId(): number | undefined {
    return this.#connection.threadId ?? undefined;
  }

  use(name: string): string {
    return `USE \`${name.replaceAll("`", "``")}\``;
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.resilience.whenReady(signal);
    const [result] = await this.run("SELECT VERSION(), DATABASE()", signal);
    const [version = "", database] = (result?.kind === "rows" && result.rows[0]) || [];
    this.version = version ?? "";
    this.current = database ?? undefined;
    if (this.version.includes("MariaDB")) this.product = "MariaDB";
  }

  async run(sql: string, signal: AbortSignal): Promise<readonly StatementResult[]> {
    const [result, fields] = await this.#promised.query({ sql, resilience: { signal } } as { sql: string });
    return this.#read(result, fields as unknown as FieldPacket[] | FieldPacket[][] | undefined);
  }

  /** One set of rows, several (a procedure's), or a header. */
  #read(result: unknown, fields: FieldPacket[] | FieldPacket[][] | undefined): StatementResult[] {
    if (!Array.isArray(result)) return [this.#header(result as ResultSetHeader & Changes)];
    if (!Array.isArray(fields?.[0]) && fields?.[0] !== undefined)
      return [rowsOf(result, fields as FieldPacket[])];
    return result.map((one, at) =>
      Array.isArray(one) ? rowsOf(one, (fields as FieldPacket[][])[at] ?? []) : this.#header(one),
    );
  }

  #header({ affectedRows, warningStatus, info, stateChanges }: ResultSetHeader & Changes): StatementResult {
    if (typeof stateChanges?.schema === "string") this.current = stateChanges.schema || undefined;
    return { kind: "done", affected: affectedRows, warnings: warningStatus, info: info.trim() };
  }

  async interrupt(): Promise<void> {
    const id = this.connectionId;
    if (id === undefined) return;
    const { createConnection } = await import("mysql2/promise");
    const other = await createConnection({ ...this.#options });
    try {
      await other.query(`KILL QUERY ${id}`);
    } finally {
      await other.end();
    }
  }

  errorText(error: unknown): string {
    const { errno, sqlState, sqlMessage, message } = error as MysqlError;
    if (errno === undefined || sqlMessage === undefined) return `ERROR: ${message}`;
    return `ERROR ${errno} (${sqlState ?? "HY000"}): ${sqlMessage}`;
  }

  close(): Promise<void> {
    return this.resilience.close();
  }
}

function rowsOf(rows: unknown[], fields: readonly FieldPacket[]): StatementResult {
  return {
    kind: "rows",
    columns: fields.map(({ name }) => name),
    numeric: fields.map(({ columnType }) => numbers.has(columnType ?? -1)),
    rows: rows as (string | null)[][],
  };
}
