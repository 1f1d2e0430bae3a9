/**
 * Room `drivers/redis`, published as `holdfast/redis`: everything the `redis` package exports, with a `createClient`
 * whose clients survive. `createCluster`, `createSentinel` and `createClientPool` are the library's own, untouched.
 */
export * from "redis";
export type { Resilient, ResilientClient } from "./client-type.ts";
export { createClient } from "./create-client.ts";
export { clientOptionsOf, type TranslatedOptions } from "./from-peer.ts";
export type { RedisOptions } from "./options.ts";
export type { RedisClientResilience } from "./settings.ts";
export * from "./translate/index.ts";
