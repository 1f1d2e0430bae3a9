/** Room `pool`: interchangeable connections, as many as are needed, or a fixed number. */
export { type Connector, type OpenContext, type RetireReason, retireReasons } from "./connector.ts";
export { type AcquireOptions, ElasticPool } from "./elastic.ts";
export type { PoolCounts } from "./errors.ts";
export type { PoolEvents } from "./events.ts";
export { FixedPool, type FixedPoolEvents, type FixedPoolOptions } from "./fixed.ts";
export type { Lease } from "./lease.ts";
export type { PoolLimits, PoolOptions } from "./options.ts";
export { Reconnection, type ReconnectionOptions } from "./reconnection.ts";
export type { PoolStats } from "./stats.ts";
export { fromGoLimits, type GoDBStats, type GoPoolLimits, toGoStats } from "./translate-go.ts";
