import type { RedisRetries } from "../options.ts";

/**
 * Generations of redis-py whose retries differ:
 *
 * - `"3.1"` (and before): ConnectionError is always sent once more, TimeoutError with `retry_on_timeout`. This is the
 *   behaviour the source documents describe, hence our default.
 * - `"3.2"`: only TimeoutError, with `retry_on_timeout`.
 * - `"4"` (and 5): nothing, unless `retry_on_timeout`, `retry_on_error` or `retry` ask for it; then once, without a wait.
 * - `"6"` (and 7): three times, 1 s to 10 s.
 * - `"8"`: ten times, 10 ms to 1 s; timeouts and keepalive on by default.
 */
export type RedisPyVersion = "3.1" | "3.2" | "4" | "6" | "8";

export interface RedisPyDefaults {
  /** `socket_timeout`; undefined: none. */
  readonly socketTimeoutMs: number | undefined;
  /** `socket_connect_timeout`; undefined: follows `socket_timeout`. */
  readonly connectTimeoutMs: number | undefined;
  /** Idle time before the first keepalive probe when `socket_keepalive` is not given; undefined: off. */
  readonly keepAliveMs: number | undefined;
  readonly retries: RedisRetries;
  /** `max_connections` of its plain pool. */
  readonly maxConnections: number;
}

export const noWait = { name: "none", minMs: 0, maxMs: 0 } as const;
const never: RedisRetries = { max: 0, backoff: noWait, onLoss: false, onTimeout: false };
const quiet = {
  socketTimeoutMs: undefined,
  connectTimeoutMs: undefined,
  keepAliveMs: undefined,
  maxConnections: 2 ** 31,
};

export const redisPyDefaults: Readonly<Record<RedisPyVersion, RedisPyDefaults>> = {
  "3.1": { ...quiet, retries: { max: 1, backoff: noWait, onLoss: true, onTimeout: false } },
  "3.2": { ...quiet, retries: never },
  "4": { ...quiet, retries: never },
  "6": {
    ...quiet,
    retries: {
      max: 3,
      backoff: { name: "exponential-with-jitter", minMs: 1_000, maxMs: 10_000 },
      onLoss: true,
      onTimeout: true,
    },
  },
  "8": {
    socketTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    keepAliveMs: 30_000,
    maxConnections: 100,
    retries: {
      max: 10,
      backoff: { name: "exponential-with-jitter", minMs: 10, maxMs: 1_000 },
      onLoss: true,
      onTimeout: true,
    },
  },
};
