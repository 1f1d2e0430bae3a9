/** A client: a never-connected one of the library's own class, over a link of ours. */
import { createClient as createLibraryClient } from "redis";
import { Core } from "./core.ts";
import { redisDriver } from "./driver.ts";
import { checkGiven } from "./given-options.ts";
import {
  type AnyRedisClientOptions,
  brokenEvidence,
  brokenWriting,
  type LibraryClass,
  type LibraryClient,
} from "./library.ts";
import type { ClientPoolOptions } from "./pool-options.ts";
import { credentialsIn } from "./session-items.ts";
import { connectionOptions, type RedisClientResilience, readSettings } from "./settings.ts";
import { makeShell, type Shell } from "./shell.ts";

export type GivenOptions = AnyRedisClientOptions & { resilience?: RedisClientResilience };

/** `createClientPool`, which a client offers too: given, since a pool makes clients. */
export type CreatePool = (clientOptions: never, options?: ClientPoolOptions) => unknown;

export function makeClient(given: GivenOptions | undefined, createPool: CreatePool): LibraryClient {
  const { resilience, ...own } = given ?? {};
  checkGiven(own);
  // The library writes into the options it gets: its copy is not the caller's.
  // Its watch for maintenance messages would wait for a socket that this instance never has.
  const options = {
    maintNotifications: "disabled",
    ...own,
    ...(own.socket && { socket: { ...own.socket } }),
  } as AnyRedisClientOptions;
  const client = createLibraryClient(options as never) as unknown as LibraryClient;
  const inner = (client as unknown as Shell)._self as unknown as LibraryClient;
  const Client = Object.getPrototypeOf(inner).constructor as LibraryClass;
  const base = client.options as AnyRedisClientOptions;
  const settings = readSettings(base, resilience);
  const distrust = brokenEvidence(client);
  // The library's own bound on its queue holds only for what passes its own way.
  const writes = base.commandsQueueMaxLength === undefined && brokenWriting(client) === undefined;
  const cache = client.clientSideCache;
  const { resolved } = settings;
  const destroyLibrary = Client.prototype.destroy as () => void;

  const core = new Core(
    settings,
    options.disableOfflineQueue !== true,
    (core) =>
      redisDriver({
        Client,
        distrust,
        writes,
        retryBackoff: settings.retryBackoff,
        retryLosses: settings.retryLosses,
        random: resolved.world.random,
        writeTimeoutMs: settings.writeTimeoutMs,
        clock: resolved.world.clock,
        options: ({ endpoint, session }) =>
          connectionOptions(base, endpoint, resolved.tcpKeepAliveMs, resolved.policy.connectTimeoutMs, {
            ...(cache && { clientSideCache: cache }),
            ...credentialsIn(session),
          }),
        needs: () => ({
          subscriptions: core.subscriptions,
          monitor: core.monitor,
          clock: resolved.world.clock,
        }),
        connected: () => core.emit("connect"),
        invalidated: (key) => core.emit("invalidate", key),
        shardMoved: (channel) => core.shardMoved(channel),
        get unrefed() {
          return core.unrefed;
        },
        probed: (reply) => settings.tellsPings && core.emit("ping-interval", reply),
      }),
    {
      emit(event, ...args) {
        if (event !== "error" || client.listenerCount("error") > 0) client.emit(event, ...args);
      },
      // The shell never had a socket; what its class registered for it must go all the same.
      ended: () => destroyLibrary.call(inner),
      duplicate: (overrides) =>
        makeClient({ ...base, ...(resilience && { resilience }), ...overrides } as GivenOptions, createPool),
      createPool: (overrides, options) => {
        const { clientSideCache: _cache, ...rest } = base;
        return createPool({ ...rest, ...(resilience && { resilience }), ...overrides } as never, options);
      },
    },
  );
  makeShell(client, core);
  return client;
}
