/** Reads the URL of `holdfast shell`. */
import { HoldfastError } from "../../call/index.ts";
import type { ResilienceOptions } from "../../options/index.ts";
import { fromPostgresUrl, fromSqlUrl, type SqlSettings } from "../../sql/index.ts";

export interface OpenOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Go on trying when the first connection can't be made. */
  readonly retryInitial: boolean;
  /** For one attempt, ms. */
  readonly connectTimeoutMs: number;
}

/** What a database is opened with, its URL read. */
export interface Target extends Pick<OpenOptions, "retryInitial" | "connectTimeoutMs"> {
  readonly settings: SqlSettings;
}

const schemes = ["mariadb:", "mysql:", "postgres:", "postgresql:"];

/** One person in front of one server: short waits between the attempts, and no limit to how long a statement waits. */
export function supervision({ connectTimeoutMs, retryInitial }: Target): ResilienceOptions {
  return {
    connectTimeoutMs,
    retryInitial,
    backoff: { minMs: 100, baseMs: 200, capMs: 1_000 },
    outbox: { ageMs: Number.POSITIVE_INFINITY },
  };
}

export function readTarget(text: string, options: OpenOptions): Target {
  const { connectTimeoutMs, retryInitial, env } = options;
  const scheme = /^[a-z][a-z0-9+.-]*:(?=\/\/)/i.exec(text)?.[0].toLowerCase();
  if (scheme === undefined || !schemes.includes(scheme)) {
    // The text itself may hold a password, so it is not repeated.
    const allowed = schemes.map((one) => `${one}//`).join(", ");
    const what = scheme === undefined ? "no URL" : `"${scheme}//"`;
    throw new HoldfastError("HF_OPTION", `url: ${what}; allowed: ${allowed}user@host:port/database`);
  }
  if (!(connectTimeoutMs >= 1)) {
    throw new HoldfastError(
      "HF_OPTION",
      `--connect-timeout: ${connectTimeoutMs}; allowed: a number of ms, at least 1`,
    );
  }
  const postgres = scheme.startsWith("postgres");
  const settings = postgres ? fromPostgresUrl(text) : fromSqlUrl(text);
  const password = settings.password ?? env.HOLDFAST_PASSWORD ?? (postgres ? env.PGPASSWORD : env.MYSQL_PWD);
  return {
    ...{ connectTimeoutMs, retryInitial },
    settings: password === undefined ? settings : { ...settings, password },
  };
}
