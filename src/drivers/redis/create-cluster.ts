/**
 * `createCluster`: the library's own cluster, whose nodes' clients are ours. Slots, MOVED, ASK, replicas and pub/sub are
 * the library's code; each node has a link of its own under it.
 */
import {
  createCluster as createLibraryCluster,
  type RedisClusterOptions,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RespVersions,
  type TypeMapping,
} from "redis";
import { type Backoff, exponential } from "../../backoff/index.ts";
import { isHoldfastError } from "../../call/index.ts";
import { didYouMean, integer, optionError, unknownOptionError } from "../../options/index.ts";
import type { Nothing, ResilientCluster } from "./client-type.ts";
import { type FactoryConfig, withClientsFrom } from "./cluster-nodes.ts";
import { NodeLinks } from "./cluster-resilience.ts";
import { createClient } from "./create-client.ts";
import { checkGiven } from "./given-options.ts";
import { type AnyRedisClientOptions, type LibraryClient, pubSubKinds } from "./library.ts";
import { type RedisClientResilience, readSettings } from "./settings.ts";

/** `resilience` of a cluster: that of each node's link. Which nodes there are the cluster itself says. */
export type RedisClusterResilience = Omit<RedisClientResilience, "endpoints">;

/**
 * Creates a client of a Redis Cluster: the options, types and methods of `createCluster` from "redis", and `resilience`.
 *
 * MOVED and ASK are followed at once, at most `maxCommandRedirections` times (16). Calls to a node that is away wait for
 * it in its bounded outbox; when the cluster gives its slots to another node they go there. `connect()` needs one of
 * `rootNodes`; a node that is away then is connected later.
 *
 * @throws `HF_OPTION` for a wrong option, naming key, value and what is allowed
 */
export function createCluster<
  M extends RedisModules = Nothing,
  F extends RedisFunctions = Nothing,
  S extends RedisScripts = Nothing,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = Nothing,
>(
  options: RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING> & { resilience?: RedisClusterResilience },
): ResilientCluster<M, F, S, RESP, TYPE_MAPPING> {
  return create(options as unknown as GivenOptions) as never;
}

type GivenOptions = RedisClusterOptions & { resilience?: RedisClusterResilience };

const clusterKeys = [
  ...[
    "rootNodes",
    "defaults",
    "minimizeConnections",
    "useReplicas",
    "maxCommandRedirections",
    "nodeAddressMap",
  ],
  ...["topologyRefreshOnReconnectionAttemptStrategy", "clientSideCache", "himportRegistry", "commandOptions"],
  ...["keyPrefix", "RESP", "modules", "functions", "scripts", "unstableResp3", "resilience"],
];

/** What the library's own limit is when nobody says another. */
const standardRedirections = 16;

/** The cluster as its own methods see it. */
interface Inner {
  readonly _self: Inner;
  readonly _slots: { readonly himportRegistry: unknown };
  readonly _commandOptions: unknown;
  readonly isOpen: boolean;
  close(): Promise<void>;
  destroy(): void;
  on(event: "error", listener: (error: unknown) => void): void;
}

type Execute = (
  this: Inner,
  parser: { readonly firstKey: unknown },
  isReadonly: boolean | undefined,
  options: unknown,
  run: unknown,
  pinned?: unknown,
  served?: unknown,
) => Promise<unknown>;

function create(given: GivenOptions): unknown {
  check(given);
  const { resilience = {}, ...own } = given;
  const links = new NodeLinks();
  const cluster = withClientsFrom(
    (config) => (options) => nodeClient(links, config, options ?? {}, resilience),
    () => createLibraryCluster(own) as unknown as Inner,
  );
  const inner = cluster._self;
  const library = Object.getPrototypeOf(inner) as { _execute: Execute };
  const moves = own.maxCommandRedirections ?? standardRedirections;
  Object.setPrototypeOf(inner, Object.create(library, methods(given, links, library._execute, moves)));
  inner.on("error", () => {}); // unheard, it would end the process
  return cluster;
}

/** @throws `HF_OPTION` */
function check(given: GivenOptions): void {
  for (const key of Object.keys(given)) {
    if (!clusterKeys.includes(key)) throw unknownOptionError(key, clusterKeys, didYouMean(key, clusterKeys));
  }
  const { rootNodes, defaults, maxCommandRedirections, resilience } = given;
  if (!Array.isArray(rootNodes) || rootNodes.length === 0) {
    throw optionError(
      "rootNodes",
      rootNodes,
      'a list of at least one node, such as { url: "redis://host:port" }',
    );
  }
  for (const node of rootNodes) checkGiven(node as AnyRedisClientOptions);
  if (defaults !== undefined) checkGiven(defaults as AnyRedisClientOptions);
  if (maxCommandRedirections !== undefined) {
    integer({ min: 0 }).read(maxCommandRedirections, "maxCommandRedirections");
  }
  if (resilience !== undefined && "endpoints" in resilience) {
    throw optionError("resilience.endpoints", "a list", "absent: the cluster says which nodes there are");
  }
  readSettings({}, resilience);
}

