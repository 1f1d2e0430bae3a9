import { type Backoff, boundedExponential } from "../backoff/index.ts";
import { type DialPermits, freePermits } from "../link/index.ts";
import { systemWorld, type World } from "../time/index.ts";
import * as check from "./check.ts";
import type { Connector } from "./connector.ts";

/** What can be changed while a pool runs, with `configure`. Times in milliseconds; Infinity means never. */
export interface PoolLimits {
  /** Open connections at most, counting dials under way. Default 10; Infinity is no limit. */
  readonly max?: number;
  /** Kept open also when nobody needs them; dialled when the pool is made. Default 0, at most `max`. */
  readonly min?: number;
  /** Idle connections at most; one more is closed when it comes back. Default `max`. (Go's default is 2.) */
  readonly maxIdle?: number;
  /** A connection is replaced after this, never while in use. Default 30 minutes (HikariCP). */
  readonly maxLifetimeMs?: number;
  /** How much of `maxLifetimeMs` is random, from 0 to 0.5: a connection lives between (1 − fuzz) and all of it. Default 0.1. */
  readonly lifetimeFuzz?: number;
  /** An idle connection is closed after this, down to `min`. Default 10 minutes (HikariCP). */
  readonly maxIdleTimeMs?: number;
  /** An idle connection is validated this often, out of rotation, up to 10 % earlier. Default never. Needs `validate`. */
  readonly keepaliveMs?: number;
  /** Used within this time, a connection is handed out without validation. Default 500 ms (HikariCP). */
  readonly validateAfterIdleMs?: number;
  /** A validation or reset takes at most this long. Default 5 s (HikariCP), at most a third of `acquireTimeoutMs`. */
  readonly validationTimeoutMs?: number;
  /** How long `acquire` may take in all, whatever happens meanwhile. Default 30 s (HikariCP). */
  readonly acquireTimeoutMs?: number;
  /** Callers that may wait; one more is refused with `HF_POOL_FULL`. Default 10,000. */
  readonly maxWaiting?: number;
  /**
   * What waiting callers may hold in memory, as far as they say (`bytes` of `acquire`); one more is refused with
   * `HF_POOL_FULL`. Their age is bounded by their deadlines. Default 64 MiB.
   */
  readonly maxWaitingBytes?: number;
  /** A connection in use for longer is reported as a leak, with the stack of its `acquire`. Default never. */
  readonly leakThresholdMs?: number;
}

export interface PoolOptions<C> extends PoolLimits {
  readonly connector: Connector<C>;
  /** For messages. Default `"pool"`. */
  readonly name?: string;
  /** Which idle connection goes first: the last returned (the others can age out), or the first. Default `"lifo"`. */
  readonly idleOrder?: "lifo" | "fifo";
  /** A dial that takes longer is given up. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** Dials under way at first; one more after each success while callers wait. Default 2. */
  readonly dialConcurrency?: number;
  /**
   * Who may dial when, asked before each dial in the pool's name: the process's governor, for example. Default: no
   * limit beyond the pool's own. A dial that waits for its permit counts as one under way.
   */
  readonly permits?: DialPermits;
  /**
   * The wait after a failed dial, shared by the whole pool. Default 50 ms + up to 100 ms ×2ⁿ, cap 1 s: about two dials
   * a second while a server is gone, and found again a quarter of a second after it is back, on average.
   */
  readonly backoff?: Backoff;
  /** The same after refused credentials. Default 1 s + up to 2 s ×2ⁿ, cap 30 s. */
  readonly authBackoff?: Backoff;
  /** A connection that dies younger counts as a failed dial. Default 1 s. */
  readonly stableAfterMs?: number;
  /** Let the process end while every connection is idle. Default false. Needs the connector's `ref` and `unref`. */
  readonly exitWhenIdle?: boolean;
  /** Time and randomness. Default the machine's. */
  readonly world?: World;
}

export type ResolvedLimits = Required<PoolLimits>;

export type ResolvedPoolOptions<C> = Required<Omit<PoolOptions<C>, keyof PoolLimits>> & {
  readonly limits: ResolvedLimits;
};

