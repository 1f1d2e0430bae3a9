/** From the canonical Redis options to what the engine takes. */
import {
  type Backoff,
  constant,
  decorrelated,
  equalJitter,
  exponential,
  fullJitter,
  goRedisBackoff,
  redisPyBackoff,
  take,
} from "../../backoff/index.ts";
import type { ResilienceOptions } from "../../options/index.ts";
import type { RedisResilienceOptions, RedisRetries } from "./options.ts";

/**
 * The engine's own options. What a peer leaves off (keepalive, idle probe, a deadline for the dial) keeps the engine's
 * default: a translated configuration must not find a dead server later than an untranslated one.
 *
 * The wait between dials is not the peer's wait between sends (go-redis' three cover 0.14 s): it stays the engine's.
 */
export function engineOptionsOf(redis: RedisResilienceOptions): ResilienceOptions {
  const { connectTimeoutMs, keepAliveMs, idleProbeMs } = redis;
  return {
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    liveness: {
      ...(keepAliveMs === undefined ? {} : { tcpKeepAliveMs: keepAliveMs }),
      ...(idleProbeMs === undefined ? {} : { idleProbeMs }),
    },
    retry: { maxRetries: redis.retries.max },
  };
}

/** The waits between the sends of one call, as many as there are retries. */
export function retryBackoffOf({ max, backoff }: RedisRetries): Backoff {
  const { name, minMs, maxMs } = backoff;
  // redis-py counts failures from 1, so its first delay is already doubled.
  const doubling = (): Backoff => exponential({ baseMs: Math.min(2 * minMs, maxMs), capMs: maxMs });
  switch (name) {
    case "none":
      return take(constant(0), max);
    case "constant":
      return take(constant(minMs), max);
    case "go-redis":
      // Go takes a minimum above the maximum, and then always waits the maximum.
      if (minMs > maxMs) return take(constant(maxMs), max);
      return goRedisBackoff({ minRetryBackoffMs: minMs, maxRetryBackoffMs: maxMs, maxRetries: max });
    case "exponential":
      return take(doubling(), max);
    case "full-jitter":
      return take(fullJitter(doubling()), max);
    case "equal-jitter":
      return take(equalJitter(doubling()), max);
    case "exponential-with-jitter":
      return redisPyBackoff({ baseMs: minMs, capMs: maxMs, retries: max === Infinity ? -1 : max });
    case "decorrelated":
      return take(decorrelated({ baseMs: Math.min(minMs, maxMs), capMs: maxMs }), max);
  }
}
