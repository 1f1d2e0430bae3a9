import { parseGoDuration } from "../time/index.ts";
import * as check from "./check.ts";
import type { PoolLimits } from "./options.ts";
import type { PoolStats } from "./stats.ts";

/** The limits of Go's `database/sql`, in its names. Durations: milliseconds, or text as Go writes it (`"3m"`). */
export interface GoPoolLimits {
  /** 0 (the default) or less: no limit. */
  readonly MaxOpenConns?: number;
  /** Default 2; 0 or less: none. Never more than `MaxOpenConns`. */
  readonly MaxIdleConns?: number;
  /** 0 (the default) or less: for ever. */
  readonly ConnMaxLifetime?: number | string;
  /** 0 (the default) or less: for ever. */
  readonly ConnMaxIdleTime?: number | string;
}

const goKeys = ["MaxOpenConns", "MaxIdleConns", "ConnMaxLifetime", "ConnMaxIdleTime"];
const DEFAULT_MAX_IDLE_CONNS = 2;

/**
 * What `SetMaxOpenConns`, `SetMaxIdleConns`, `SetConnMaxLifetime` and `SetConnMaxIdleTime` mean here. As in Go the
 * lifetime has no fuzz, and `acquire` has no time limit but the caller's own. @throws `HF_OPTION`
 */
export function fromGoLimits(
  given: GoPoolLimits,
): Required<
  Pick<
    PoolLimits,
    "max" | "maxIdle" | "maxLifetimeMs" | "lifetimeFuzz" | "maxIdleTimeMs" | "acquireTimeoutMs"
  >
> {
  check.keys(given, goKeys);
  const open = check.count("MaxOpenConns", given.MaxOpenConns ?? 0, Number.MIN_SAFE_INTEGER);
  const idle = check.count(
    "MaxIdleConns",
    given.MaxIdleConns ?? DEFAULT_MAX_IDLE_CONNS,
    Number.MIN_SAFE_INTEGER,
  );
  const max = open <= 0 ? Number.POSITIVE_INFINITY : open;
  return {
    max,
    maxIdle: Math.min(Math.max(0, idle), max),
    maxLifetimeMs: forEverUnlessPositive("ConnMaxLifetime", given.ConnMaxLifetime),
    lifetimeFuzz: 0,
    maxIdleTimeMs: forEverUnlessPositive("ConnMaxIdleTime", given.ConnMaxIdleTime),
    acquireTimeoutMs: Number.POSITIVE_INFINITY,
  };
}

function forEverUnlessPositive(key: string, value: number | string | undefined): number {
  const given = typeof value === "string" ? parseGoDuration(value) : (value ?? 0);
  if (typeof given !== "number" || Number.isNaN(given)) {
    return check.refuse(key, value, 'milliseconds as a number, or a duration like "1m30s"; 0 means for ever');
  }
  return given <= 0 ? Number.POSITIVE_INFINITY : given;
}

/** Go's `sql.DBStats`; `WaitDuration` in milliseconds. */
export interface GoDBStats {
  /** 0: no limit. */
  readonly MaxOpenConnections: number;
  /** Established and being dialled, as Go counts them. */
  readonly OpenConnections: number;
  readonly InUse: number;
  readonly Idle: number;
  readonly WaitCount: number;
  readonly WaitDuration: number;
  readonly MaxIdleClosed: number;
  readonly MaxIdleTimeClosed: number;
  readonly MaxLifetimeClosed: number;
}

/** A pool's numbers in the names of `sql.DBStats`. */
export function toGoStats(stats: PoolStats): GoDBStats {
  return {
    MaxOpenConnections: Number.isFinite(stats.max) ? stats.max : 0,
    OpenConnections: stats.open + stats.dialing,
    InUse: stats.inUse + stats.busy,
    Idle: stats.idle,
    WaitCount: stats.waitCount,
    WaitDuration: stats.waitMs,
    MaxIdleClosed: stats.closed["max-idle"],
    MaxIdleTimeClosed: stats.closed["idle-time"],
    MaxLifetimeClosed: stats.closed.lifetime,
  };
}