const limitKeys = [
  ...["max", "min", "maxIdle", "maxLifetimeMs", "lifetimeFuzz", "maxIdleTimeMs", "keepaliveMs"],
  ...["validateAfterIdleMs", "validationTimeoutMs", "acquireTimeoutMs", "maxWaiting", "maxWaitingBytes"],
  "leakThresholdMs",
] as const;
const poolKeys = [
  ...limitKeys,
  ...["connector", "name", "idleOrder", "connectTimeoutMs", "dialConcurrency", "backoff", "authBackoff"],
  ...["stableAfterMs", "exitWhenIdle", "permits", "world"],
] as const;

const minuteMs = 60_000;

/** @throws `HF_OPTION` naming the key, its value and what is allowed */
export function resolveLimits(given: PoolLimits, connector: { readonly validate?: unknown }): ResolvedLimits {
  check.keys(given, limitKeys);
  const max = check.count("max", given.max ?? 10, 1);
  const min = check.count("min", given.min ?? 0, 0, Math.min(max, Number.MAX_SAFE_INTEGER));
  const keepaliveMs = check.ms("keepaliveMs", given.keepaliveMs ?? Number.POSITIVE_INFINITY, 100);
  if (keepaliveMs < Number.POSITIVE_INFINITY && connector.validate === undefined) {
    check.refuse("keepaliveMs", keepaliveMs, "absent: the connector has no validate");
  }
  const acquireTimeoutMs = check.ms("acquireTimeoutMs", given.acquireTimeoutMs ?? 30_000, 1);
  return {
    max,
    min,
    maxIdle: Math.min(max, check.count("maxIdle", given.maxIdle ?? max, min)),
    maxLifetimeMs: check.ms("maxLifetimeMs", given.maxLifetimeMs ?? 30 * minuteMs, 100),
    lifetimeFuzz: check.fraction("lifetimeFuzz", given.lifetimeFuzz ?? 0.1),
    maxIdleTimeMs: check.ms("maxIdleTimeMs", given.maxIdleTimeMs ?? 10 * minuteMs, 100),
    keepaliveMs,
    validateAfterIdleMs: check.ms("validateAfterIdleMs", given.validateAfterIdleMs ?? 500, 0),
    validationTimeoutMs: check.ms(
      "validationTimeoutMs",
      given.validationTimeoutMs ?? Math.min(5_000, acquireTimeoutMs / 3),
      1,
      acquireTimeoutMs,
    ),
    acquireTimeoutMs,
    maxWaiting: check.count("maxWaiting", given.maxWaiting ?? 10_000, 0),
    maxWaitingBytes: check.count("maxWaitingBytes", given.maxWaitingBytes ?? 64 << 20, 0),
    leakThresholdMs: check.ms("leakThresholdMs", given.leakThresholdMs ?? Number.POSITIVE_INFINITY, 1),
  };
}

/** @throws `HF_OPTION` naming the key, its value and what is allowed */
export function resolvePool<C>(given: PoolOptions<C>): ResolvedPoolOptions<C> {
  check.keys(given, poolKeys);
  const { connector, idleOrder = "lifo", exitWhenIdle = false } = given;
  if (idleOrder !== "lifo" && idleOrder !== "fifo") check.refuse("idleOrder", idleOrder, '"lifo" or "fifo"');
  if (exitWhenIdle && (connector.ref === undefined || connector.unref === undefined)) {
    check.refuse("exitWhenIdle", true, "absent: the connector has no ref and unref");
  }
  return {
    connector,
    limits: resolveLimits(limitsOf(given), connector),
    name: given.name ?? "pool",
    idleOrder,
    connectTimeoutMs: check.ms("connectTimeoutMs", given.connectTimeoutMs ?? 5_000, 1),
    dialConcurrency: check.count("dialConcurrency", given.dialConcurrency ?? 2, 1),
    backoff: check.backoff("backoff", given.backoff, () =>
      boundedExponential({ minMs: 50, baseMs: 100, capMs: 1_000 }),
    ),
    authBackoff: check.backoff("authBackoff", given.authBackoff, () =>
      boundedExponential({ minMs: 1_000, baseMs: 2_000, capMs: 30_000 }),
    ),
    stableAfterMs: check.ms("stableAfterMs", given.stableAfterMs ?? 1_000, 0),
    exitWhenIdle,
    permits: given.permits ?? freePermits,
    world: given.world ?? systemWorld,
  };
}

function limitsOf(given: PoolLimits): PoolLimits {
  const limits: Record<string, unknown> = {};
  for (const key of limitKeys)
    if (given[key as keyof PoolLimits] !== undefined) limits[key] = given[key as keyof PoolLimits];
  return limits;
}
