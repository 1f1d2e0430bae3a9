/** The library's pool options, as limits of our pool. */
import { processGovernor } from "../../governor/index.ts";
import { optionError, refusedOptionError } from "../../options/index.ts";
import type { Connector, PoolOptions } from "../../pool/index.ts";
import type { Physical } from "./physical.ts";
import type { PgSettings } from "./settings.ts";

const libraryName: Readonly<Record<string, string>> = {
  max: "max",
  min: "min",
  maxIdleTimeMs: "idleTimeoutMillis",
  maxLifetimeMs: "maxLifetimeSeconds",
  acquireTimeoutMs: "connectionTimeoutMillis",
};

const defaultIdleMs = 10_000;
/** The library waits for ever; nobody wants that. */
const defaultAcquireMs = 30_000;
/** The finest that the pool looks at idle connections. */
const leastIdleMs = 100;

/** 0 is the library's word for no limit in idleTimeoutMillis, maxLifetimeSeconds and maxUses, and for its default in `max`. */
export function poolOptions(
  given: Readonly<Record<string, unknown>>,
  settings: PgSettings,
  connector: Connector<Physical>,
): PoolOptions<Physical> {
  const { resolved, limits } = settings;
  const { policy } = resolved;
  for (const [key, name] of Object.entries(libraryName)) {
    if (key in limits)
      throw refusedOptionError(`resilience.pool.${key}`, `its name is ${name}, as in pg-pool`);
  }
  const number = (key: string): number => Number(given[key] ?? 0);
  const max = number("max") || number("poolSize") || 10;
  const min = number("min");
  if (min > max) throw optionError("min", min, `at most max, which is ${max}`);
  const idle = given.idleTimeoutMillis === undefined ? defaultIdleMs : number("idleTimeoutMillis");
  const lifetime = number("maxLifetimeSeconds") * 1_000;
  const acquire = number("connectionTimeoutMillis");
  return {
    ...limits,
    connector,
    name: settings.name,
    ...{ max, min },
    maxIdleTimeMs: idle > 0 ? Math.max(leastIdleMs, idle) : Number.POSITIVE_INFINITY,
    ...(given.maxLifetimeSeconds !== undefined && {
      maxLifetimeMs: lifetime > 0 ? lifetime : Number.POSITIVE_INFINITY,
    }),
    acquireTimeoutMs: acquire > 0 ? acquire : defaultAcquireMs,
    exitWhenIdle: given.allowExitOnIdle === true,
    connectTimeoutMs: policy.connectTimeoutMs,
    ...(settings.ownBackoff && { backoff: policy.backoff }),
    authBackoff: policy.authBackoff,
    stableAfterMs: Math.min(policy.stableAfterMs, 1_000),
    permits: resolved.permits ?? processGovernor,
    world: resolved.world,
  };
}
