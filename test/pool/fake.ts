/** A server with a connector, in virtual time: every rule of a pool can be tried without a sleep. */
import type { LinkClass } from "../../src/link/index.ts";
import { type Connector, ElasticPool, type OpenContext, type PoolOptions } from "../../src/pool/index.ts";
import { type VirtualClock, virtualWorld, type World } from "../../src/time/index.ts";

export class FakeError extends Error {
  readonly linkClass: LinkClass;

  constructor(message: string, linkClass: LinkClass = "transient") {
    super(message);
    this.linkClass = linkClass;
  }
}

export interface Conn {
  readonly id: number;
  readonly context: OpenContext;
  /** The server forgot it; nobody was told. */
  dead: boolean;
  /** Validation gets no answer at all. */
  silent: boolean;
  closed: "graceful" | "abrupt" | undefined;
  validations: number;
  holdsProcess: boolean;
}

export class FakeServer {
  readonly world: World & { readonly clock: VirtualClock };
  readonly opened: Conn[] = [];
  /** When each dial began. */
  readonly dialsAtMs: number[] = [];
  dialMs = 10;
  rttMs = 1;
  closeMs = 0;
  /** Dials fail with this. */
  refuse: FakeError | undefined = undefined;
  /** Dials stay without an answer. */
  swallow = false;
  dialing = 0;
  mostAtOnce = 0;

  constructor(seed = 1) {
    this.world = virtualWorld(seed);
  }

  get clock(): VirtualClock {
    return this.world.clock;
  }

  get live(): Conn[] {
    return this.opened.filter((conn) => conn.closed === undefined);
  }

  /** A restart: every connection dies without a word. */
  restart(): void {
    for (const conn of this.live) conn.dead = true;
  }

  /** The server's end of one connection closes. */
  cut(conn: Conn, error: FakeError = new FakeError("reset by peer")): void {
    conn.dead = true;
    conn.context.lost(error);
  }

  pool(
    options: Omit<PoolOptions<Conn>, "connector" | "world"> = {},
    more: Partial<Connector<Conn>> = {},
  ): ElasticPool<Conn> {
    return new ElasticPool({ ...options, connector: this.connector(more), world: this.world });
  }

  connector(more: Partial<Connector<Conn>> = {}): Connector<Conn> {
    return {
      open: (context) => this.#open(context),
      close: async (conn, how) => {
        if (conn.closed !== undefined) throw new Error(`connection ${conn.id} closed twice`);
        conn.closed = how;
        if (this.closeMs > 0) await this.after(this.closeMs);
      },
      validate: async (conn, signal) => {
        conn.validations++;
        await this.after(conn.silent ? Number.POSITIVE_INFINITY : this.rttMs, signal);
        if (conn.dead) throw new FakeError("validation found it dead");
      },
      classify: (error) => (error instanceof FakeError ? error.linkClass : "transient"),
      ...more,
    };
  }

  /** Settles after a while; rejects as soon as the signal aborts. */
  after(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(delayMs, resolve);
      signal?.addEventListener("abort", () => {
        timer.cancel();
        reject(signal.reason);
      });
    });
  }

  async #open(context: OpenContext): Promise<Conn> {
    this.dialsAtMs.push(this.clock.nowMs());
    this.dialing++;
    this.#count();
    try {
      await this.after(this.swallow ? Number.POSITIVE_INFINITY : this.dialMs, context.signal);
      if (this.refuse !== undefined) throw this.refuse;
    } finally {
      this.dialing--;
    }
    const conn: Conn = {
      ...{ id: this.opened.length + 1, context, dead: false, silent: false },
      ...{ closed: undefined, validations: 0, holdsProcess: true },
    };
    this.opened.push(conn);
    this.#count();
    return conn;
  }

  #count(): void {
    this.mostAtOnce = Math.max(this.mostAtOnce, this.live.length + this.dialing);
  }
}

/** What became of a promise, readable at any moment. */
export function watch<T>(promise: Promise<T>): { value: T | undefined; error: unknown; settled: boolean } {
  const state: { value: T | undefined; error: unknown; settled: boolean } = {
    ...{ value: undefined, error: undefined, settled: false },
  };
  promise.then(
    (value) => Object.assign(state, { value, settled: true }),
    (error) => Object.assign(state, { error, settled: true }),
  );
  return state;
}

/** Moves virtual time until the promise settles; at most `limitMs`. */
export async function within<T>(server: FakeServer, limitMs: number, promise: Promise<T>): Promise<T> {
  const state = watch(promise);
  const untilMs = server.clock.nowMs() + limitMs;
  await server.clock.advanceAsync(0);
  while (!state.settled && server.clock.nowMs() < untilMs) {
    const dueMs = Math.min(server.clock.nextDueMs ?? untilMs, untilMs);
    await server.clock.advanceAsync(dueMs - server.clock.nowMs());
  }
  if (!state.settled) throw new Error(`not settled within ${limitMs} ms of virtual time`);
  return promise;
}
