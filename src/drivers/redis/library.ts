/**
 * The parts of the client library's inside that this driver holds on to, as types, and the check that they are there.
 * Everything here is marked internal by the library; package.json pins the versions it was read in.
 */
import type {
  AnyRedisClientOptions,
  RedisArgument,
  RedisClient,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  TypeMapping,
} from "redis";

export type { AnyRedisClientOptions, RedisArgument };

/** A client of the library, whatever its type parameters. */
export type LibraryClient = RedisClient<
  RedisModules,
  RedisFunctions,
  RedisScripts,
  RespVersions,
  TypeMapping
>;
export type LibraryClass = new (options: AnyRedisClientOptions) => LibraryClient;
export type LibraryQueue = ReturnType<LibraryClient["_getQueue"]>;
export type CommandOptions = NonNullable<Parameters<LibraryClient["sendCommand"]>[1]>;
export type PubSubTypeListeners = ReturnType<LibraryClient["getPubSubListeners"]>;
export type ChannelListeners = PubSubTypeListeners extends Map<string, infer L> ? L : never;
export type MonitorCallback = Parameters<LibraryClient["MONITOR"]>[0];
export type PubSubKind = "CHANNELS" | "PATTERNS" | "SHARDED";
export type Listener = (message: never, channel: never) => unknown;
/** One command of a MULTI or a pipeline. */
export interface QueuedCommand {
  readonly args: ReadonlyArray<RedisArgument>;
}

const queueMethods = [
  "addCommand",
  "extractAllCommands",
  "rejectCommands",
  "isEmpty",
  "removeAllPubSubListeners",
] as const;

/**
 * Proves on a client that was never connected that what was not written can be taken back: a command goes into the
 * queue, comes out of it, and the queue is empty again.
 * @returns what is wrong, or `undefined` when the evidence can be trusted
 */
export function brokenEvidence(client: LibraryClient): string | undefined {
  try {
    const queue: LibraryQueue = client._getQueue();
    for (const method of queueMethods) {
      if (typeof queue[method] !== "function") return `its command queue has no ${method}()`;
    }
    if (typeof queue.decoder?.write !== "function") return "its decoder has no write()";
    if (!queue.isEmpty()) return "its command queue is not empty at first";
    queue.addCommand(["PING"], {}).catch(() => {});
    if (queue.isEmpty()) return "its command queue does not hold a command that was added";
    const taken = queue.extractAllCommands();
    if (!Array.isArray(taken) || taken.length !== 1 || !queue.isEmpty()) {
      return "its command queue does not give back what was not written";
    }
    if (typeof taken[0]?.reject !== "function") return "what its command queue gives back can't be rejected";
    queue.rejectCommands(taken, new Error("self-check"));
    return undefined;
  } catch (error) {
    return `its command queue failed the check: ${error instanceof Error ? error.message : String(error)}`;
  }
}