/**
 * CLUSTERDOWN and TRYAGAIN pass by themselves: a primary that was restarted says CLUSTERDOWN for 2 s, until it knows that
 * nobody took its place. Together these waits are longer than a call's default deadline, which ends them.
 */
const patience: Backoff = exponential({ baseMs: 100, capMs: 1_000 });
const patientRetries = 8;

/** The client of one node; or of one question about the slots, which the library asks with reconnecting off. */
function nodeClient(
  links: NodeLinks,
  { modules, functions, scripts }: FactoryConfig,
  options: AnyRedisClientOptions,
  resilience: RedisClusterResilience,
): LibraryClient {
  const asks = options.socket?.reconnectStrategy === false;
  const client = createClient({
    ...(modules && { modules }),
    ...(functions && { functions }),
    ...(scripts && { scripts }),
    ...defined(options),
    resilience: {
      retryBackoff: patience,
      ...resilience,
      retry: { maxRetries: patientRetries, ...resilience.retry },
      lazy: false,
      retryInitial: !asks,
    },
  } as never) as unknown as LibraryClient & ReturnType<typeof createClient>;
  if (asks) return client;
  const { host = "localhost", port = 6379 } = (options.socket ?? {}) as { host?: string; port?: number };
  links.add(`${host}:${port}`, client);
  const connect = client.connect.bind(client);
  // The library writes into what it reads here when it asks for the slots.
  const base = client.options as AnyRedisClientOptions;
  Object.defineProperties(client, {
    connect: { value: () => begun(client, connect) },
    options: { get: () => ({ ...base, socket: { ...base.socket } }) },
    _getQueue: { value: () => ({ removeAllPubSubListeners: () => listenersOf(client) }) },
  });
  return client;
}

/** The library says `undefined` for what is not given. */
function defined(options: AnyRedisClientOptions): AnyRedisClientOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Resolves when the node is connected, or was tried once: one that is away must not keep the whole cluster waiting. */
async function begun<C extends ReturnType<typeof createClient>>(
  client: C,
  connect: () => Promise<unknown>,
): Promise<C> {
  let off = (): void => {};
  const tried = new Promise<void>((resolve) => {
    off = client.resilience.on("attemptFailed", () => resolve());
  });
  const connected = connect();
  connected.catch(() => {}); // it may be closed long after
  await Promise.race([connected, tried]).finally(() => off());
  return client;
}

/** For a node that leaves: its shard channels are subscribed to anew at another. */
function listenersOf(client: LibraryClient): object {
  return Object.fromEntries(pubSubKinds.map((kind) => [kind, new Map(client.getPubSubListeners(kind))]));
}

function methods(
  given: GivenOptions,
  links: NodeLinks,
  execute: Execute,
  moves: number,
): PropertyDescriptorMap & ThisType<Inner> {
  return {
    _execute: { value: sendAgainElsewhere(execute, moves), writable: true, configurable: true },
    resilience: { get: () => links, configurable: true },
    duplicate: {
      value(this: Inner, overrides?: object) {
        const { himportRegistry } = this._self._slots;
        return create({
          ...given,
          himportRegistry,
          commandOptions: this._commandOptions,
          ...overrides,
        } as never);
      },
      writable: true,
      configurable: true,
    },
    [Symbol.asyncDispose]: {
      async value(this: Inner) {
        if (this._self.isOpen) await this._self.close();
      },
      writable: true,
      configurable: true,
    },
  };
}

/**
 * A call that waited for a node which then left the cluster was never sent: it goes to whom its slot belongs now. (The
 * library fails it.) One without a key was meant for that very node.
 */
function sendAgainElsewhere(execute: Execute, moves: number): Execute {
  return async function (parser, isReadonly, options, run, pinned, served) {
    for (let n = 0; ; n++) {
      try {
        return await execute.call(
          this,
          parser,
          isReadonly,
          options,
          run,
          n === 0 ? pinned : undefined,
          served,
        );
      } catch (error) {
        const left = isHoldfastError(error) && error.code === "HF_CLOSED" && error.outcome === "not-applied";
        const mayMove = parser.firstKey !== undefined && n < moves && this._self.isOpen;
        if (!left || !mayMove) throw error;
      }
    }
  };
}
