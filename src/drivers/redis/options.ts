/**
 * The one shape every peer's spelling of Redis options is translated into. The driver knows only this.
 *
 * In all durations `undefined` means "none" (no deadline); translators fill in the peer's own defaults, so nothing is
 * left to guess.
 */

export type RedisEndpoint =
  | { readonly host: string; readonly port: number }
  | {
      /** Path of a Unix socket. */
      readonly path: string;
    };

export interface RedisTls {
  /** Name the certificate must have, and SNI. */
  readonly serverName?: string;
  /** False accepts any certificate. */
  readonly verify: boolean;
  readonly minVersion: "TLSv1.2";
}

/** What the client library is told: where the server is, who we are, and what we ask of it. */
export interface RedisClientOptions {
  /** At least one; tried in this order. */
  readonly endpoints: readonly RedisEndpoint[];
  readonly database: number;
  readonly username?: string;
  readonly password?: string;
  readonly clientName?: string;
  /** RESP version. Absent: the library's own choice. */
  readonly protocol?: 2 | 3;
  /** Absent: plain TCP. */
  readonly tls?: RedisTls;
  /** Ceiling on connections; one multiplexed connection always respects it. */
  readonly maxConnections?: number;
}

/**
 * A delay between two sends of one call, by the name of the formula; n counts the retries from 1:
 *
 * - `none`: no wait
 * - `constant`: minMs
 * - `go-redis`: minMs + U[0, minMs·2ⁿ), at most maxMs
 * - `exponential`: min(maxMs, minMs·2ⁿ), as redis-py counts
 * - `full-jitter`: U(0, exponential)
 * - `equal-jitter`: exponential/2 + U(0, exponential/2)
 * - `exponential-with-jitter`: min(maxMs, U[0, 1)·minMs·2ⁿ), redis-py's default since 6.0
 * - `decorrelated`: min(maxMs, U(minMs, max(minMs, previous·3)))
 */
export type RedisBackoffName =
  | "none"
  | "constant"
  | "go-redis"
  | "exponential"
  | "full-jitter"
  | "equal-jitter"
  | "exponential-with-jitter"
  | "decorrelated";

export interface RedisBackoff {
  readonly name: RedisBackoffName;
  /** Smallest delay, or base of the curve. */
  readonly minMs: number;
  /** Largest delay. */
  readonly maxMs: number;
}

export interface RedisRetries {
  /** Further sends after the first; 0 = never, Infinity = for ever. */
  readonly max: number;
  readonly backoff: RedisBackoff;
  /** Whether a call whose connection died is sent again (if its effect allows it). */
  readonly onLoss: boolean;
  /** Whether a call whose read deadline passed is sent again (if its effect allows it). */
  readonly onTimeout: boolean;
}

/** What the engine is told. */
export interface RedisResilienceOptions {
  /** Deadline of one dial. */
  readonly connectTimeoutMs: number | undefined;
  /** Deadline of one call's reply. */
  readonly readTimeoutMs: number | undefined;
  /** How long a write may make no progress; the connection counts as lost then. */
  readonly writeTimeoutMs: number | undefined;
  readonly retries: RedisRetries;
  /** Idle time before the first TCP keepalive probe; undefined: keepalive off. */
  readonly keepAliveMs: number | undefined;
  /** Idle time after which the connection is probed with PING; undefined: never. */
  readonly idleProbeMs: number | undefined;
}

/** How a pool of connections behaves; `createClientPool` follows it, a single client has none. */
export interface RedisPool {
  /** Open connections at most. */
  readonly max: number;
  /** Kept open also when idle. */
  readonly min: number;
  /** Idle connections at most; undefined: `max`. */
  readonly maxIdle: number | undefined;
  /** A caller beyond `max` waits, or is refused at once. */
  readonly whenFull: "wait" | "refuse";
  /** How long a caller waits for a connection; undefined: for ever. */
  readonly acquireTimeoutMs: number | undefined;
  /** An idle connection is closed after this; undefined: never. */
  readonly maxIdleTimeMs: number | undefined;
  /** A connection is replaced after this, give or take `lifetimeJitterMs`; undefined: never. */
  readonly maxLifetimeMs: number | undefined;
  readonly lifetimeJitterMs: number;
  /** Which idle connection goes first: the last returned, or the longest idle. */
  readonly idleOrder: "lifo" | "fifo";
  readonly dialConcurrency: number;
  /** Options that were given and that a single client can't follow. */
  readonly asked: readonly string[];
}

export interface RedisOptions {
  readonly client: RedisClientOptions;
  readonly resilience: RedisResilienceOptions;
  readonly pool: RedisPool;
}
