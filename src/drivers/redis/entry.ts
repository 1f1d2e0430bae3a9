/**
 * Room `drivers/redis`, published as `holdfast/redis`: everything the `redis` package exports, with a `createClient`
 * whose clients survive and a `createClientPool` of such clients. `createCluster` and `createSentinel` are the library's own.
 */
export * from "redis";
export type { Resilient, ResilientClient, ResilientClientPool } from "./client-type.ts";
export { createClient } from "./create-client.ts";
export { createClientPool } from "./create-client-pool.ts";
export { clientOptionsOf, clientPoolOptionsOf, type TranslatedOptions } from "./from-peer.ts";
export type { RedisOptions } from "./options.ts";
export type { ClientPoolOptions, ClientPoolResilience } from "./pool-options.ts";
export type { RedisClientResilience } from "./settings.ts";
export * from "./translate/index.ts";
