/** PostgreSQL behind the prompt. */
import type { Client, ClientConfig, QueryArrayResult } from "pg";
import type { Resilience } from "../../observe/index.ts";
import type { Database, StatementResult } from "./database.ts";
import { supervision, type Target } from "./target.ts";

/** Object ids of the types of numbers. */
const numbers: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 790, 1700]);

/** Everything as the text the server sent. */
const asText = { getTypeParser: () => (value: string | Buffer) => String(value) };

type Resilient = Client & { readonly resilience: Resilience; readonly processID?: number | null };

export async function postgresDatabase(target: Target): Promise<Database> {
  const { Client, clientOptionsOf } = await import("../../drivers/pg/index.ts");
  const { resilience, ...options } = clientOptionsOf(target.settings);
  const client = new Client({ ...options, resilience: { ...resilience, ...supervision(target) } });
  return new Postgres(client, { ...options, connectionTimeoutMillis: target.connectTimeoutMs });
}

class Postgres implements Database {
  readonly dialect = "postgres";
  readonly product = "PostgreSQL";
  readonly gone = "server closed the connection unexpectedly";
  readonly lostDuring = "server closed the connection unexpectedly while it processed the request";
  readonly listTables =
    "SELECT schemaname, tablename FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2";
  readonly #client: Resilient;
  readonly #options: ClientConfig;
  version = "";
  current: string | undefined;

  constructor(client: Resilient, options: ClientConfig) {
    this.#client = client;
    this.#options = options;
    client.on("error", () => {});
  }

  get resilience(): Resilience {
    return this.#client.resilience;
  }

  get connectionId(): number | undefined {
    return this.#client.processID ?? undefined;
  }

  use(): undefined {
    return undefined;
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#client.connect();
    const [result] = await this.run("SELECT current_setting('server_version'), current_database()", signal);
    const [version = "", database] = (result?.kind === "rows" && result.rows[0]) || [];
    this.version = version ?? "";
    this.current = database ?? undefined;
  }

  async run(text: string, signal: AbortSignal): Promise<readonly StatementResult[]> {
    const query = { text, rowMode: "array" as const, types: asText, resilience: { signal } };
    const result = (await this.#client.query(query)) as QueryArrayResult | QueryArrayResult[];
    return (Array.isArray(result) ? result : [result]).map(read);
  }

  async interrupt(): Promise<void> {
    const id = this.connectionId;
    if (id === undefined) return;
    const { Client } = await import("pg");
    const other = new Client(this.#options);
    other.on("error", () => {});
    await other.connect();
    try {
      await other.query("SELECT pg_cancel_backend($1)", [id]);
    } finally {
      await other.end();
    }
  }

  errorText(error: unknown): string {
    const { severity = "ERROR", message, code, detail, hint } = error as Partial<Record<string, string>>;
    const more = [
      detail === undefined ? "" : `\nDETAIL:  ${detail}`,
      hint === undefined ? "" : `\nHINT:  ${hint}`,
    ];
    return `${severity}:  ${message}${code === undefined ? "" : ` (${code})`}${more.join("")}`;
  }

  close(): Promise<void> {
    return this.resilience.close();
  }
}

function read({ command, rowCount, fields, rows }: QueryArrayResult): StatementResult {
  if (fields.length === 0) return { kind: "done", affected: rowCount ?? 0, warnings: 0, info: command ?? "" };
  return {
    kind: "rows",
    columns: fields.map(({ name }) => name),
    numeric: fields.map(({ dataTypeID }) => numbers.has(dataTypeID)),
    rows: rows as (string | null)[][],
  };
}
