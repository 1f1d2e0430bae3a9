/** What stands behind one client for its whole life: its link, its subscriptions, and how its calls pass. */
import { ClientClosedError, ClientOfflineError } from "redis";
import { endpointId } from "../../endpoint/index.ts";
import { processGovernor } from "../../governor/index.ts";
import { type Driver, Link } from "../../link/index.ts";
import type { Resilience } from "../../observe/index.ts";
import { abortable, callOf, deadlineOf, notArguments, together } from "./calls.ts";
import { RedisCommand } from "./command.ts";
import { describeCommand } from "./commands/index.ts";
import type { RedisConnection } from "./connection.ts";
import { Handle } from "./handle.ts";
import type { CommandOptions, MonitorCallback, QueuedCommand, RedisArgument } from "./library.ts";
import { forgetSession, noteSession } from "./session-items.ts";
import type { RedisSettings } from "./settings.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Transaction } from "./transaction.ts";

export interface CoreOwner {
  /** Emits on the client; an `error` that nobody hears is dropped. */
  emit(event: string, ...args: readonly unknown[]): void;
  /** The link is over. */
  ended(): void;
  /** Another client with the same options and these. */
  duplicate(overrides: object): unknown;
  /** A pool of clients with the same options. */
  createPool(overrides: object, options: object | undefined): unknown;
}

export class Core {
  readonly settings: RedisSettings;
  readonly subscriptions: Subscriptions;
  monitor: MonitorCallback | undefined;
  readonly transaction: Transaction = new Transaction(() => this.link.session);
  unrefed = false;
  readonly #offlineQueue: boolean;
  readonly #driver: Driver<RedisConnection>;
  readonly #owner: CoreOwner;
  readonly #handle: Handle = new Handle();
  #link: Link<RedisConnection> | undefined;
  #open = false;
  #readyCount = 0;
  #lastOptions: CommandOptions | undefined;
  #lastForLibrary: CommandOptions | undefined;
  /** The last options ask nothing of the library but a type mapping. */
  #plainOptions = true;

  constructor(
    settings: RedisSettings,
    offlineQueue: boolean,
    driver: (core: Core) => Driver<RedisConnection>,
    owner: CoreOwner,
  ) {
    this.settings = settings;
    this.#offlineQueue = offlineQueue;
    this.#owner = owner;
    this.subscriptions = new Subscriptions((error) => this.tellError(error));
    this.#driver = driver(this);
    this.#newLink();
  }

  get resilience(): Resilience {
    return this.#handle;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get isReady(): boolean {
    return this.#link?.connection !== undefined;
  }

  /** How many connections have become ready, as the library counts its sockets. */
  get readyCount(): number {
    return this.#readyCount;
  }

  get link(): Link<RedisConnection> {
    return this.#link as Link<RedisConnection>;
  }

  emit(event: string, ...args: readonly unknown[]): void {
    this.#owner.emit(event, ...args);
  }

  duplicate(overrides: object): unknown {
    return this.#owner.duplicate(overrides);
  }

  createPool(overrides: object, options: object | undefined): unknown {
    return this.#owner.createPool(overrides, options);
  }

  tellError(error: unknown): void {
    this.#owner.emit("error", error);
  }

  async connect(): Promise<void> {
    if (this.#open) throw new Error("Socket already opened");
    if (this.link.phase === "closed" || this.link.phase === "closing") this.#newLink();
    this.#open = true;
    const { link } = this;
    try {
      await link.connect();
    } catch (error) {
      if (link === this.#link) this.#open = false;
      throw error;
    }
  }

  /** A link is used once: a client that connects again after its end gets another, with the same session. */
  #newLink(): void {
    const { resolved, endpoints } = this.settings;
    const before = this.#link?.session.items ?? [];
    const link = new Link<RedisConnection>({
      ...resolved,
      name: resolved.name ?? `redis ${endpoints[0] === undefined ? "" : endpointId(endpoints[0])}`,
      driver: this.#driver,
      endpoints,
      permits: resolved.permits ?? processGovernor,
    });
    for (const { key, value, order } of before) link.session.set(key, value, order);
    this.#link = link;
    this.#handle.follow(link);
    this.#tellAsTheLibrary(link);
  }

  /** The events of the library's client, in its order: error, reconnecting …, connect, ready; end. */
  #tellAsTheLibrary(link: Link<RedisConnection>): void {
    let lost = false;
    const ready = (): void => {
      this.#readyCount++;
      this.#owner.emit("ready");
    };
    link.on("attempt", ({ attempt }) => {
      if (lost || attempt > 1) this.#owner.emit("reconnecting");
    });
    link.on("connected", ready);
    link.on("reconnected", ready);
    link.on("reconnected", ({ downMs }) => this.#tellGaps(link, downMs));
    link.on("disconnected", ({ cause }) => {
      lost = true;
      if (cause !== undefined) this.tellError(cause);
    });
    link.on("attemptFailed", ({ cause, nextDelayMs }) => {
      if (nextDelayMs === undefined) this.#owner.emit("terminated", cause);
      this.tellError(cause);
    });
    link.on("asyncError", ({ error }) => this.tellError(error));
    link.on("closed", () => {
      // A client that was connected again at once is already on its next link.
      if (link === this.#link) {
        this.#open = false;
        this.#owner.ended();
      }
      this.#owner.emit("end");
    });
  }

  #tellGaps(link: Link<RedisConnection>, downMs: number): void {
    const sink = link.connection?.dial.sink;
    for (const kind of ["CHANNELS", "PATTERNS", "SHARDED"] as const) {
      for (const subscription of this.subscriptions.names(kind)) sink?.gap({ subscription, downMs });
    }
  }

