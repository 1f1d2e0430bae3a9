/**
 * The shell: a real instance of the library's client that is never connected. Its prototype chain gets one more link,
 * in front of the library's class, in which everything that would touch a socket goes to our link instead. Typed
 * commands, scripts, functions, modules, MULTI builders, iterators, `withTypeMapping` and the like are the library's
 * own code, and end in these few methods.
 */

import type { RedisConnection } from "./connection.ts";
import type { Core } from "./core.ts";
import type {
  ChannelListeners,
  CommandOptions,
  LibraryClient,
  Listener,
  MonitorCallback,
  PubSubKind,
  PubSubTypeListeners,
  QueuedCommand,
  RedisArgument,
} from "./library.ts";
import { sendAgainOnTimeout } from "./resend-timeouts.ts";

export const coreOf: unique symbol = Symbol("holdfast.redis.core");

/** The shell as its own methods see it: `_self` is the instance under views such as `withTypeMapping()`. */
export interface Shell {
  readonly _self: Shell;
  readonly _commandOptions?: CommandOptions;
  readonly [coreOf]: Core;
}

type Channels = string | string[];

function options(shell: Shell, given: CommandOptions | undefined): CommandOptions | undefined {
  const own = shell._commandOptions;
  return given === undefined || given === own ? own : { ...own, ...given };
}

/** The library's client with the caller's type mapping, as its own MULTI wants it. */
function viewOf(connection: RedisConnection, shell: Shell): LibraryClient {
  const typeMapping = shell._commandOptions?.typeMapping;
  const { client } = connection;
  return typeMapping === undefined
    ? client
    : (client.withTypeMapping(typeMapping) as unknown as LibraryClient);
}

function bytesOf(command: string, channels: Channels | undefined): number {
  const words = channels === undefined ? [] : typeof channels === "string" ? [channels] : channels;
  return words.reduce((sum, word) => sum + Buffer.byteLength(word) + 8, command.length + 12);
}

async function subscribe(
  shell: Shell,
  kind: PubSubKind,
  command: "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE",
  channels: Channels,
  listener: Listener,
  buffers = false,
): Promise<void> {
  const core = shell._self[coreOf];
  const guarded = core.subscriptions.guard(listener);
  await core.sessionCall(command, bytesOf(command, channels), shell._commandOptions, (connection) =>
    connection.client[command](channels, guarded as never, buffers as never),
  );
  core.subscriptions.add(kind, channels, listener, buffers);
}

async function unsubscribe(
  shell: Shell,
  kind: PubSubKind,
  command: "UNSUBSCRIBE" | "PUNSUBSCRIBE" | "SUNSUBSCRIBE",
  channels: Channels | undefined,
  listener: Listener | undefined,
  buffers = false,
): Promise<void> {
  const core = shell._self[coreOf];
  const guarded = listener === undefined ? undefined : core.subscriptions.guard(listener);
  const remove = (): void => core.subscriptions.remove(kind, channels, listener, buffers);
  remove(); // at once: a connection made meanwhile must not subscribe again
  await core.sessionCall(command, bytesOf(command, channels), shell._commandOptions, (connection) =>
    connection.client[command](channels, guarded as never, buffers as never),
  );
  remove(); // again: a SUBSCRIBE that was still under way before it is undone by it too
}

function send(
  core: Core,
  args: readonly RedisArgument[],
  given: CommandOptions | undefined,
): Promise<unknown> {
  return core.settings.retryTimeouts ? sendAgainOnTimeout(core, args, given) : core.send(args, given);
}

/** A pipeline is a batch without a promise about the whole: each command passes, and is judged, by itself. */
async function pipeline(shell: Shell, commands: readonly QueuedCommand[]): Promise<unknown[]> {
  const core = shell._self[coreOf];
  const sent = commands.map(({ args }) => send(core, args, shell._commandOptions));
  return Promise.all(sent);
}

async function watch(shell: Shell, key: RedisArgument | readonly RedisArgument[]): Promise<unknown> {
  const prefix = (shell._self as unknown as LibraryClient)._keyPrefix;
  const keys = (Array.isArray(key) ? key : [key]) as readonly RedisArgument[];
  return shell._self[coreOf].send(
    ["WATCH", ...keys.map((one) => prefixed(prefix, one))],
    shell._commandOptions,
  );
}

