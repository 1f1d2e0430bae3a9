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
export const pubSubKinds: readonly PubSubKind[] = ["CHANNELS", "PATTERNS", "SHARDED"];
export type Listener = (message: never, channel: never) => unknown;
/** What the library's queue holds for one command, and whether anybody still waits for it. */
export interface QueueItem {
  args: readonly RedisArgument[] | undefined;
  chainId: undefined;
  readonly typeMapping: CommandOptions["typeMapping"];
  readonly bytes: number;
  readonly settled: boolean;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}
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

/** What came of a check's own command. */
class Sample implements QueueItem {
  args: readonly RedisArgument[] | undefined = ["PING"];
  chainId: undefined = undefined;
  readonly typeMapping: CommandOptions["typeMapping"] = undefined;
  readonly bytes = 14;
  readonly settled = false;
  reply: unknown;

  resolve(reply: unknown): void {
    this.reply = reply;
  }

  reject(error: unknown): void {
    this.reply = error;
  }
}

/**
 * Proves the same way that commands put into the queue by our own hand are encoded in order and told their replies.
 * @returns what is wrong, or `undefined` when we may write ourselves
 */
export function brokenWriting(client: LibraryClient): string | undefined {
  try {
    const queue = client._getQueue();
    const [first, second] = [new Sample(), new Sample()];
    if (queue.isWaitingToWrite()) return "its command queue is not empty at first";
    queue.prependCommandsToWrite([first, second] as unknown as Parameters<
      typeof queue.prependCommandsToWrite
    >[0]);
    if (!queue.isWaitingToWrite()) return "its command queue does not hold what was put in";
    const text = [...queue.commandsToWrite()].flat().join("");
    if (text !== "*1\r\n$4\r\nPING\r\n".repeat(2)) return "its command queue encodes in another way";
    queue.decoder.write(Buffer.from("+one\r\n+two\r\n"));
    if (first.reply !== "one" || second.reply !== "two") return "its command queue does not tell replies";
    return queue.isEmpty() ? undefined : "its command queue is not empty in the end";
  } catch (error) {
    return `its command queue failed the check: ${error instanceof Error ? error.message : String(error)}`;
  }
}
