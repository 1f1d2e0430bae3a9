/** A peer's configuration, translated (`fromGoMysqlDsn`, `fromSqlYaml`, `fromMysqlUrl`), as options of the library. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions, PoolOptions, SslOptions } from "mysql2";
import type { Endpoint } from "../../endpoint/index.ts";
import { refusedOptionError } from "../../options/index.ts";
import type { SqlSettings, SqlTls } from "../../sql/index.ts";
import type { MysqlPoolResilience, MysqlResilience } from "./options.ts";

type Read = Omit<ConnectionOptions, "Promise"> & { resilience: MysqlResilience };

/**
 * For `createConnection`. Limits of a pool are left out: one connection has none.
 * @throws `HF_OPTION` for another system's settings, and for what the library has no way to do
 */
export function connectionOptionsOf(settings: SqlSettings): Read {
  const first = firstEndpoint(settings);
  const { user, password, database, connectTimeoutMs, keepAlive, keepAliveDelayMs } = settings;
  const charset = settings.collation ?? settings.charsets?.[0];
  return {
    ...(first.path === undefined ? { host: first.host, port: first.port } : { socketPath: first.path }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(settings.tls && { ssl: sslOf(settings.tls) }),
    ...(charset !== undefined && { charset }),
    ...(settings.timeZone !== undefined && { timezone: timezoneOf(settings.timeZone) }),
    ...(settings.dates !== undefined && { dateStrings: settings.dates === "text" }),
    ...(connectTimeoutMs !== undefined && { connectTimeout: connectTimeoutMs }),
    ...(keepAlive !== undefined && { enableKeepAlive: keepAlive }),
    ...(keepAliveDelayMs !== undefined && { keepAliveInitialDelay: keepAliveDelayMs }),
    ...(settings.compress !== undefined && { compress: settings.compress }),
    ...(settings.multipleStatements !== undefined && { multipleStatements: settings.multipleStatements }),
    ...(settings.countFoundRows === false && { flags: ["-FOUND_ROWS"] }),
    ...(settings.cleartextPassword !== undefined && { enableCleartextPlugin: settings.cleartextPassword }),
    ...(settings.connectionAttributes !== undefined && {
      connectAttributes: { ...settings.connectionAttributes },
    }),
    resilience: resilienceOf(settings),
  };
}

/** For `createPool`: the same, and the limits of the pool. @throws as `connectionOptionsOf` */
export function poolOptionsOf(
  settings: SqlSettings,
): Omit<PoolOptions, "Promise"> & { resilience: MysqlPoolResilience } {
  const { resilience, ...connection } = connectionOptionsOf(settings);
  const { max, maxIdle, maxIdleTimeMs, maxWaiting, ...pool } = settings.pool ?? {};
  return {
    ...connection,
    ...(max !== undefined && { connectionLimit: max === Number.POSITIVE_INFINITY ? 0 : max }),
    ...(maxIdle !== undefined && maxIdle !== Number.POSITIVE_INFINITY && { maxIdle }),
    ...(maxIdleTimeMs !== undefined && { idleTimeout: maxIdleTimeMs }),
    ...(maxWaiting !== undefined && { queueLimit: maxWaiting }),
    resilience: { ...resilience, pool },
  };
}

function firstEndpoint({ system, endpoints: [first] }: SqlSettings): Endpoint {
  if (system !== "mysql") throw refusedOptionError("system", `"${system}" is not a system of this driver`);
  return first ?? { host: "127.0.0.1", port: 3306 };
}

function resilienceOf(settings: SqlSettings): MysqlResilience {
  const { endpoints, shuffleEndpoints, serverRole, sessionVariables, readTimeoutMs } = settings;
  if (settings.tableInNames) {
    throw refusedOptionError("columnsWithAlias", "the library has nestTables, for each query");
  }
  if (settings.writeTimeoutMs !== undefined) {
    throw refusedOptionError("writeTimeout", "a statement has one deadline here: readTimeout");
  }
  const role = serverRole === undefined || serverRole === "any" ? undefined : serverRole;
  if (role !== undefined && role !== "primary" && role !== "read-write") {
    throw refusedOptionError("serverRole", `"${role}": this driver finds primaries only`);
  }
  const variables = Object.entries(sessionVariables ?? {});
  return {
    ...(endpoints.length > 1 && { endpoints: [...endpoints] }),
    order: shuffleEndpoints ? "shuffled" : "given",
    ...(role !== undefined && { target: "primary" as const }),
    ...(variables.length > 0 && {
      setUp: variables.map(([name, value]) => `SET SESSION ${name} = ${value}`),
    }),
    ...(readTimeoutMs !== undefined && { callDeadlineMs: readTimeoutMs }),
  };
}

function timezoneOf(zone: string): string {
  if (zone === "local") return "local";
  if (zone === "UTC" || zone === "Z") return "Z";
  if (/^[+-]\d\d:\d\d$/.test(zone)) return zone;
  throw refusedOptionError(
    "timeZone",
    `"${zone}": the library knows "local", "UTC" and offsets such as "+09:00"`,
  );
}

function sslOf({ verify, fallback, caFile, certFile, keyFile, keyPassword, ...rest }: SqlTls): SslOptions {
  if (fallback !== undefined) {
    throw refusedOptionError(
      "tls",
      "the library never falls back from what was asked: say whether there is TLS",
    );
  }
  const { minVersion, maxVersion, config } = rest;
  return {
    rejectUnauthorized: verify !== "none",
    verifyIdentity: verify === "full",
    ...(caFile !== undefined && { ca: readPem(caFile) }),
    ...(certFile !== undefined && { cert: readPem(certFile) }),
    ...(keyFile !== undefined && { key: readPem(keyFile) }),
    ...(keyPassword !== undefined && { passphrase: keyPassword }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...config,
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw refusedOptionError(
      "tls",
      `the file ${file} can't be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
}
