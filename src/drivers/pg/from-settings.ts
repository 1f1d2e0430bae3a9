/** A peer's configuration, translated (`fromPostgresDsn`, `fromSqlYaml`), as options of the library. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { ClientConfig, PoolConfig } from "pg";
import type { Endpoint } from "../../endpoint/index.ts";
import { refusedOptionError } from "../../options/index.ts";
import type { SqlSettings, SqlTls } from "../../sql/index.ts";
import type { PgPoolResilience, PgResilience } from "./options.ts";

/** For `new Client`. Limits of a pool are left out. @throws `HF_OPTION` for another system's settings, and for what the library has no way to do */
export function clientOptionsOf(settings: SqlSettings): ClientConfig & { resilience: PgResilience } {
  const first = firstEndpoint(settings);
  const { user, password, database, applicationName, tls, serverOptions } = settings;
  const { keepAlive, keepAliveDelayMs, charsets } = settings;
  const host = first.path === undefined ? first.host : directoryOf(first.path);
  return {
    host,
    ...(first.port > 0 && { port: first.port }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(applicationName !== undefined && { application_name: applicationName }),
    ...(tls !== undefined && { ssl: tls === false ? false : sslOf(tls) }),
    ...(serverOptions !== undefined && { options: serverOptions }),
    ...(keepAlive !== undefined && { keepAlive }),
    ...(keepAliveDelayMs !== undefined && { keepAliveInitialDelayMillis: keepAliveDelayMs }),
    ...(charsets?.[0] !== undefined && { client_encoding: charsets[0] }),
    resilience: resilienceOf(settings),
  };
}

/** For `new Pool`: the same, and the limits of the pool. @throws as `clientOptionsOf` */
export function poolOptionsOf(settings: SqlSettings): PoolConfig & { resilience: PgPoolResilience } {
  const { resilience, ...client } = clientOptionsOf(settings);
  const { max, min, maxIdleTimeMs, maxLifetimeMs, acquireTimeoutMs, ...pool } = settings.pool ?? {};
  return {
    ...client,
    ...(max !== undefined && { max: finite(max) }),
    ...(min !== undefined && { min }),
    // 0 is the library's word for no limit here.
    ...(maxIdleTimeMs !== undefined && { idleTimeoutMillis: orZero(maxIdleTimeMs) }),
    ...(maxLifetimeMs !== undefined && { maxLifetimeSeconds: orZero(maxLifetimeMs) / 1_000 }),
    ...(acquireTimeoutMs !== undefined && { connectionTimeoutMillis: finite(acquireTimeoutMs) }),
    resilience: { ...resilience, pool },
  };
}

/** Where the library has no word for "no limit". */
function finite(limit: number): number {
  return Math.min(limit, Number.MAX_SAFE_INTEGER);
}

function orZero(limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? 0 : limit;
}

function firstEndpoint({ system, endpoints: [first] }: SqlSettings): Endpoint {
  if (system !== "postgres") throw refusedOptionError("system", `"${system}" is not a system of this driver`);
  return first ?? { host: "127.0.0.1", port: 5432 };
}

/** The library wants the folder, and adds the name with the port itself. */
function directoryOf(path: string): string {
  return path.replace(/\/\.s\.PGSQL\.\d+$/, "");
}

function resilienceOf(settings: SqlSettings): PgResilience {
  const { endpoints, shuffleEndpoints, serverRole, connectTimeoutMs, readTimeoutMs } = settings;
  if (settings.writeTimeoutMs !== undefined) {
    throw refusedOptionError(
      "tcp_user_timeout",
      "a statement has one deadline here: resilience.callDeadlineMs",
    );
  }
  const role = serverRole === undefined || serverRole === "any" ? undefined : serverRole;
  if (role !== undefined && role !== "primary" && role !== "read-write") {
    throw refusedOptionError("target_session_attrs", `"${role}": this driver finds primaries only`);
  }
  const setUp = setUpOf(settings);
  return {
    ...(endpoints.length > 1 && { endpoints: [...endpoints] }),
    order: shuffleEndpoints ? "shuffled" : "given",
    ...(role !== undefined && { target: "primary" as const }),
    ...(setUp.length > 0 && { setUp }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    ...(readTimeoutMs !== undefined && { callDeadlineMs: readTimeoutMs }),
  };
}

function setUpOf({ timeZone, sessionVariables = {} }: SqlSettings): string[] {
  const zone = timeZone === undefined || timeZone === "local" ? {} : { TimeZone: timeZone };
  return Object.entries({ ...zone, ...sessionVariables }).map(
    ([name, value]) => `SELECT pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`,
  );
}

function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? `E${quoted}` : quoted;
}

function sslOf({ verify, fallback, caFile, certFile, keyFile, keyPassword, ...rest }: SqlTls): TlsOptions {
  if (fallback !== undefined) {
    const why =
      "the library never falls back from what was asked: require, verify-ca, verify-full or disable";
    throw refusedOptionError("sslmode", why);
  }
  const { minVersion, maxVersion, config } = rest;
  return {
    rejectUnauthorized: verify !== "none",
    ...(verify === "ca" && { checkServerIdentity: () => undefined }),
    ...(caFile !== undefined && { ca: readPem(caFile) }),
    ...(certFile !== undefined && { cert: readPem(certFile) }),
    ...(keyFile !== undefined && { key: readPem(keyFile) }),
    ...(keyPassword !== undefined && { passphrase: keyPassword }),
    ...(minVersion !== undefined && { minVersion: minVersion as "TLSv1.2" }),
    ...(maxVersion !== undefined && { maxVersion: maxVersion as "TLSv1.3" }),
    ...config,
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw refusedOptionError(
      "sslrootcert",
      `the file ${file} can't be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
}
