/**
 * go-redis' `Options` by their Go names, for configuration moved over from a Go program:
 *
 * ```ts
 * fromGoRedisOptions({ Addr: "cache:6379", DB: 2, MaxRetries: 5, MinRetryBackoff: "20ms", ReadTimeout: "2s" });
 * ```
 *
 * Durations are Go text (`"20ms"`). Go's own numbers count nanoseconds, so a bare number is refused, except Go's markers
 * 0 (the default) and −1 (off; for the read and write timeouts also −2).
 */
import {
  boolean,
  type Check,
  integer,
  object,
  oneOf,
  optional,
  optionError,
  parseGoDuration,
  string,
} from "../../../options/index.ts";
import type { RedisEndpoint, RedisOptions, RedisTls } from "../options.ts";
import { fromGoRedisSettings, readGoRedisVersion } from "./go-redis-defaults.ts";
import type { GoRedisVersion, Setting } from "./go-redis-setting.ts";
import type { GoPoolSettings } from "./pool.ts";
import { type Refusals, refuse } from "./refused.ts";

const hook = "it is Go code; give the driver's own option instead";
const engineDials = "the engine owns dialling; use the driver's reconnect options instead";

const refused: Refusals = {
  DialerRetries: engineDials,
  DialerRetryTimeout: engineDials,
  DialerRetryBackoff: engineDials,
  Dialer: hook,
  OnConnect: hook,
  Limiter: hook,
  CredentialsProvider: hook,
  CredentialsProviderContext: hook,
  StreamingCredentialsProvider: hook,
  PushNotificationProcessor: hook,
};

/** A Go duration or one of Go's markers, as a setting. */
function goDuration(offMarkers: readonly number[]): Check<Setting> {
  const allowed = `a Go duration as text like "250ms" (a bare number would be nanoseconds), 0 (default) or ${offMarkers.join(" or ")} (off)`;
  return {
    allowed,
    read(value, key) {
      if (value === undefined || value === 0) return undefined;
      if (typeof value === "number" && offMarkers.includes(value)) return "off";
      const ms = typeof value === "string" ? parseGoDuration(value) : undefined;
      if (ms === undefined || ms < 0) throw optionError(key, value, allowed);
      return ms === 0 ? undefined : ms;
    },
  };
}

const maxRetries: Check<Setting> = {
  allowed: "−1 (off), 0 (default) or a whole number of retries",
  read(value, key) {
    const max = optional(integer({ min: -1, max: 0x7fffffff })).read(value, key);
    return max === -1 ? "off" : max === 0 ? undefined : max;
  },
};

const count = optional(integer({ min: 0, max: 0x7fffffff }));

const poolOptions = {
  PoolFIFO: optional(boolean()),
  PoolSize: count,
  PoolTimeout: goDuration([-1]),
  MinIdleConns: count,
  MaxIdleConns: count,
  MaxActiveConns: count,
  MaxConcurrentDials: count,
  ConnMaxIdleTime: goDuration([-1]),
  IdleTimeout: goDuration([-1]),
  IdleCheckFrequency: goDuration([-1]),
  ConnMaxLifetime: goDuration([-1]),
  MaxConnAge: goDuration([-1]),
  ConnMaxLifetimeJitter: goDuration([-1]),
} as const;

const goOptions = object({
  Network: optional(oneOf(["tcp", "unix"])),
  Addr: optional(string({ allowEmpty: true })),
  ClientName: optional(string({ allowEmpty: true })),
  Protocol: optional(oneOf([0, 2, 3])),
  Username: optional(string({ allowEmpty: true })),
  Password: optional(string({ allowEmpty: true })),
  DB: optional(integer({ min: 0, max: 0x7fffffff })),
  MaxRetries: maxRetries,
  MinRetryBackoff: goDuration([-1]),
  MaxRetryBackoff: goDuration([-1]),
  DialTimeout: goDuration([-1]),
  ReadTimeout: goDuration([-1, -2]),
  WriteTimeout: goDuration([-1, -2]),
  ...poolOptions,
  TLSConfig: optional(
    object({
      ServerName: optional(string({ allowEmpty: true })),
      InsecureSkipVerify: optional(boolean()),
    }),
  ),
});

/** Translates Go's options. `version` picks the defaults: `"8"`, `"9"` (up to 9.21, the default) or `"9.22"`. */
export function fromGoRedisOptions(options: object, version: GoRedisVersion = "9"): RedisOptions {
  for (const key of Object.keys(options ?? {})) refuse(key, refused);
  const go = goOptions.read(options, "");
  const endpoint = endpointOf(go.Network, go.Addr || "localhost:6379");
  return fromGoRedisSettings(
    {
      endpoint,
      database: go.DB ?? 0,
      username: go.Username,
      password: go.Password,
      clientName: go.ClientName,
      protocol: go.Protocol === 0 ? undefined : go.Protocol,
      tls: go.TLSConfig && tlsOf(go.TLSConfig, endpoint),
      maxRetries: go.MaxRetries,
      minRetryBackoffMs: go.MinRetryBackoff,
      maxRetryBackoffMs: go.MaxRetryBackoff,
      dialTimeoutMs: go.DialTimeout,
      readTimeoutMs: go.ReadTimeout,
      writeTimeoutMs: go.WriteTimeout,
      pool: poolOf(go),
    },
    readGoRedisVersion(version),
  );
}

function poolOf(go: ReturnType<typeof goOptions.read>): GoPoolSettings {
  return {
    fifo: go.PoolFIFO === true,
    poolSize: go.PoolSize ?? 0,
    poolTimeoutMs: go.PoolTimeout,
    minIdleConns: go.MinIdleConns ?? 0,
    maxIdleConns: go.MaxIdleConns ?? 0,
    maxActiveConns: go.MaxActiveConns ?? 0,
    maxConcurrentDials: go.MaxConcurrentDials ?? 0,
    connMaxIdleTimeMs: go.ConnMaxIdleTime ?? go.IdleTimeout,
    connMaxLifetimeMs: go.ConnMaxLifetime ?? go.MaxConnAge,
    connMaxLifetimeJitterMs: go.ConnMaxLifetimeJitter,
    asked: Object.keys(poolOptions).filter((name) => go[name as keyof typeof poolOptions] !== undefined),
  };
}

function endpointOf(network: "tcp" | "unix" | undefined, address: string): RedisEndpoint {
  // Like go-redis, an absolute path without a network is a socket.
  if (network === "unix" || (network === undefined && address.startsWith("/"))) return { path: address };
  const match = /^(?:\[([^\]\s]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw optionError("Addr", address, 'host:port, like "localhost:6379" or "[::1]:6379"');
  }
  return { host: match[1] ?? (match[2] || "localhost"), port };
}

interface GoTls {
  readonly ServerName?: string | undefined;
  readonly InsecureSkipVerify?: boolean | undefined;
}

/** Go takes the server name from the address when the configuration has none. */
function tlsOf(go: GoTls, endpoint: RedisEndpoint): RedisTls {
  const serverName = go.ServerName || ("host" in endpoint ? endpoint.host : undefined);
  return {
    ...(serverName === undefined ? {} : { serverName }),
    verify: go.InsecureSkipVerify !== true,
    minVersion: "TLSv1.2",
  };
}
