/**
 * go-redis' `ParseURL`:
 *
 * ```
 * redis://user:password@localhost:6789/3?dial_timeout=3&db=1&read_timeout=6s&max_retries=2
 * rediss://…                     TLS, at least 1.2, server name = host
 * unix://user:password@/path/to/redis.sock?db=1
 * ```
 *
 * A duration without a unit is whole seconds; zero or less switches it off; a blank value is the default; of a repeated
 * parameter the last wins; `db` in the query wins over the path; an unknown parameter is an error.
 */
import { HoldfastError } from "../../../call/index.ts";
import { didYouMean, optionError, parseGoDuration } from "../../../options/index.ts";
import type { RedisEndpoint, RedisOptions } from "../options.ts";
import { fromGoRedisSettings, readGoRedisVersion } from "./go-redis-defaults.ts";
import type { GoRedisVersion, Setting } from "./go-redis-setting.ts";
import type { GoPoolSettings } from "./pool.ts";
import { clusterReason, type Refusals, refuse } from "./refused.ts";
import { splitUrl, type UrlParts, urlError } from "./url-parts.ts";

const translated = [
  "db",
  "protocol",
  "client_name",
  "max_retries",
  "min_retry_backoff",
  "max_retry_backoff",
  "dial_timeout",
  "read_timeout",
  "write_timeout",
  "skip_verify",
  "pool_fifo",
  "pool_size",
  "pool_timeout",
  "min_idle_conns",
  "max_idle_conns",
  "max_active_conns",
  "max_concurrent_dials",
  "conn_max_idle_time",
  "idle_timeout",
  "idle_check_frequency",
  "conn_max_lifetime",
  "max_conn_age",
  "conn_max_lifetime_jitter",
] as const;

type Parameter = (typeof translated)[number];

const refused: Refusals = {
  addr: clusterReason,
  max_redirects: clusterReason,
  read_only: clusterReason,
  route_by_latency: clusterReason,
  route_randomly: clusterReason,
};

const known: readonly string[] = [...translated, ...Object.keys(refused)];

export interface GoRedisUrlOptions {
  /** Whose defaults fill what the URL leaves out. Default `"9"` (v9 up to 9.21). */
  readonly version?: GoRedisVersion;
}

/** Translates a go-redis URL. Throws `HF_OPTION` and nothing else; no message holds a user name or password. */
export function fromGoRedisUrl(url: string, options: GoRedisUrlOptions = {}): RedisOptions {
  if (typeof url !== "string") throw optionError("url", url, "a string");
  const parts = splitUrl(url);
  if (parts.scheme !== "redis" && parts.scheme !== "rediss" && parts.scheme !== "unix") {
    throw urlError('its scheme must be "redis", "rediss" or "unix"');
  }
  const query = readQuery(parts);
  const database = pathDatabase(parts);
  return fromGoRedisSettings(
    {
      endpoint: endpointOf(parts),
      database: query.text("db") === undefined ? database : query.integer("db", 0),
      username: parts.username,
      password: parts.password,
      clientName: query.text("client_name"),
      protocol: protocolOf(query),
      tls:
        parts.scheme === "rediss"
          ? { serverName: hostOf(parts), verify: !query.boolean("skip_verify"), minVersion: "TLSv1.2" }
          : undefined,
      maxRetries: maxRetriesOf(query),
      minRetryBackoffMs: query.duration("min_retry_backoff"),
      maxRetryBackoffMs: query.duration("max_retry_backoff"),
      dialTimeoutMs: query.duration("dial_timeout"),
      readTimeoutMs: query.duration("read_timeout"),
      writeTimeoutMs: query.duration("write_timeout"),
      pool: poolOf(query),
    },
    readGoRedisVersion(options.version),
  );
}

function hostOf(parts: UrlParts): string {
  return parts.host === "" ? "localhost" : parts.host;
}

