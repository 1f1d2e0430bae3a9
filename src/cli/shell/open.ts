/** Reads the URL of `holdfast shell` and makes the database behind it. */
import { HoldfastError } from "../../call/index.ts";
import type { Database } from "./database.ts";

export interface OpenOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Go on trying when the first connection can't be made. */
  readonly retryInitial: boolean;
  /** For one attempt, ms. */
  readonly connectTimeoutMs: number;
}

/** What a database is opened with, its URL read. */
export interface Target extends Pick<OpenOptions, "retryInitial" | "connectTimeoutMs"> {
  readonly url: URL;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly database: string | undefined;
}

const schemes = ["mariadb:", "mysql:", "postgres:", "postgresql:"];

/** @throws `HF_OPTION`, before anything is dialled */
export async function openDatabase(text: string, options: OpenOptions): Promise<Database> {
  const target = readTarget(text, options);
  if (target.url.protocol.startsWith("postgres")) {
    throw new HoldfastError(
      "HF_OPTION",
      `url: "${target.url.protocol}//": not there yet; allowed: mariadb://, mysql://`,
    );
  }
  const { mysqlDatabase } = await import("./mysql.ts");
  return mysqlDatabase(target);
}

export function readTarget(text: string, options: OpenOptions): Target {
  const url = tryUrl(text);
  const allowed = schemes.map((scheme) => `${scheme}//`).join(", ");
  if (url === null || !schemes.includes(url.protocol) || url.hostname === "") {
    // The text itself may hold a password, so it is not repeated.
    const scheme = url === null ? "no URL" : `"${url.protocol}//${url.hostname}"`;
    throw new HoldfastError("HF_OPTION", `url: ${scheme}; allowed: ${allowed}user@host:port/database`);
  }
  const { connectTimeoutMs, retryInitial, env } = options;
  if (!(connectTimeoutMs >= 1)) {
    throw new HoldfastError(
      "HF_OPTION",
      `--connect-timeout: ${connectTimeoutMs}; allowed: a number of ms, at least 1`,
    );
  }
  const own = url.protocol.startsWith("postgres") ? env.PGPASSWORD : env.MYSQL_PWD;
  const part = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value));
  return {
    ...{ url, connectTimeoutMs, retryInitial },
    user: part(url.username),
    password: part(url.password) ?? env.HOLDFAST_PASSWORD ?? own,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? undefined : Number(url.port),
    database: part(url.pathname.slice(1)),
  };
}

function tryUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
