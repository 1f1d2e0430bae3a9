/**
 * redis-py's keyword arguments, as given to `redis.Redis(...)` or written in a YAML block:
 *
 * ```yaml
 * redis:
 *   host: "127.0.0.1"
 *   port: 6379
 *   password: "123456"
 *   max_connections: 10
 *   socket_connect_timeout: 1
 *   retry_on_timeout: true
 * ```
 *
 * Timeouts are seconds. `null` is Python's None. redis-py re-sends whatever the command is; here a retry still needs a
 * call that was not applied or is idempotent.
 */
import {
  boolean,
  type Check,
  integer,
  listOf,
  number,
  object,
  oneOf,
  optionError,
  refusedOptionError,
  string,
  withDefault,
} from "../../../options/index.ts";
import type {
  RedisClientOptions,
  RedisEndpoint,
  RedisOptions,
  RedisResilienceOptions,
  RedisTls,
} from "../options.ts";
import { fromRedisPyPool, type RedisPyPool } from "./pool.ts";
import { type RedisPyDefaults, type RedisPyVersion, redisPyDefaults } from "./redis-py-defaults.ts";
import { type PyRetry, pyRetry, retriesOf } from "./redis-py-retry.ts";
import { type Refusals, refuse } from "./refused.ts";

const pythonObject = "it is a Python object; give the driver's own option instead";
const decoding = "decoding of replies is the client library's own option (type mapping)";
const files = "certificates are given to the client library's own tls option";

const refused: Refusals = {
  connection_pool: pythonObject,
  redis_connect_func: pythonObject,
  credential_provider: pythonObject,
  retry_class: pythonObject,
  connection_class: pythonObject,
  cache: pythonObject,
  cache_config: pythonObject,
  single_connection_client: "createClient keeps a single connection, createClientPool several",
  socket_keepalive_options: "Node can set the keepalive idle time only, and socket_keepalive does that",
  decode_responses: decoding,
  encoding: decoding,
  encoding_errors: decoding,
  ssl_certfile: files,
  ssl_keyfile: files,
  ssl_ca_certs: files,
  ssl_ca_data: files,
  ssl_ca_path: files,
};

/** Python's None counts as absent. */
function orNone<T>(inner: Check<T>): Check<T | null | undefined> {
  return {
    allowed: `${inner.allowed}, or null`,
    read: (value, key) => (value === null || value === undefined ? value : inner.read(value, key)),
  };
}

/** redis-py runs `int()` over port and db, so `"6379"` is as good as `6379`. */
function intLike(min: number, max: number): Check<number> {
  const inner = integer({ min, max });
  return {
    allowed: inner.allowed,
    read: (value, key) =>
      typeof value === "string" && /^\d{1,10}$/.test(value)
        ? inner.read(Number(value), key)
        : inner.read(value, key),
  };
}

/** Seconds, as a number above 0; Python's 0 would mean a non-blocking socket. The value is milliseconds. */
const seconds: Check<number> = {
  allowed: "seconds as a number above 0",
  read(value, key) {
    if (typeof value === "number" && value > 0 && value <= 1e9) return value * 1_000;
    throw optionError(key, value, this.allowed);
  },
};

const kwargs = object({
  host: orNone(string()),
  port: orNone(intLike(1, 65_535)),
  db: orNone(intLike(0, 0x7fffffff)),
  username: orNone(string({ allowEmpty: true })),
  password: orNone(string({ allowEmpty: true })),
  unix_socket_path: orNone(string()),
  client_name: orNone(string({ allowEmpty: true })),
  protocol: orNone(intLike(2, 3)),
  ssl: orNone(boolean()),
  ssl_cert_reqs: orNone(oneOf(["required", "none"])),
  max_connections: orNone(integer({ min: 1, max: 2 ** 31 })),
  timeout: orNone(seconds),
  socket_timeout: orNone(seconds),
  socket_connect_timeout: orNone(seconds),
  socket_keepalive: orNone(boolean()),
  health_check_interval: orNone(number({ min: 0, max: 1e9 })),
  retry_on_timeout: orNone(boolean()),
  retry_on_error: orNone(listOf(oneOf(["ConnectionError", "TimeoutError"]))),
  retry: orNone(pyRetry),
});

type Timeouts = Pick<RedisResilienceOptions, "connectTimeoutMs" | "readTimeoutMs" | "writeTimeoutMs">;

