/** Peers' spellings of Redis options, translated into the one shape of ../options.ts. */

export { fromGoRedisOptions } from "./go-redis-options.ts";
export type { GoRedisVersion } from "./go-redis-setting.ts";
export { fromGoRedisUrl, type GoRedisUrlOptions } from "./go-redis-url.ts";
export type { RedisPyPool } from "./pool.ts";
export { fromRedisPy, type RedisPyOptions } from "./redis-py.ts";
export type { RedisPyVersion } from "./redis-py-defaults.ts";
export { fromRedisPyYaml } from "./redis-py-yaml.ts";