  /** One command, as the library's sendCommand. */
  send(args: readonly RedisArgument[], options: CommandOptions | undefined): Promise<unknown> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const forLibrary = this.#forLibrary(options);
    let command: RedisCommand;
    try {
      command = new RedisCommand(args, deadlineOf(options), forLibrary);
    } catch {
      return Promise.reject(notArguments());
    }
    const { kind, bytes } = command;
    if (kind === "session" || kind === "pinned" || this.transaction.isRaw || Number.isNaN(bytes)) {
      return this.#special(args, options);
    }
    if (!this.#plainOptions) return this.#withLibraryOptions(command, options as CommandOptions);
    return this.link.pass(command);
  }

  /** An abort signal, a place in front: the library sees to them, in its own queue. */
  #withLibraryOptions(command: RedisCommand, options: CommandOptions): Promise<unknown> {
    const { bytes, effect, kind, name, deadlineMs, words } = command;
    const { abortSignal: signal } = options;
    const forLibrary = this.#forLibrary(options);
    const call = { bytes, effect, kind, name, deadlineMs, signal };
    const sent = this.link.call(call, (connection) => connection.send(words, bytes, forLibrary));
    return signal === undefined ? sent : abortable(sent, signal);
  }

  #refusal(): Error | undefined {
    if (!this.#open) {
      if (!this.settings.resolved.policy.lazy || this.link.phase !== "idle") return new ClientClosedError();
      void this.connect();
    }
    if (!this.#offlineQueue && !this.isReady) return new ClientOfflineError();
    return undefined;
  }

  /**
   * The library's own timeout stays out of it: it makes an AbortSignal and a timer for every command. The slot that a
   * cluster adds is of use only where queues are moved by the server's word, which is off.
   */
  #forLibrary(options: CommandOptions | undefined): CommandOptions | undefined {
    if (options === this.#lastOptions) return this.#lastForLibrary;
    this.#lastOptions = options;
    const { timeout: _timeout, slotNumber: _slot, ...rest } = options ?? {};
    const names = Object.keys(rest);
    this.#lastForLibrary = names.length === 0 ? undefined : rest;
    this.#plainOptions = names.every((name) => name === "typeMapping");
    return this.#lastForLibrary;
  }

  /** Commands that change or depend on what the server holds for the connection. */
  async #special(args: readonly RedisArgument[], options: CommandOptions | undefined): Promise<unknown> {
    const described = describeCommand(args);
    const { name, bytes } = described;
    if (Number.isNaN(bytes)) throw notArguments();
    const { transaction } = this;
    const bound = transaction.bind(name);
    // The first WATCH may move to another connection, since nothing is watched yet.
    const moves = name === "WATCH" && bound === undefined && !transaction.isWatching;
    const kind = bound !== undefined ? "pinned" : moves ? "session" : described.kind;
    const effect = moves ? "idempotent" : described.effect;
    const forLibrary = this.#forLibrary(options);
    let used: RedisConnection | undefined;
    try {
      const reply = await this.link.call(callOf({ ...described, kind, effect }, options), (connection) => {
        bound?.(connection);
        used = connection;
        return connection.send(args, bytes, forLibrary);
      });
      this.#note(name, args, used as RedisConnection);
      return reply;
    } catch (error) {
      transaction.failed(name);
      throw error;
    }
  }

  #note(name: string, args: readonly RedisArgument[], connection: RedisConnection): void {
    this.transaction.done(name, connection);
    if (name === "RESET") this.forget();
    else noteSession(this.link.session, args);
  }

  forget(): void {
    forgetSession(this.link.session);
    this.subscriptions.clear();
    this.monitor = undefined;
    this.transaction.forget();
  }

  /** MULTI … EXEC as one call: it is applied as a whole or not at all. */
  async multi(
    commands: readonly QueuedCommand[],
    options: CommandOptions | undefined,
    run: (connection: RedisConnection) => Promise<unknown[]>,
  ): Promise<unknown[]> {
    const bound = this.transaction.take();
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    const call = together(commands, options);
    const reply = await this.link.call(
      bound === undefined ? call : { ...call, kind: "pinned" },
      (connection) => {
        bound?.(connection);
        connection.stage(call.bytes);
        return run(connection);
      },
    );
    for (const { args } of commands) noteSession(this.link.session, args);
    return reply;
  }

  /** A call of the client's own making (SUBSCRIBE, MONITOR, RESET). */
  sessionCall<T>(
    name: string,
    bytes: number,
    options: CommandOptions | undefined,
    run: (connection: RedisConnection) => Promise<T>,
  ): Promise<T> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const call = {
      name,
      bytes,
      effect: "idempotent",
      kind: "session",
      deadlineMs: deadlineOf(options),
    } as const;
    return this.link.call(call, (connection) => {
      connection.stage(bytes);
      return run(connection);
    });
  }

  /** Takes no more calls, finishes those it has, then closes. */
  async close(): Promise<void> {
    if (!this.#open) throw new ClientClosedError();
    this.#open = false;
    await this.link.drain();
  }

  destroy(): Promise<void> {
    this.#open = false;
    if (this.link.phase !== "idle") return this.link.close();
    this.#owner.ended();
    return Promise.resolve();
  }

  /** Whether the process may end while connected; holds for later connections too. */
  setRef(ref: boolean): void {
    this.unrefed = !ref;
    const client = this.link.connection?.client;
    if (ref) client?.ref();
    else client?.unref();
  }

  /** The server moved a shard channel to another node; a cluster client would follow. */
  shardMoved(channel: string): void {
    const listeners = this.subscriptions.listeners("SHARDED").get(channel);
    this.subscriptions.remove("SHARDED", channel);
    this.emit("sharded-channel-moved", channel, listeners);
  }
}