function endpointOf(parts: UrlParts): RedisEndpoint {
  if (parts.scheme !== "unix") return { host: hostOf(parts), port: parts.port ?? 6379 };
  if (parts.host !== "" || parts.port !== undefined) {
    throw urlError(
      'a "unix://" URL names a socket path and no host: write three slashes, "unix:///run/redis.sock"',
    );
  }
  if (/^\/*$/.test(parts.path)) throw urlError('a "unix://" URL needs the path of a socket');
  return { path: parts.path };
}

function pathDatabase(parts: UrlParts): number {
  if (parts.scheme === "unix") return 0;
  const segments = parts.path.split("/").filter((segment) => segment !== "");
  if (segments.length > 1)
    throw urlError("its path has more than one segment; only a database number may stand there");
  const [database] = segments;
  if (database === undefined) return 0;
  if (/^\+?\d{1,9}$/.test(database)) return Number(database);
  throw urlError("its path must be a database number, 0 or more");
}

function protocolOf(query: Query): 2 | 3 | undefined {
  const version = query.integer("protocol", 0);
  if (version === 0 || version === 2 || version === 3) return version === 0 ? undefined : version;
  throw query.error("protocol", "2 or 3");
}

/** −1 switches retries off, 0 means the default: go-redis' own, well-known trap. */
function maxRetriesOf(query: Query): Setting {
  const max = query.integer("max_retries", -1);
  if (max === 0) return undefined;
  return max === -1 ? "off" : max;
}

const poolParameters: readonly Parameter[] = translated.slice(translated.indexOf("pool_fifo"));

/** Of an old and a new name the new one wins, as in go-redis. */
function poolOf(query: Query): GoPoolSettings {
  // Here idle connections are closed when their time has come: there is no frequency to follow.
  query.duration("idle_check_frequency");
  return {
    fifo: query.boolean("pool_fifo"),
    poolSize: query.integer("pool_size", 0),
    poolTimeoutMs: query.duration("pool_timeout"),
    minIdleConns: query.integer("min_idle_conns", 0),
    maxIdleConns: query.integer("max_idle_conns", 0),
    maxActiveConns: query.integer("max_active_conns", 0),
    maxConcurrentDials: query.integer("max_concurrent_dials", 0),
    connMaxIdleTimeMs: query.duration("conn_max_idle_time") ?? query.duration("idle_timeout"),
    connMaxLifetimeMs: query.duration("conn_max_lifetime") ?? query.duration("max_conn_age"),
    connMaxLifetimeJitterMs: query.duration("conn_max_lifetime_jitter"),
    asked: poolParameters.filter((name) => query.text(name) !== undefined),
  };
}

/** The parameters of one URL, read by type. */
interface Query {
  /** Blank and absent are undefined. */
  text(name: Parameter): string | undefined;
  /** Blank and absent are 0. */
  integer(name: Parameter, min: number): number;
  boolean(name: Parameter): boolean;
  duration(name: Parameter): Setting;
  error(name: Parameter, allowed: string): HoldfastError;
}

function readQuery(parts: UrlParts): Query {
  const values = new Map<string, string>();
  for (const [name, value] of parts.query) {
    refuse(name, refused);
    if (!(translated as readonly string[]).includes(name)) throw unknownParameter(name, parts.suspect);
    values.set(name, value); // the last duplicate wins
  }
  if (parts.scheme !== "rediss" && values.has("skip_verify")) {
    throw new HoldfastError("HF_OPTION", 'option "skip_verify" is allowed in a "rediss://" URL only', {
      details: { key: "skip_verify" },
    });
  }
  const error = (name: Parameter, allowed: string): HoldfastError =>
    optionError(name, parts.suspect ? "(not shown)" : values.get(name), allowed);
  const text = (name: Parameter): string | undefined => values.get(name) || undefined;
  return {
    text,
    error,
    integer(name, min) {
      const value = text(name);
      if (value === undefined) return 0;
      const number = Number(value);
      if (/^[+-]?\d+$/.test(value) && number >= min && number <= 0x7fffffff) return number;
      throw error(name, `a whole number, ${min} or more`);
    },
    boolean(name) {
      const value = text(name);
      if (value === undefined || value === "false" || value === "0") return false;
      if (value === "true" || value === "1") return true;
      throw error(name, '"true", "false", "1", "0" or blank');
    },
    duration(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      const ms = parseGoDuration(value, "s");
      if (ms === undefined) throw error(name, 'whole seconds, or a duration like "6s", "100ms" or "1m30s"');
      return ms <= 0 ? "off" : ms;
    },
  };
}

function unknownParameter(name: string, suspect: boolean): HoldfastError {
  // A name that is no plain word, or follows an "@" gone astray, may be the rest of a password: it is not repeated.
  const printable = !suspect && /^[a-z][\w.-]{0,40}$/i.test(name);
  const why = printable
    ? `unknown parameter "${name}" in the URL${didYouMean(name, known)}`
    : "unknown parameter in the URL (not shown: it may be a piece of an unescaped password)";
  return new HoldfastError("HF_OPTION", `${why} (known: ${translated.join(", ")})`, {
    details: { key: printable ? name : "url", allowed: translated.join(", ") },
  });
}