type Kwargs = ReturnType<typeof kwargs.read>;

const poolCheck = withDefault(
  oneOf<RedisPyPool>(["ConnectionPool", "BlockingConnectionPool"]),
  "ConnectionPool",
);
const versionCheck = withDefault(oneOf<RedisPyVersion>(["3.1", "3.2", "4", "6", "8"]), "3.1");

export interface RedisPyOptions {
  /** Whose defaults and retry rule apply. Default `"3.1"`: the one the source documents describe. */
  readonly version?: RedisPyVersion;
  /**
   * Which of redis-py's pools, for `createClientPool`: `"ConnectionPool"` (its default, and ours) raises
   * MaxConnectionsError when `max_connections` are in use; `"BlockingConnectionPool"` waits `timeout` seconds, 20 by default.
   */
  readonly pool?: RedisPyPool;
  /** Path put before key names in errors, such as `"redis"`. Default none. */
  readonly path?: string;
}

/** Translates redis-py keyword arguments. Throws `HF_OPTION`. */
export function fromRedisPy(values: object, options: RedisPyOptions = {}): RedisOptions {
  const path = options.path ?? "";
  for (const key of Object.keys(values ?? {})) refuse(key, refused);
  const given = kwargs.read(values, path);
  const version = versionCheck.read(options.version, "version");
  const defaults = redisPyDefaults[version];
  const pool = poolCheck.read(options.pool, "pool");
  if (given.timeout !== undefined && pool === "ConnectionPool") {
    const key = path === "" ? "timeout" : `${path}.timeout`;
    throw refusedOptionError(
      key,
      'only BlockingConnectionPool waits: give the option pool: "BlockingConnectionPool" too',
    );
  }
  return {
    client: clientOf(given),
    pool: fromRedisPyPool(
      pool,
      { maxConnections: given.max_connections ?? undefined, timeoutMs: given.timeout },
      defaults.maxConnections,
    ),
    resilience: {
      ...timeoutsOf(given, defaults),
      retries: retriesOf(
        {
          retryOnTimeout: given.retry_on_timeout === true,
          retryOnError: given.retry_on_error ?? [],
          retry: (given.retry ?? undefined) as PyRetry | undefined,
        },
        version,
        path,
      ),
      keepAliveMs: keepAliveOf(given, defaults),
      idleProbeMs: given.health_check_interval ? given.health_check_interval * 1_000 : undefined,
    },
  };
}

function clientOf(given: Kwargs): RedisClientOptions {
  const host = given.host ?? "localhost";
  const endpoint: RedisEndpoint =
    given.unix_socket_path == null ? { host, port: given.port ?? 6379 } : { path: given.unix_socket_path };
  const tls: RedisTls = { serverName: host, verify: given.ssl_cert_reqs !== "none", minVersion: "TLSv1.2" };
  return {
    endpoints: [endpoint],
    database: given.db ?? 0,
    ...(given.username ? { username: given.username } : {}),
    ...(given.password ? { password: given.password } : {}),
    ...(given.client_name ? { clientName: given.client_name } : {}),
    ...(given.protocol == null ? {} : { protocol: given.protocol as 2 | 3 }),
    ...(given.ssl === true ? { tls } : {}),
    ...(given.max_connections == null ? {} : { maxConnections: given.max_connections }),
  };
}

/** Absent is the version's default, None is no deadline; a connect timeout of None follows the socket timeout. */
function timeoutsOf(given: Kwargs, defaults: RedisPyDefaults): Timeouts {
  const socketMs = given.socket_timeout === undefined ? defaults.socketTimeoutMs : given.socket_timeout;
  const givenMs = given.socket_connect_timeout;
  const connectMs = (givenMs === undefined ? defaults.connectTimeoutMs : givenMs) ?? socketMs;
  return {
    connectTimeoutMs: connectMs ?? undefined,
    readTimeoutMs: socketMs ?? undefined,
    writeTimeoutMs: socketMs ?? undefined,
  };
}

/** redis-py's probes start after 30 s where it sets them; an older version leaves the time to the system, we don't. */
function keepAliveOf(given: Kwargs, defaults: RedisPyDefaults): number | undefined {
  if (given.socket_keepalive == null) return defaults.keepAliveMs;
  return given.socket_keepalive ? 30_000 : undefined;
}
