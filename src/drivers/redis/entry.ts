/**
 * Room `drivers/redis`, published as `holdfast/redis`: everything the `redis` package exports, with a `createClient`
 * whose clients survive, and a `createClientPool` and `createCluster` of such clients. `createSentinel` is the library's own.
 */
export * from "redis";
export type { Resilient, ResilientClient, ResilientClientPool, ResilientCluster } from "./client-type.ts";
export type { ClusterEvent, ClusterResilience } from "./cluster-resilience.ts";
export { createClient } from "./create-client.ts";
export { createClientPool } from "./create-client-pool.ts";
export { createCluster, type RedisClusterResilience } from "./create-cluster.ts";
export { clientOptionsOf, clientPoolOptionsOf, type TranslatedOptions } from "./from-peer.ts";
export type { RedisOptions } from "./options.ts";
export type { ClientPoolOptions, ClientPoolResilience } from "./pool-options.ts";
export type { RedisClientResilience } from "./settings.ts";
export * from "./translate/index.ts";
