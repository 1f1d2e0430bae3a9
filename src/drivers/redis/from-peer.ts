/** A peer's configuration, translated, as options of `createClient`. */
import type { RedisClientOptions } from "redis";
import { refusedOptionError } from "../../options/index.ts";
import type { RedisEndpoint, RedisOptions, RedisTls } from "./options.ts";
import type { ClientPoolOptions } from "./pool-options.ts";
import { engineOptionsOf, retryBackoffOf } from "./resilience.ts";
import type { RedisClientResilience } from "./settings.ts";

/** Options that `createClient` takes as they are. */
export type TranslatedOptions = Pick<
  RedisClientOptions,
  "socket" | "database" | "username" | "password" | "name" | "commandOptions"
> & {
  RESP?: 3;
  resilience: RedisClientResilience;
};

/**
 * What `fromGoRedisUrl`, `fromRedisPy` and the like return, for `createClient(clientOptionsOf(…))`. The peer's read
 * timeout becomes the deadline of one send of a call (waiting and writing included); its retries become ours, which
 * never apply a call twice unless `resilience.retry.unsafeResendMaybeApplied` says so. Its write timeout becomes
 * `resilience.writeTimeoutMs`, 1 ms at least.
 *
 * @throws `HF_OPTION` when the configuration shapes a pool: that takes `createClientPool(...clientPoolOptionsOf(…))`
 */
export function clientOptionsOf(redis: RedisOptions): TranslatedOptions {
  const [asked] = redis.pool.asked;
  if (asked !== undefined) {
    throw refusedOptionError(
      asked,
      "it shapes a pool, and this is one client: createClientPool(...clientPoolOptionsOf(…)) follows it",
    );
  }
  return memberOptionsOf(redis);
}

/** The same configuration as the two arguments of `createClientPool`. */
export function clientPoolOptionsOf(redis: RedisOptions): [TranslatedOptions, ClientPoolOptions] {
  const { pool } = redis;
  const lifetimeMs = pool.maxLifetimeMs;
  const longestMs = (lifetimeMs ?? Number.POSITIVE_INFINITY) + pool.lifetimeJitterMs;
  return [
    memberOptionsOf(redis),
    {
      minimum: pool.min,
      maximum: pool.max,
      acquireTimeout: pool.acquireTimeoutMs ?? 0,
      cleanupDelay: pool.maxIdleTimeMs ?? Number.POSITIVE_INFINITY,
      whenFull: pool.whenFull,
      resilience: {
        maxLifetimeMs: longestMs,
        // ± the jitter, as a share of the longest; the pool allows half of it.
        lifetimeFuzz: lifetimeMs === undefined ? 0 : Math.min(0.5, (2 * pool.lifetimeJitterMs) / longestMs),
        idleOrder: pool.idleOrder,
        dialConcurrency: pool.dialConcurrency,
        ...(pool.maxIdle !== undefined && { maxIdle: pool.maxIdle }),
      },
    },
  ];
}

function memberOptionsOf(redis: RedisOptions): TranslatedOptions {
  const { endpoints, database, username, password, clientName, protocol, tls } = redis.client;
  const { writeTimeoutMs } = redis.resilience;
  const [first, ...others] = endpoints;
  return {
    socket: socketOf(first, tls),
    database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(clientName !== undefined && { name: clientName }),
    ...(protocol !== undefined && { RESP: protocol as 3 }),
    commandOptions: { timeout: redis.resilience.readTimeoutMs ?? 0 },
    resilience: {
      ...engineOptionsOf(redis.resilience),
      // Both peers' clients dial when a command needs a connection, not when they are made.
      lazy: true,
      order: "given",
      endpoints: others.map((one) => ("path" in one ? { host: "", port: 0, path: one.path } : one)),
      retryBackoff: retryBackoffOf(redis.resilience.retries),
      retryTimeouts: redis.resilience.retries.onTimeout,
      retryLosses: redis.resilience.retries.onLoss,
      ...(writeTimeoutMs !== undefined && { writeTimeoutMs: Math.max(1, writeTimeoutMs) }),
    },
  };
}

function socketOf(
  endpoint: RedisEndpoint | undefined,
  tls: RedisTls | undefined,
): RedisClientOptions["socket"] & {} {
  const where = endpoint ?? { host: "localhost", port: 6379 };
  if (tls === undefined) return where as RedisClientOptions["socket"] & {};
  return {
    ...where,
    tls: true,
    minVersion: tls.minVersion,
    rejectUnauthorized: tls.verify,
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  } as RedisClientOptions["socket"] & {};
}
