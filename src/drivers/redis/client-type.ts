/** The type of a client: the library's own, with `resilience`, also on what its methods return. */
import type {
  RedisClientOptions,
  RedisClientPoolType,
  RedisClientType,
  RedisClusterOptions,
  RedisClusterType,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  TypeMapping,
} from "redis";
import type { PoolResilience, Resilience } from "../../observe/index.ts";
import type { ClusterResilience } from "./cluster-resilience.ts";
import type { CommandOptions } from "./library.ts";
import type { ClientPoolOptions } from "./pool-options.ts";
import type { RedisClientResilience } from "./settings.ts";

// biome-ignore lint/complexity/noBannedTypes: the library's own default; anything else makes types that differ from its
export type Nothing = {};

/** What is on a client beside the library's own. */
export interface Resilient extends AsyncDisposable {
  /** State, events and control of the connection. */
  readonly resilience: Resilience;
}

/** The library's `RedisClientType`, and `Resilient`. */
export type ResilientClient<
  M extends RedisModules = Nothing,
  F extends RedisFunctions = Nothing,
  S extends RedisScripts = Nothing,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = Nothing,
> = Returns<M, F, S, RESP, TYPE_MAPPING> & RedisClientType<M, F, S, RESP, TYPE_MAPPING>;

/** The methods that return a client. The first of two signatures holds, so these stand before the library's. */
interface Returns<
  M extends RedisModules,
  F extends RedisFunctions,
  S extends RedisScripts,
  RESP extends RespVersions,
  TYPE_MAPPING extends TypeMapping,
> extends Resilient {
  connect(): Promise<ResilientClient<M, F, S, RESP, TYPE_MAPPING>>;
  /** A client with the same options, `resilience` included, except what `overrides` says. */
  duplicate<
    M2 extends RedisModules = M,
    F2 extends RedisFunctions = F,
    S2 extends RedisScripts = S,
    RESP2 extends RespVersions = RESP,
    TYPE_MAPPING2 extends TypeMapping = TYPE_MAPPING,
  >(
    overrides?: Partial<RedisClientOptions<M2, F2, S2, RESP2, TYPE_MAPPING2>> & {
      resilience?: RedisClientResilience;
    },
  ): ResilientClient<M2, F2, S2, RESP2, TYPE_MAPPING2>;
  /** A pool of clients with the same options. */
  createPool(options?: ClientPoolOptions): ResilientClientPool<M, F, S, RESP, TYPE_MAPPING>;
  withCommandOptions<MAPPING extends TypeMapping = TYPE_MAPPING>(
    options: Omit<CommandOptions, "typeMapping"> & { readonly typeMapping?: MAPPING },
  ): ResilientClient<M, F, S, RESP, MAPPING>;
  withTypeMapping<MAPPING extends TypeMapping>(mapping: MAPPING): ResilientClient<M, F, S, RESP, MAPPING>;
  withAbortSignal(signal: AbortSignal): ResilientClient<M, F, S, RESP, TYPE_MAPPING>;
  asap(): ResilientClient<M, F, S, RESP, TYPE_MAPPING>;
}

/** The library's pool, and `resilience`. */
export type ResilientClientPool<
  M extends RedisModules = Nothing,
  F extends RedisFunctions = Nothing,
  S extends RedisScripts = Nothing,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = Nothing,
> = PoolReturns<M, F, S, RESP, TYPE_MAPPING> & RedisClientPoolType<M, F, S, RESP, TYPE_MAPPING>;

interface PoolReturns<
  M extends RedisModules,
  F extends RedisFunctions,
  S extends RedisScripts,
  RESP extends RespVersions,
  TYPE_MAPPING extends TypeMapping,
> extends AsyncDisposable {
  /** State, events and control of the pool. */
  readonly resilience: PoolResilience;
  connect(): Promise<ResilientClientPool<M, F, S, RESP, TYPE_MAPPING>>;
}

/** The library's cluster, and `resilience`. */
export type ResilientCluster<
  M extends RedisModules = Nothing,
  F extends RedisFunctions = Nothing,
  S extends RedisScripts = Nothing,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = Nothing,
> = ClusterReturns<M, F, S, RESP, TYPE_MAPPING> & RedisClusterType<M, F, S, RESP, TYPE_MAPPING>;

interface ClusterReturns<
  M extends RedisModules,
  F extends RedisFunctions,
  S extends RedisScripts,
  RESP extends RespVersions,
  TYPE_MAPPING extends TypeMapping,
> extends AsyncDisposable {
  /** State and events of the nodes' connections. */
  readonly resilience: ClusterResilience;
  connect(): Promise<ResilientCluster<M, F, S, RESP, TYPE_MAPPING>>;
  /** A cluster with the same options, `resilience` included, except what `overrides` says. */
  duplicate<
    M2 extends RedisModules = M,
    F2 extends RedisFunctions = F,
    S2 extends RedisScripts = S,
    RESP2 extends RespVersions = RESP,
    TYPE_MAPPING2 extends TypeMapping = TYPE_MAPPING,
  >(
    overrides?: Partial<RedisClusterOptions<M2, F2, S2, RESP2, TYPE_MAPPING2>> & {
      resilience?: Omit<RedisClientResilience, "endpoints">;
    },
  ): ResilientCluster<M2, F2, S2, RESP2, TYPE_MAPPING2>;
  withTypeMapping<MAPPING extends TypeMapping>(mapping: MAPPING): ResilientCluster<M, F, S, RESP, MAPPING>;
}