function prefixed(prefix: RedisArgument | undefined, key: RedisArgument): RedisArgument {
  if (prefix === undefined) return key;
  if (typeof prefix === "string" && typeof key === "string") return prefix + key;
  return Buffer.concat([Buffer.from(prefix as string), Buffer.from(key as string)]);
}

async function select(shell: Shell, database: number): Promise<void> {
  await shell._self[coreOf].send(["SELECT", String(database)], undefined);
}

async function monitor(shell: Shell, callback: MonitorCallback): Promise<void> {
  const core = shell._self[coreOf];
  const guarded = core.subscriptions.guard(callback as Listener) as MonitorCallback;
  await core.sessionCall("MONITOR", 17, shell._commandOptions, async (connection) => {
    await viewOf(connection, shell).MONITOR(guarded);
    connection.monitoring = true;
  });
  core.monitor = guarded;
}

async function reset(shell: Shell): Promise<void> {
  const core = shell._self[coreOf];
  core.forget();
  await core.sessionCall("RESET", 15, shell._commandOptions, (connection) => connection.client.reset());
}

async function extend(shell: Shell, kind: PubSubKind, all: PubSubTypeListeners): Promise<void> {
  const core = shell._self[coreOf];
  const bytes = bytesOf("SUBSCRIBE", [...all.keys()]);
  await core.sessionCall("SUBSCRIBE", bytes, shell._commandOptions, (connection) =>
    connection.client.extendPubSubListeners(
      kind,
      new Map([...all].map(([name, listeners]) => [name, core.subscriptions.guarded(listeners)])),
    ),
  );
  for (const [name, { strings, buffers }] of all) {
    for (const listener of strings) core.subscriptions.add(kind, name, listener as Listener, false);
    for (const listener of buffers) core.subscriptions.add(kind, name, listener as Listener, true);
  }
}

/** The methods that replace the library's, for one class of its clients. */
function methods(): PropertyDescriptorMap & ThisType<Shell> {
  const method = (value: (this: Shell, ...args: never[]) => unknown): PropertyDescriptor => ({
    value,
    writable: true,
    configurable: true,
  });
  const getter = (get: (this: Shell) => unknown): PropertyDescriptor => ({ get, configurable: true });
  const core = (shell: Shell): Core => shell._self[coreOf];
  return {
    isOpen: getter(function () {
      return core(this).isOpen;
    }),
    isReady: getter(function () {
      return core(this).isReady;
    }),
    isPubSubActive: getter(function () {
      return core(this).subscriptions.active;
    }),
    socketEpoch: getter(function () {
      return core(this).readyCount;
    }),
    isWatching: getter(function () {
      return core(this).transaction.isWatching;
    }),
    isDirtyWatch: getter(function () {
      return core(this).transaction.dirtyWatch !== undefined;
    }),
    resilience: getter(function () {
      return core(this).resilience;
    }),
    setDirtyWatch: method(function (reason: string) {
      core(this).transaction.dirtyWatch = reason;
    }),
    sendCommand: method(function (args: readonly RedisArgument[], given?: CommandOptions) {
      return send(this._self[coreOf], args, options(this, given));
    }),
    _executeMulti: method(function (commands: QueuedCommand[], db?: number, slot?: number, chain?: symbol) {
      return core(this).multi(commands, this._commandOptions, (connection) =>
        viewOf(connection, this)._executeMulti(commands as never, db, slot, chain),
      );
    }),
    _executePipeline: method(function (commands: QueuedCommand[]) {
      return pipeline(this, commands);
    }),
    connect: method(async function () {
      await core(this).connect();
      return this;
    }),
    close: method(function () {
      return core(this).close();
    }),
    destroy: method(function () {
      void core(this).destroy();
    }),
    disconnect: method(function () {
      return core(this).destroy();
    }),
    [Symbol.asyncDispose]: method(async function () {
      if (core(this).isOpen) await core(this).close();
      else await core(this).destroy();
    }),
    duplicate: method(function (overrides?: object) {
      return core(this).duplicate({ commandOptions: this._commandOptions ?? {}, ...overrides });
    }),
    createPool: method(function (poolOptions?: object) {
      return core(this).createPool({ commandOptions: this._commandOptions ?? {} }, poolOptions);
    }),
    reset: method(function () {
      return reset(this);
    }),
    getPubSubListeners: method(function (kind: PubSubKind) {
      return core(this).subscriptions.listeners(kind);
    }),
    extendPubSubListeners: method(function (kind: PubSubKind, all: PubSubTypeListeners) {
      return extend(this, kind, all);
    }),
    extendPubSubChannelListeners: method(function (
      kind: PubSubKind,
      name: string,
      listeners: ChannelListeners,
    ) {
      return extend(this, kind, new Map([[name, listeners]]));
    }),
    ref: method(function () {
      core(this).setRef(true);
    }),
    unref: method(function () {
      core(this).setRef(false);
    }),
  };
}

