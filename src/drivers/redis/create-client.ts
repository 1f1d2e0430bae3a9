/** `createClient`: the library's own client, on a link of ours. */
import type {
  RedisClientOptions,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  TypeMapping,
} from "redis";
import type { Nothing, ResilientClient } from "./client-type.ts";
import { createClientPool } from "./create-client-pool.ts";
import { type GivenOptions, makeClient } from "./make-client.ts";
import type { RedisClientResilience } from "./settings.ts";

/**
 * Creates a client: the options, types and methods of `createClient` from "redis", and `resilience`.
 *
 * It dials when `connect()` is called. Calls wait for a connection in a bounded outbox; a call whose connection dies is
 * sent again if that is safe, and otherwise fails with an `outcome`. Defaults: docs/redis.md.
 *
 * @throws `HF_OPTION` for a wrong option, naming key, value and what is allowed
 */
export function createClient<
  M extends RedisModules = Nothing,
  F extends RedisFunctions = Nothing,
  S extends RedisScripts = Nothing,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = Nothing,
>(
  options?: RedisClientOptions<M, F, S, RESP, TYPE_MAPPING> & { resilience?: RedisClientResilience },
): ResilientClient<M, F, S, RESP, TYPE_MAPPING> {
  return makeClient(options as GivenOptions | undefined, createClientPool) as never;
}
