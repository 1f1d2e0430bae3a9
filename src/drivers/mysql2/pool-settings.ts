/** The library's pool options, as limits of our pool. */
import { processGovernor } from "../../governor/index.ts";
import { refusedOptionError } from "../../options/index.ts";
import type { Connector, PoolOptions } from "../../pool/index.ts";
import type { LibraryConfig, LibraryPoolConfig } from "./library.ts";
import type { Physical } from "./physical.ts";
import type { MysqlSettings } from "./settings.ts";

function numberOr(value: unknown, fallback: number): number {
  return value === undefined || value === null || Number.isNaN(Number(value)) ? fallback : Number(value);
}

/** As the library's own, which it does not export: names and defaults are its documentation's. */
export function libraryPoolConfig(
  own: Readonly<Record<string, unknown>>,
  connectionConfig: LibraryConfig,
): LibraryPoolConfig {
  const connectionLimit = numberOr(own.connectionLimit, 10);
  return {
    connectionConfig,
    waitForConnections: own.waitForConnections === undefined ? true : Boolean(own.waitForConnections),
    connectionLimit,
    maxIdle: numberOr(own.maxIdle, connectionLimit),
    idleTimeout: numberOr(own.idleTimeout, 60_000),
    queueLimit: numberOr(own.queueLimit, 0),
    resetOnRelease: Boolean(own.resetOnRelease),
  };
}

/** 0 is the library's word for no limit; a queue whose limit nobody gave keeps the pool's. */
export function poolOptions(
  config: LibraryPoolConfig,
  settings: MysqlSettings,
  connector: Connector<Physical>,
): PoolOptions<Physical> {
  const { connectionLimit, maxIdle, idleTimeout, queueLimit } = config;
  const { resolved, limits } = settings;
  const { policy } = resolved;
  for (const key of ["max", "maxIdle", "maxIdleTimeMs", "maxWaiting"]) {
    if (key in limits) throw refusedOptionError(`resilience.pool.${key}`, `its name is ${libraryName[key]}`);
  }
  return {
    acquireTimeoutMs: 30_000,
    ...limits,
    connector,
    name: settings.name,
    max: connectionLimit === 0 ? Number.POSITIVE_INFINITY : connectionLimit,
    maxIdle: Math.max(limits.min ?? 0, connectionLimit === 0 && maxIdle === 0 ? Infinity : maxIdle),
    maxIdleTimeMs: Math.max(100, idleTimeout),
    ...(queueLimit > 0 && { maxWaiting: queueLimit }),
    connectTimeoutMs: policy.connectTimeoutMs,
    ...(settings.ownBackoff && { backoff: policy.backoff }),
    authBackoff: policy.authBackoff,
    stableAfterMs: Math.min(policy.stableAfterMs, 1_000),
    permits: resolved.permits ?? processGovernor,
    world: resolved.world,
  };
}

const libraryName: Readonly<Record<string, string>> = {
  max: "connectionLimit",
  maxIdle: "maxIdle, beside the other options of the library",
  maxIdleTimeMs: "idleTimeout",
  maxWaiting: "queueLimit",
};
