/**
 * `mysql://user:password@host:3306,host2/database?charset=utf8mb4&connectTimeout=5000`, also as `mariadb://`: what the
 * clients of Node.js read, in their parameters' names, with several hosts beyond them.
 */
import type { Endpoint } from "../../endpoint/index.ts";
import { fromPostgresUrl } from "./postgres-dsn.ts";
import type { SqlSettings } from "./settings.ts";
import {
  given,
  type Parameter,
  parameterError,
  portOf,
  readText,
  textError,
  unknownParameter,
  wholeNumber,
} from "./text.ts";
import { splitUrl } from "./url.ts";

const DEFAULT_PORT = 3_306;
const schemes = ["mysql", "mariadb"];

type Reader = (parameter: Parameter) => Partial<SqlSettings>;

const readers: Readonly<Record<string, Reader>> = {
  charset: ({ value }) => ({ charsets: [value] }),
  compress: (parameter) => ({ compress: boolean(parameter) }),
  connectTimeout: (parameter) => ({ connectTimeoutMs: wholeNumber(parameter, 1, 2 ** 31 - 1) }),
  dateStrings: (parameter) => ({ dates: boolean(parameter) ? "text" : "objects" }),
  multipleStatements: (parameter) => ({ multipleStatements: boolean(parameter) }),
  socketPath: ({ value }) => ({ endpoints: [{ host: "", port: 0, path: value }] }),
  ssl: (parameter) => ({ tls: boolean(parameter) ? { verify: "full" } : false }),
  timezone: (parameter) => ({ timeZone: zone(parameter) }),
};
const known = Object.keys(readers);

/** Translates a MySQL or MariaDB URL. @throws `HF_OPTION`; no message holds a user name or password */
export function fromMysqlUrl(url: string): SqlSettings {
  const parts = splitUrl("url", readText("url", url), schemes);
  let extra: Partial<SqlSettings> = {};
  for (const parameter of parts.query) {
    const reader = Object.hasOwn(readers, parameter.name) ? readers[parameter.name] : undefined;
    if (reader === undefined) throw unknownParameter("url", parameter, known);
    extra = { ...extra, ...reader(parameter) };
  }
  return given<SqlSettings>({
    system: "mysql",
    endpoints: parts.hosts.map(({ host, port }) => endpointOf(host, port)),
    user: parts.user || undefined,
    password: parts.password || undefined,
    database: parts.path || undefined,
    ...extra,
  });
}

/** Translates a URL of either system by its scheme. @throws `HF_OPTION`; no message holds a user name or password */
export function fromSqlUrl(url: string): SqlSettings {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(readText("url", url))?.[1]?.toLowerCase() ?? "";
  if (schemes.includes(scheme)) return fromMysqlUrl(url);
  if (scheme === "postgres" || scheme === "postgresql") return fromPostgresUrl(url);
  throw textError("url", 'it must start with "mysql://", "mariadb://", "postgres://" or "postgresql://"');
}

function endpointOf(host: string, port: string | undefined): Endpoint {
  const number = port === undefined ? DEFAULT_PORT : portOf(port);
  if (number === undefined) throw textError("url", "a port in it is no whole number from 1 to 65535");
  return { host: host || "localhost", port: number };
}

function boolean(parameter: Parameter): boolean {
  if (["true", "1"].includes(parameter.value)) return true;
  if (["false", "0"].includes(parameter.value)) return false;
  throw parameterError(parameter, "true or false");
}

function zone(parameter: Parameter): string {
  const { value } = parameter;
  if (value === "Z" || value === "UTC") return "UTC";
  if (value === "local" || /^[+-]\d\d:\d\d$/.test(value)) return value;
  throw parameterError(parameter, '"local", "Z" or an offset like "+09:00"');
}
