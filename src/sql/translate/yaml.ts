/**
 * The YAML block of a Go program's configuration (gin and gorm's usual one): the system is the block's name.
 *
 * ```yaml
 * mysql:
 *   user: "root"
 *   password: "123456"
 *   ip: "127.0.0.1"
 *   port: "3306"
 *   name: "gin_project"
 *   charset: "utf8mb4"
 *   max_open_conns: 50
 *   max_idle_conns: 10
 *   conn_max_lifetime: 500
 * ```
 *
 * Lifetimes are in seconds, or text with a unit (`"8m20s"`); 0 is for ever. Other blocks belong to other systems.
 */
import { parseDocument } from "yaml";
import { didYouMean, optionError, parseGoDuration, unknownOptionError } from "../../options/index.ts";
import { fromGoLimits, type GoPoolLimits } from "../../pool/index.ts";
import type { SqlSettings, SqlSystem } from "./settings.ts";
import { given, portOf, textError } from "./text.ts";

const systems: Readonly<Record<string, SqlSystem>> = {
  mysql: "mysql",
  mariadb: "mysql",
  postgres: "postgres",
  postgresql: "postgres",
};
/** Blocks of a wrapper over several dialects that lead elsewhere. */
const elsewhere: Readonly<Record<string, string>> = {
  sqlite: "SQLite is a file: there is no connection to keep",
  sqlite3: "SQLite is a file: there is no connection to keep",
  mssql: "SQL Server is not a dialect of this translator",
  sqlserver: "SQL Server is not a dialect of this translator",
};

const aliases: Readonly<Record<string, string>> = {
  ip: "host",
  name: "database",
  dbname: "database",
  username: "user",
};
const keys = ["user", "password", "ip", "host", "port", "name", "dbname", "database", "username", "charset"];
const limitKeys = ["max_open_conns", "max_idle_conns", "conn_max_lifetime", "conn_max_idle_time"];
const known = [...keys, ...limitKeys];

/** Translates the block; `block` names it where the text has several. @throws `HF_OPTION`, without any value of the text that may be secret */
export function fromSqlYaml(text: string, options: { readonly block?: string } = {}): SqlSettings {
  const root = readRoot(text);
  const name = blockName(root, options.block);
  const system = systems[name] as SqlSystem;
  const block = root[name];
  if (!isMapping(block)) throw textError("yaml", `its "${name}:" block must be a mapping of names to values`);
  const values: Record<string, unknown> = {};
  const written: Record<string, string> = {};
  for (const [key, value] of Object.entries(block)) {
    const path = `${name}.${key}`;
    if (!known.includes(key)) throw unknownOptionError(path, known, didYouMean(key, known));
    const canonical = aliases[key] ?? key;
    if (Object.hasOwn(values, canonical))
      throw optionError(path, value, `given once: it means "${canonical}"`);
    values[canonical] = value;
    written[canonical] = path;
  }
  const read = (key: string): string | undefined => textOf(written[key] ?? key, values[key]);
  const charset = read("charset");
  const host = read("host") || "127.0.0.1";
  return given<SqlSettings>({
    system,
    endpoints: [{ host, port: portFrom(`${name}.port`, values.port, system) }],
    user: read("user"),
    password: read("password"),
    database: read("database"),
    charsets: charset === undefined ? undefined : [charset],
    pool: limitsOf(name, values),
  } as SqlSettings);
}

function readRoot(text: string): Record<string, unknown> {
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    // The parser's own message quotes the line it failed at, password and all: code and place only.
    const at = problem.linePos?.[0];
    throw textError(
      "yaml",
      `${problem.code}${at === undefined ? "" : ` at line ${at.line}, column ${at.col}`}`,
    );
  }
  const root: unknown = document.toJS();
  if (!isMapping(root)) throw textError("yaml", "it must be a mapping with a block for each system");
  return root;
}

function blockName(root: Record<string, unknown>, wanted: string | undefined): string {
  const names = Object.keys(systems);
  if (wanted !== undefined) {
    if (systems[wanted] === undefined) throw optionError("block", wanted, `one of ${names.join(", ")}`);
    if (!Object.hasOwn(root, wanted)) throw textError("yaml", `it has no "${wanted}:" block`);
    return wanted;
  }
  const found = names.filter((name) => Object.hasOwn(root, name));
  if (found.length === 1) return found[0] as string;
  if (found.length > 1)
    throw textError("yaml", `it has the blocks ${found.join(", ")}: say which with "block"`);
  const other = Object.keys(elsewhere).find((name) => Object.hasOwn(root, name));
  if (other !== undefined) throw textError("yaml", `"${other}:": ${elsewhere[other]}`);
  throw textError("yaml", `it has none of the blocks ${names.join(", ")}`);
}

function textOf(path: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  // `password: 123456` is a number to YAML, and a password to its writer; 0123 would lose its zero.
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw optionError(path, value, "a text; put it in quotes");
}

function portFrom(path: string, value: unknown, system: SqlSystem): number {
  if (value === undefined || value === null) return system === "mysql" ? 3_306 : 5_432;
  const port = portOf(String(value));
  if (port === undefined) throw optionError(path, value, "a port from 1 to 65535, as a number or in quotes");
  return port;
}

function limitsOf(name: string, values: Readonly<Record<string, unknown>>): SqlSettings["pool"] {
  if (!limitKeys.some((key) => Object.hasOwn(values, key))) return undefined;
  const count = (key: string): number | undefined => {
    const value = values[key];
    if (value === undefined) return undefined;
    if (/^-?\d{1,9}$/.test(String(value))) return Number(value);
    throw optionError(`${name}.${key}`, value, "a whole number");
  };
  const seconds = (key: string): number | undefined => {
    const value = values[key];
    if (value === undefined) return undefined;
    const ms = typeof value === "number" ? value * 1_000 : parseGoDuration(String(value), "s");
    if (ms !== undefined && Number.isFinite(ms)) return ms;
    throw optionError(
      `${name}.${key}`,
      value,
      'a number of seconds, or a duration like "8m20s"; 0 means for ever',
    );
  };
  return fromGoLimits(
    given<GoPoolLimits>({
      MaxOpenConns: count("max_open_conns"),
      MaxIdleConns: count("max_idle_conns"),
      ConnMaxLifetime: seconds("conn_max_lifetime"),
      ConnMaxIdleTime: seconds("conn_max_idle_time"),
    }),
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