/** Methods that the library also keeps, by a lower-case name, as fields of each instance. */
const twoNamed: Readonly<Record<string, (this: Shell, ...args: never[]) => unknown>> = {
  SUBSCRIBE(this: Shell, channels: Channels, listener: Listener, buffers?: boolean) {
    return subscribe(this, "CHANNELS", "SUBSCRIBE", channels, listener, buffers);
  },
  PSUBSCRIBE(this: Shell, patterns: Channels, listener: Listener, buffers?: boolean) {
    return subscribe(this, "PATTERNS", "PSUBSCRIBE", patterns, listener, buffers);
  },
  SSUBSCRIBE(this: Shell, channels: Channels, listener: Listener, buffers?: boolean) {
    return subscribe(this, "SHARDED", "SSUBSCRIBE", channels, listener, buffers);
  },
  UNSUBSCRIBE(this: Shell, channels?: Channels, listener?: Listener, buffers?: boolean) {
    return unsubscribe(this, "CHANNELS", "UNSUBSCRIBE", channels, listener, buffers);
  },
  PUNSUBSCRIBE(this: Shell, patterns?: Channels, listener?: Listener, buffers?: boolean) {
    return unsubscribe(this, "PATTERNS", "PUNSUBSCRIBE", patterns, listener, buffers);
  },
  SUNSUBSCRIBE(this: Shell, channels?: Channels, listener?: Listener, buffers?: boolean) {
    return unsubscribe(this, "SHARDED", "SUNSUBSCRIBE", channels, listener, buffers);
  },
  WATCH(this: Shell, key: RedisArgument | readonly RedisArgument[]) {
    return watch(this, key);
  },
  UNWATCH(this: Shell) {
    return this._self[coreOf].send(["UNWATCH"], this._commandOptions);
  },
  SELECT(this: Shell, database: number) {
    return select(this, database);
  },
  MONITOR(this: Shell, callback: MonitorCallback) {
    return monitor(this, callback);
  },
  async QUIT(this: Shell) {
    await this._self[coreOf].close();
    return "OK";
  },
};

const fieldNames: Readonly<Record<string, string>> = {
  SUBSCRIBE: "subscribe",
  PSUBSCRIBE: "pSubscribe",
  SSUBSCRIBE: "sSubscribe",
  UNSUBSCRIBE: "unsubscribe",
  PUNSUBSCRIBE: "pUnsubscribe",
  SUNSUBSCRIBE: "sUnsubscribe",
  WATCH: "watch",
  UNWATCH: "unwatch",
  SELECT: "select",
  MONITOR: "monitor",
  QUIT: "quit",
};

const prototypes: WeakMap<object, object> = new WeakMap();

/** Turns a client of the library, fresh from its own factory, into a shell around `core`. */
export function makeShell(client: LibraryClient, core: Core): void {
  const inner = (client as unknown as Shell)._self;
  const libraryPrototype = Object.getPrototypeOf(inner) as object;
  const prototype = prototypes.get(libraryPrototype) ?? newPrototype(libraryPrototype);
  // The instance's own fields hide the prototype's methods. (Deleting them would make the object a slow one.)
  for (const [name, field] of Object.entries(fieldNames)) Reflect.set(inner, field, twoNamed[name]);
  Object.setPrototypeOf(inner, prototype);
  Object.defineProperty(inner, coreOf, { value: core });
}

function newPrototype(libraryPrototype: object): object {
  const prototype = Object.create(libraryPrototype, methods()) as object;
  for (const [name, value] of Object.entries(twoNamed)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
  prototypes.set(libraryPrototype, prototype);
  return prototype;
}
