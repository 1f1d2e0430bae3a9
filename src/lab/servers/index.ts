/** Real servers for tests and demonstrations: found, fetched, started, frozen, killed and restarted. */
export { type AcquireOptions, acquire, type Get, locate } from "./acquire.ts";
export type {
  Launch,
  Leader,
  Program,
  Replication,
  ServerEntry,
  ServerOptions,
  Source,
  SqlDialect,
} from "./entry.ts";
export { ServerUnavailable } from "./errors.ts";
export { canEnter, type Identity, powerlessIdentity } from "./identity.ts";
export { NatsCluster, type NatsClusterOptions } from "./nats-cluster.ts";
export type { Exit } from "./process.ts";
export { RedisCluster, type RedisClusterOptions } from "./redis-cluster.ts";
export { type BoundReplication, RunningServer } from "./server.ts";
export { SQL_DATABASE, SQL_USER, SqlControl, type SqlSession } from "./sql-control.ts";
export { SqlPair, type SqlPairOptions } from "./sql-pair.ts";
export type { SqlRow } from "./sql-wire.ts";
export { entryOf, type StartOptions, startServer } from "./start.ts";
export { type ServerName, serverNames, serverTable } from "./table.ts";
