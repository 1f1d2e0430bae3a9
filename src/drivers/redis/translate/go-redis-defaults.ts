import { oneOf, withDefault } from "../../../options/index.ts";
import type { RedisBackoff, RedisEndpoint, RedisOptions, RedisTls } from "../options.ts";
import type { GoRedisVersion, Setting } from "./go-redis-setting.ts";
import { fromGoPool, type GoPoolSettings } from "./pool.ts";

const versionCheck = withDefault(oneOf<GoRedisVersion>(["8", "9", "9.22"]), "9");

/** The version asked for; v9 up to 9.21 when none is. */
export function readGoRedisVersion(version: unknown): GoRedisVersion {
  return versionCheck.read(version, "version");
}

interface GoRedisDefaults {
  readonly maxRetries: number;
  readonly minRetryBackoffMs: number;
  readonly maxRetryBackoffMs: number;
  readonly dialTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly keepAliveMs: number;
}

const until921: GoRedisDefaults = {
  maxRetries: 3,
  minRetryBackoffMs: 8,
  maxRetryBackoffMs: 512,
  dialTimeoutMs: 5_000,
  readTimeoutMs: 3_000,
  keepAliveMs: 300_000,
};

export const goRedisDefaults: Readonly<Record<GoRedisVersion, GoRedisDefaults>> = {
  "8": until921,
  "9": until921,
  "9.22": {
    ...until921,
    minRetryBackoffMs: 10,
    maxRetryBackoffMs: 1_000,
    readTimeoutMs: 5_000,
    keepAliveMs: 30_000,
  },
};

/** go-redis options after reading, before the version's defaults. */
export interface GoRedisSettings {
  readonly endpoint: RedisEndpoint;
  readonly database: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly clientName?: string | undefined;
  readonly protocol?: 2 | 3 | undefined;
  readonly tls?: RedisTls | undefined;
  readonly maxRetries: Setting;
  readonly minRetryBackoffMs: Setting;
  readonly maxRetryBackoffMs: Setting;
  readonly dialTimeoutMs: Setting;
  readonly readTimeoutMs: Setting;
  readonly writeTimeoutMs: Setting;
  readonly pool: GoPoolSettings;
}

function orDefault(setting: Setting, fallback: number): number | undefined {
  return setting === "off" ? undefined : (setting ?? fallback);
}

/** Fills in the version's defaults, as `Options.init` does. */
export function fromGoRedisSettings(s: GoRedisSettings, version: GoRedisVersion): RedisOptions {
  const defaults = goRedisDefaults[version];
  const readTimeoutMs = orDefault(s.readTimeoutMs, defaults.readTimeoutMs);
  const { username, password, clientName, protocol, tls } = s;
  return {
    client: {
      endpoints: [s.endpoint],
      database: s.database,
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      ...(clientName ? { clientName } : {}),
      ...(protocol === undefined ? {} : { protocol }),
      ...(tls === undefined ? {} : { tls }),
    },
    resilience: {
      connectTimeoutMs: orDefault(s.dialTimeoutMs, defaults.dialTimeoutMs),
      readTimeoutMs,
      // Unset follows the read timeout, also when that one is off.
      writeTimeoutMs: s.writeTimeoutMs === undefined ? readTimeoutMs : orDefault(s.writeTimeoutMs, 0),
      retries: {
        max: orDefault(s.maxRetries, defaults.maxRetries) ?? 0,
        backoff: backoffOf(s, defaults),
        onLoss: true,
        onTimeout: true,
      },
      keepAliveMs: defaults.keepAliveMs,
      idleProbeMs: undefined,
    },
    pool: fromGoPool(s.pool, readTimeoutMs, version),
  };
}

/** Either bound switched off means no wait at all: without a minimum there is nothing to double, and the cap is 0. */
function backoffOf(s: GoRedisSettings, defaults: GoRedisDefaults): RedisBackoff {
  const minMs = orDefault(s.minRetryBackoffMs, defaults.minRetryBackoffMs);
  const maxMs = orDefault(s.maxRetryBackoffMs, defaults.maxRetryBackoffMs);
  if (minMs === undefined || maxMs === undefined) return { name: "none", minMs: 0, maxMs: 0 };
  return { name: "go-redis", minMs, maxMs };
}
