import { type Backoff, boundedExponential } from "../backoff/index.ts";
import { type DialPermits, Emitter, freePermits, type LinkClass } from "../link/index.ts";
import { CoarseTimers, systemWorld, type World } from "../time/index.ts";
import * as check from "./check.ts";
import { Closer } from "./closer.ts";
import type { Connector } from "./connector.ts";
import type { Watch } from "./dial-one.ts";
import { dialPermitted } from "./dial-permitted.ts";
import { poolClosed } from "./errors.ts";
import type { Limited } from "./limited.ts";
import { Reconnection } from "./reconnection.ts";
import { Shutdown } from "./shutdown.ts";

export interface FixedPoolOptions<C> {
  readonly connector: Pick<Connector<C>, "open" | "close" | "classify">;
  /** Connections to keep. Default 1. */
  readonly size?: number;
  /** The waits of one episode. Default 50 ms + up to 200 ms ×2ⁿ, cap 10 s. */
  readonly backoff?: Backoff;
  /** A dial that takes longer is given up. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** A connection that dies younger does not begin a fresh schedule. Default 1 s. */
  readonly stableAfterMs?: number;
  /** How busy a connection is; `next` takes the least busy. Without it they take turns. */
  readonly load?: (connection: C) => number;
  readonly name?: string;
  /** Who may dial when, asked before each dial in the pool's name. Default: no limit. */
  readonly permits?: DialPermits;
  readonly world?: World;
}

export interface FixedPoolEvents<C> {
  opened: { readonly connection: C; readonly open: number };
  /** A connection left: lost (with its cause), or leaving because the server or a resize asked for it. */
  left: { readonly connection: C; readonly open: number; readonly cause?: unknown };
  started: { readonly missing: number };
  waiting: { readonly delayMs: number; readonly nextAttempt: number };
  attempt: { readonly attempt: number; readonly missing: number };
  dialFailed: { readonly error: unknown; readonly linkClass: LinkClass };
  /** The episode is over: the pool is full, closed or refused, or the backoff came to its end. */
  stopped: { readonly open: number; readonly exhausted?: string };
  /** An error of class `fatal`: nothing is tried any more until `reconnectNow()`. */
  refused: { readonly error: unknown };
  closed: Record<string, never>;
}

const optionKeys = [
  "connector",
  "size",
  "backoff",
  "connectTimeoutMs",
  "stableAfterMs",
  "load",
  "name",
  "permits",
  "world",
];

/**
 * Exactly `size` connections to one node, shared by all callers. Whatever is missing is opened in parallel; what
 * succeeds is used at once, what fails is tried again, only the missing number, in one episode with one schedule,
 * until the pool is full. (The DataStax Java driver's `ChannelPool`.)
 */
export class FixedPool<C> {
  readonly #options: FixedPoolOptions<C>;
  readonly #world: World;
  readonly #connectTimeoutMs: number;
  readonly #timers: CoarseTimers;
  readonly #closer: Closer<C>;
  readonly #reconnection: Reconnection;
  readonly #shutdown: Shutdown;
  readonly #emitter: Emitter<FixedPoolEvents<C>> = new Emitter<FixedPoolEvents<C>>();
  readonly #dials: Set<Limited> = new Set();
  readonly #stableAfterMs: number;
  readonly #openedAtMs: Map<C, number> = new Map();
  #connections: readonly C[] = [];
  #size: number;
  #turn = 0;
  #refused = false;
  #closing = false;
  #starting: Promise<void> | undefined;

