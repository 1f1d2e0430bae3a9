/** What go-redis and redis-py say about their pools, in the canonical shape. */
import { availableParallelism } from "node:os";
import { optionError } from "../../../options/index.ts";
import type { RedisPool } from "../options.ts";
import type { GoRedisVersion, Setting } from "./go-redis-setting.ts";

const minuteMs = 60_000;

/** go-redis' pool settings as read; absent or 0 is the version's default. */
export interface GoPoolSettings {
  readonly poolSize: number;
  readonly poolTimeoutMs: Setting;
  readonly minIdleConns: number;
  readonly maxIdleConns: number;
  readonly maxActiveConns: number;
  readonly maxConcurrentDials: number;
  readonly connMaxIdleTimeMs: Setting;
  readonly connMaxLifetimeMs: Setting;
  readonly connMaxLifetimeJitterMs: Setting;
  readonly fifo: boolean;
  /** Names of the options that were given. */
  readonly asked: readonly string[];
}

/** @param readTimeoutMs undefined: none */
export function fromGoPool(
  s: GoPoolSettings,
  readTimeoutMs: number | undefined,
  version: GoRedisVersion,
): RedisPool {
  // 10 for each processor that Go would use.
  const poolSize = s.poolSize || 10 * availableParallelism();
  // Above the pool size it bounds what only PubSub and the like open there.
  const bounded = s.maxActiveConns > 0 && s.maxActiveConns < poolSize;
  const max = bounded ? s.maxActiveConns : poolSize;
  if (s.minIdleConns > max)
    throw optionError(nameOf(s, /^min/i), s.minIdleConns, `at most the pool's ${max}`);
  const idle = s.connMaxIdleTimeMs ?? (version === "8" ? 5 : 30) * minuteMs;
  return {
    max,
    min: s.minIdleConns,
    maxIdle: s.maxIdleConns === 0 ? undefined : Math.max(s.maxIdleConns, s.minIdleConns),
    // go-redis' own words: "connection pool exhausted". And a timeout that is off does not wait.
    whenFull: bounded || s.poolTimeoutMs === "off" ? "refuse" : "wait",
    acquireTimeoutMs:
      readMs(s.poolTimeoutMs) ?? (readTimeoutMs === undefined ? 30_000 : readTimeoutMs + 1_000),
    maxIdleTimeMs: idle === "off" ? undefined : idle,
    maxLifetimeMs: readMs(s.connMaxLifetimeMs),
    lifetimeJitterMs: readMs(s.connMaxLifetimeJitterMs) ?? 0,
    idleOrder: s.fifo ? "fifo" : "lifo",
    dialConcurrency: s.maxConcurrentDials || poolSize,
    asked: s.asked,
  };
}

function readMs(setting: Setting): number | undefined {
  return setting === "off" ? undefined : setting;
}

function nameOf(s: GoPoolSettings, pattern: RegExp): string {
  return s.asked.find((name) => pattern.test(name)) ?? "MinIdleConns";
}

/** Which of redis-py's pools: the plain one raises MaxConnectionsError when it is exhausted, the other waits. */
export type RedisPyPool = "ConnectionPool" | "BlockingConnectionPool";

/** redis-py closes no connection for its age or idleness. */
export function fromRedisPyPool(
  kind: RedisPyPool,
  given: { readonly maxConnections: number | undefined; readonly timeoutMs: number | null | undefined },
  defaultMax: number,
): RedisPool {
  const blocking = kind === "BlockingConnectionPool";
  const max = given.maxConnections ?? (blocking ? 50 : defaultMax);
  return {
    max,
    min: 0,
    maxIdle: undefined,
    whenFull: blocking ? "wait" : "refuse",
    acquireTimeoutMs: blocking
      ? given.timeoutMs === null
        ? undefined
        : (given.timeoutMs ?? 20_000)
      : 30_000,
    maxIdleTimeMs: undefined,
    maxLifetimeMs: undefined,
    lifetimeJitterMs: 0,
    idleOrder: "lifo",
    dialConcurrency: Math.min(max, 100),
    // A ceiling is kept by one connection too; how long to wait for one of several is not.
    asked: given.timeoutMs === undefined ? [] : ["timeout"],
  };
}
