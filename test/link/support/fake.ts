/** A client library that does what a test tells it, under a link in virtual time. */
import { type Backoff, list } from "../../../src/backoff/index.ts";
import type { CallDescription } from "../../../src/call/index.ts";
import type { Dial, Driver, LinkConfig, LinkPolicy, Sink } from "../../../src/link/index.ts";
import { Link, takenBack } from "../../../src/link/index.ts";
import { virtualWorld } from "../../../src/time/index.ts";

export interface Sent {
  readonly id: string;
  readonly written: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface FakeConnection {
  readonly host: string;
  readonly epoch: number;
  readonly sink: Sink;
  readonly sent: Sent[];
  closed: "graceful" | "abrupt" | undefined;
}

/** What an endpoint does with a dial: `hang` never answers; an error refuses. */
export type Answer = "accept" | "hang" | Error;

const tenths: Backoff = list([0, 100]);

export const policy: LinkPolicy = {
  backoff: tenths,
  authBackoff: list([1_000]),
  delayPer: "round",
  reconnect: true,
  retryInitial: false,
  lazy: false,
  maxAttempts: Number.POSITIVE_INFINITY,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  maxAuthFailures: Number.POSITIVE_INFINITY,
  connectTimeoutMs: 5_000,
  restoreTimeoutMs: 10_000,
  stableAfterMs: 5_000,
  minDialGapMs: 50,
  closeTimeoutMs: 1_000,
};

export interface FakeOptions {
  readonly policy?: Partial<LinkPolicy>;
  readonly config?: Partial<LinkConfig<FakeConnection>>;
  readonly driver?: Partial<Driver<FakeConnection>>;
  readonly hosts?: readonly string[];
  readonly seed?: number;
}

export class Fake {
  readonly world: ReturnType<typeof virtualWorld>;
  readonly link: Link<FakeConnection>;
  readonly made: FakeConnection[] = [];
  readonly dials: { readonly host: string; readonly atMs: number }[] = [];
  /** Everything the link tells, one word or two each: `ready`, `attempt a`, `attemptFailed a`, … */
  readonly told: string[] = [];
  answer: (dial: Dial) => Answer = () => "accept";
  restore: Driver<FakeConnection>["restore"] = async () => ({ restored: [] });

  constructor(options: FakeOptions = {}) {
    this.world = virtualWorld(options.seed ?? 1);
    const config: LinkConfig<FakeConnection> = {
      name: "test",
      driver: { ...this.#driver(), ...options.driver },
      endpoints: (options.hosts ?? ["a"]).map((host) => ({ host, port: 1 })),
      endpointOptions: { order: "given" },
      policy: { ...policy, ...options.policy },
      outbox: { bytes: 1_000, entries: 10, ageMs: 30_000, whenFull: "reject" },
      retry: { maxRetries: 3 },
      writeBufferBytes: 1_000,
      liveness: { idleProbeMs: Number.POSITIVE_INFINITY, probeTimeoutMs: 1_000 },
      drainTimeoutMs: 5_000,
      world: this.world,
      ...options.config,
    };
    this.link = new Link(config);
    this.link.on("state", ({ to }) => void this.told.push(to));
    this.link.on("attempt", ({ endpoint }) => void this.told.push(`attempt ${endpoint[0]}`));
    this.link.on("attemptFailed", ({ endpoint }) => void this.told.push(`attemptFailed ${endpoint[0]}`));
    this.link.on("closed", ({ why }) => void this.told.push(`closed ${why}`));
    for (const name of ["connected", "disconnected", "reconnected", "halfOpen"] as const)
      this.link.on(name, ({ endpoint }) => void this.told.push(`${name} ${endpoint[0]}`));
  }

  get last(): FakeConnection {
    return this.made.at(-1) as FakeConnection;
  }

  /** Told since the last look. */
  news(): string[] {
    return this.told.splice(0);
  }

  advance(ms: number): Promise<void> {
    return this.world.clock.advanceAsync(ms);
  }

  lose(message = "ECONNRESET"): void {
    this.last.sink.lost(new Error(message));
  }

  /** Passes a call whose fate is decided through `last.sent`. */
  call(id: string, description: Partial<CallDescription> = {}, written = true): Promise<unknown> {
    const promise = this.link.call(
      { bytes: 10, effect: "once", kind: "unary", name: id, ...description },
      (connection) =>
        new Promise((resolve, reject) => {
          connection.sent.push({ id, written, resolve, reject });
        }),
    );
    promise.catch(() => {}); // a test that cares awaits it
    return promise;
  }

  #driver(): Driver<FakeConnection> {
    return {
      name: "fake",
      open: async (dial) => {
        this.dials.push({ host: dial.endpoint.host, atMs: this.world.clock.nowMs() });
        const answer = this.answer(dial);
        if (answer instanceof Error) throw answer;
        if (answer === "hang")
          await new Promise((_, reject) => {
            dial.signal.addEventListener("abort", () => reject(dial.signal.reason));
          });
        const connection: FakeConnection = {
          host: dial.endpoint.host,
          epoch: dial.epoch,
          sink: dial.sink,
          sent: [],
          closed: undefined,
        };
        this.made.push(connection);
        return connection;
      },
      restore: (connection, session, signal) => this.restore(connection, session, signal),
      close: async (connection, how) => {
        connection.closed = how;
        for (const { reject } of connection.sent) reject(new Error("socket closed"));
      },
      takeBack: (connection) => {
        for (const { written, reject } of connection.sent) if (!written) reject(takenBack);
      },
      classifyLink: (error) => (error as { linkClass?: "auth" | "fatal" }).linkClass ?? "transient",
      classifyCall: (_error, { lost }) => (lost ? { outcome: "maybe-applied" } : "answered"),
    };
  }
}

export function refused(linkClass?: "auth" | "fatal" | "endpoint"): Error {
  return Object.assign(new Error(linkClass ?? "refused"), linkClass && { linkClass });
}
