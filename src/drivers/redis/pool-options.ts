/** Options of `createClientPool`: the library's four, and what our pool can do beside them. */
import {
  boolean,
  duration,
  integer,
  object,
  oneOf,
  optional,
  optionError,
  refusedOptionError,
  withDefault,
} from "../../options/index.ts";
import type { PoolLimits, PoolOptions } from "../../pool/index.ts";

/** What the pool room offers beyond the library's options. Times in milliseconds. */
export type ClientPoolResilience = Omit<PoolLimits, "max" | "min" | "acquireTimeoutMs" | "maxIdleTimeMs"> &
  Pick<PoolOptions<unknown>, "name" | "idleOrder" | "dialConcurrency" | "backoff" | "authBackoff">;

/** The library's `RedisPoolOptions`, with `whenFull` and `resilience`. */
export interface ClientPoolOptions {
  /** Connections kept open. Default 1; 0 is allowed. */
  readonly minimum?: number;
  /** Connections at most. Default 100. */
  readonly maximum?: number;
  /** How long a task waits for a connection, ms. Default 3,000; 0 is for ever. */
  readonly acquireTimeout?: number;
  /** A connection idle for that long is closed, down to `minimum`, ms. Default 3,000; Infinity: never. */
  readonly cleanupDelay?: number;
  /** A task that finds `maximum` connections in use waits (default), or is refused with `HF_POOL_FULL`. */
  readonly whenFull?: "wait" | "refuse";
  /** Of the pool; that of each connection is in the client's own options. */
  readonly resilience?: ClientPoolResilience;
}

export interface PoolSettings {
  readonly minimum: number;
  readonly refuses: boolean;
  /** Everything but the minimum, which is dialled by `connect`. */
  readonly pool: Omit<PoolOptions<never>, "connector">;
}

const anything = { allowed: "an object", read: (value: unknown): unknown => value };

const shape = object({
  minimum: withDefault(integer({ min: 0 }), 1),
  maximum: withDefault(integer({ min: 1 }), 100),
  acquireTimeout: withDefault(duration({ min: 0 }), 3_000),
  cleanupDelay: withDefault(duration({ min: 0 }), 3_000),
  whenFull: withDefault(oneOf(["wait", "refuse"] as const), "wait"),
  clientSideCache: optional(anything),
  resilience: optional(anything),
  unstableResp3: optional(boolean()),
});

/** The pool room allows no shorter idle time. */
const shortestIdleMs = 100;

/** @throws `HF_OPTION` */
export function readPoolOptions(given: ClientPoolOptions | undefined): PoolSettings {
  const o = shape.read(given ?? {}, "");
  if (o.clientSideCache !== undefined) {
    throw refusedOptionError("clientSideCache", "the pool does not keep one; a client of createClient does");
  }
  if (o.minimum > o.maximum) throw optionError("minimum", o.minimum, `at most maximum (${o.maximum})`);
  return {
    minimum: o.minimum,
    refuses: o.whenFull === "refuse",
    pool: {
      name: "the Redis pool",
      // A link watches over its own connection, probes it when it is idle, and sends again what is safe: no PING more.
      validateAfterIdleMs: Number.POSITIVE_INFINITY,
      maxLifetimeMs: Number.POSITIVE_INFINITY,
      ...(o.resilience as ClientPoolResilience | undefined),
      max: o.maximum,
      acquireTimeoutMs: o.acquireTimeout || Number.POSITIVE_INFINITY,
      maxIdleTimeMs: Math.max(shortestIdleMs, o.cleanupDelay),
    },
  };
}