  /** Dials nothing before `start`. @throws `HF_OPTION` */
  constructor(options: FixedPoolOptions<C>) {
    check.keys(options, optionKeys);
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#size = sizeOf(options.size ?? 1);
    this.#connectTimeoutMs = check.ms("connectTimeoutMs", options.connectTimeoutMs ?? 5_000, 1);
    this.#stableAfterMs = check.ms("stableAfterMs", options.stableAfterMs ?? 1_000, 0);
    this.#timers = new CoarseTimers(this.#world.clock);
    this.#closer = new Closer(options.connector, this.#timers, () => this.#shutdown.check());
    this.#reconnection = new Reconnection({
      world: this.#world,
      backoff: check.backoff("backoff", options.backoff, () => boundedExponential()),
      attempt: (number) => this.#attempt(number),
      started: () => this.#emit("started", { missing: this.missing }),
      waiting: (delayMs, nextAttempt) => this.#emit("waiting", { delayMs, nextAttempt }),
      stopped: (exhausted) => {
        const open = this.#connections.length;
        this.#emit("stopped", exhausted === undefined ? { open } : { open, exhausted });
      },
    });
    this.#shutdown = new Shutdown(this.#world.clock, {
      remaining: () => this.#closer.pending,
      force: () => this.#closer.force(),
      finished: () => this.#emit("closed", {}),
    });
  }

  /** Those in use now, the oldest first. */
  get connections(): readonly C[] {
    return this.#connections;
  }

  get size(): number {
    return this.#size;
  }

  /** How many are still to be opened. */
  get missing(): number {
    return Math.max(0, this.#size - this.#connections.length);
  }

  get reconnecting(): boolean {
    return this.#reconnection.running;
  }

  on<K extends keyof FixedPoolEvents<C>>(
    name: K,
    listener: (event: FixedPoolEvents<C>[K]) => void,
  ): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * Opens the connections, all at once. Resolves when each first dial has settled, also when none succeeded: what is
   * missing is tried again in the background. Calling it again returns the same promise.
   */
  start(): Promise<void> {
    this.#starting ??= this.#attempt(0).then((full) => {
      if (!full && !this.#closing) this.#reconnection.start();
    });
    return this.#starting;
  }

  /** The least busy connection, or the next in turn; `undefined` while there is none. */
  next(): C | undefined {
    const { load } = this.#options;
    const connections = this.#connections;
    if (load === undefined) return connections[this.#turn++ % connections.length];
    let best = connections[0];
    for (const connection of connections) {
      if (best !== connection && load(connection) < load(best as C)) best = connection;
    }
    return best;
  }

  /** More are opened at once; the oldest are closed, when an attempt is under way after it. @throws `HF_OPTION` */
  resize(size: number): void {
    this.#size = sizeOf(size);
    if (this.#starting === undefined || this.#closing || this.#attempting) return;
    this.#shrink();
    if (this.missing > 0 && !this.#reconnection.running) this.#reconnection.reconnectNow(true);
    if (this.missing === 0) this.#reconnection.stop();
  }

  /** Does not wait for the next attempt. Without effect when the pool is full, or an attempt is under way. */
  reconnectNow(): void {
    if (this.#starting === undefined || this.#closing) return;
    const wasRefused = this.#refused;
    this.#refused = false;
    this.#reconnection.reconnectNow(wasRefused && this.missing > 0);
  }

  /** Closes every connection, politely until the deadline (default 5 s). Idempotent. */
  close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    const deadlineMs = check.ms("deadlineMs", options.deadlineMs ?? 5_000, 0);
    if (!this.#closing) {
      this.#closing = true;
      this.#reconnection.stop();
      for (const dial of [...this.#dials]) dial.abort(poolClosed(this.#options.name ?? "pool"));
      for (const connection of this.#connections) this.#closer.close(connection, "graceful");
      this.#connections = [];
    }
    return this.#shutdown.begin(deadlineMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #attempting(): boolean {
    return this.#dials.size > 0;
  }

  /** Opens the missing number in parallel; true when nothing is left to do. */
  async #attempt(number: number): Promise<boolean> {
    const { missing } = this;
    if (number > 0) this.#emit("attempt", { attempt: number, missing });
    await Promise.all(Array.from({ length: missing }, () => this.#dial(number + 1)));
    if (this.#closing || this.#refused) return true;
    this.#shrink(); // decided only now: the size may have changed meanwhile
    return this.missing === 0;
  }

  #dial(attempt: number): Promise<void> {
    return new Promise((settled) => {
      const { connector, permits = freePermits, name = "pool" } = this.#options;
      const over = (): void => {
        this.#dials.delete(dial);
        settled();
      };
      const dial = dialPermitted<C>({
        ...{ connector, timers: this.#timers, world: this.#world, attempt, permits, endpointId: name },
        connectTimeoutMs: this.#connectTimeoutMs,
        drop: (connection) => this.#closer.close(connection, "abrupt"),
        opened: (connection, watch) => {
          this.#opened(connection, watch);
          over();
        },
        failed: (error) => {
          if (!this.#closing) this.#dialFailed(error);
          over();
        },
      });
      this.#dials.add(dial);
    });
  }

  #opened(connection: C, watch: Watch): void {
    this.#connections = [...this.#connections, connection];
    this.#openedAtMs.set(connection, this.#world.clock.nowMs());
    this.#emit("opened", { connection, open: this.#connections.length });
    watch.onLost = (cause) => this.#leave(connection, "abrupt", cause);
    watch.onLeaving = () => this.#leave(connection, "graceful");
    if (watch.left) this.#leave(connection, "graceful");
  }

  #dialFailed(error: unknown): void {
    const linkClass = this.#options.connector.classify(error);
    this.#emit("dialFailed", { error, linkClass });
    // Refused credentials may be mended: they are tried again, as the Java driver does.
    if (linkClass !== "fatal" || this.#refused) return;
    this.#refused = true;
    this.#emit("refused", { error });
  }

  #leave(connection: C, how: "graceful" | "abrupt", cause?: unknown): void {
    if (!this.#connections.includes(connection)) return;
    this.#connections = this.#connections.filter((other) => other !== connection);
    const ageMs = this.#world.clock.nowMs() - (this.#openedAtMs.get(connection) ?? 0);
    this.#openedAtMs.delete(connection);
    this.#closer.close(connection, how);
    const open = this.#connections.length;
    this.#emit("left", cause === undefined ? { connection, open } : { connection, open, cause });
    // A second loss during an episode, or during the first attempt, does not restart the schedule.
    if (!this.#attempting && !this.#refused && this.missing > 0) {
      this.#reconnection.start(ageMs < this.#stableAfterMs);
    }
  }

  #shrink(): void {
    const surplus = this.#connections.slice(0, Math.max(0, this.#connections.length - this.#size));
    for (const connection of surplus) this.#leave(connection, "graceful");
  }

  /** After the pool's own work, so that a listener finds it in a consistent state and may call it. */
  #emit<K extends keyof FixedPoolEvents<C>>(name: K, event: FixedPoolEvents<C>[K]): void {
    queueMicrotask(() => this.#emitter.emit(name, event));
  }
}

function sizeOf(size: number): number {
  return check.count("size", size, 1, 10_000);
}
