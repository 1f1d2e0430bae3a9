/** One physical connection: a client of the library's own that is dialled once and never again. */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { HoldfastError } from "../../call/index.ts";
import type { Endpoint } from "../../endpoint/index.ts";
import { type Sink, takenBack } from "../../link/index.ts";
import { type Ending, isCured, Underway } from "../../sql/index.ts";
import { endsSession, isServerError, refusesWrites } from "./errors.ts";
import type { Carrier, Job } from "./job.ts";
import { library, type Submittable } from "./library.ts";
import { ServerWord } from "./server-word.ts";
import { Wire } from "./wire.ts";

/** Who must hear that the connection is gone. */
export interface PhysicalOwner {
  lost(cause: unknown): void;
}

/** What else arrives on a connection, for the caller who has it. */
export interface Ears {
  notification(message: unknown): void;
  notice(message: unknown): void;
  drain(): void;
}

/** A statement of a set-up, as it was sent. */
export interface Declared {
  readonly text: unknown;
  readonly values?: unknown;
}

export class Physical implements Carrier {
  readonly endpoint: Endpoint;
  /** What the server said of the session. */
  readonly word: ServerWord = new ServerWord();
  /** Why it is gone; `undefined` while it is not. */
  lostCause: unknown;
  /** The server refuses to write: what its pool must know when the connection comes back. */
  refused: unknown;
  /** A statement left something in the session that the next borrower must not find. */
  dirty = false;
  /** Restored items and their statements, so that a second round sends only what is new. */
  readonly restored: Map<string, string> = new Map();
  /** What the application's own hooks sent to a new connection: part of the set-up from then on. */
  readonly declared: Declared[] = [];
  /** How often it was lent. */
  uses = 0;
  /** Tells its pool that this was its last use. */
  leave: (() => void) | undefined;
  readonly wire: Wire;
  /** Who has it now hears what happens on it. */
  sink: Sink | undefined;
  ears: Ears | undefined;
  readonly #owner: PhysicalOwner;
  readonly #outstanding: Underway<Submittable, Ending<unknown>> = new Underway();
  /** The server said no; what it makes of the transaction is told a moment later. */
  #refusal: { readonly query: Submittable; readonly error: unknown } | undefined;
  /** The query that the library has begun, of which the kernel took nothing. */
  #unwritten: Submittable | undefined;
  #failOpen: ((error: unknown) => void) | undefined;
  #listening = false;

  constructor(config: object, endpoint: Endpoint, owner: PhysicalOwner) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.wire = new Wire(config);
    this.wire.owner = {
      broken: (error) => this.broken(error),
      ready: (status) => this.#ready(status),
      refused: (query, error) => this.#refused(query, error),
    };
  }

  get inTransaction(): boolean | undefined {
    return this.word.inTransaction;
  }

  /** Nobody has it, and nothing is under way. */
  get idle(): boolean {
    return this.sink === undefined && this.#outstanding.size === 0;
  }

  /** @throws what the dial or the handshake failed with; the socket is gone then */
  async connect(signal: AbortSignal): Promise<void> {
    const { wire } = this;
    const aborted = (): void => this.#failOpen?.(signal.reason);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#failOpen = reject;
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener("abort", aborted, { once: true });
        wire.on("error", (error: unknown) => this.broken(error));
        wire.on("notification", (message: unknown) => this.ears?.notification(message));
        wire.on("notice", (message: unknown) => this.ears?.notice(message));
        wire.on("drain", () => this.ears?.drain());
        wire.connection.on("parameterStatus", ({ parameterName, parameterValue }: ParameterStatus) => {
          this.word.parameter(parameterName, parameterValue, this.#outstanding.size > 0);
        });
        wire.connect((error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      this.lostCause ??= error ?? new Error("the connection failed");
      wire.connection.stream.destroy();
      throw error;
    } finally {
      this.#failOpen = undefined;
      signal.removeEventListener("abort", aborted);
    }
  }

  /** From now on every chunk is a sign of life for whoever has the connection. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.wire.connection.stream.on("data", () => this.sink?.alive());
  }

  /** The library tells before it rejects what was under way: the evidence is still there. */
  broken(error: unknown): void {
    if (this.#failOpen !== undefined) return this.#failOpen(error);
    if (this.lostCause !== undefined) return;
    this.lostCause = error;
    this.takeBack();
    this.sink?.lost(error);
    this.#owner.lost(error);
    queueMicrotask(() => this.#settle(error));
  }

  /** Sends one job. Rejects with `takenBack` when nothing of it left this process. */
  send(job: Job): Promise<unknown> {
    return new Promise((resolve, reject) => this.transmit(job, { resolve, reject }));
  }

  /** The same, told by callbacks. */
  transmit(job: Job, ending: Ending<unknown>): void {
    const { query, facts } = job;
    if (this.lostCause !== undefined || !this.wire.connection.stream.writable) {
      return ending.reject(takenBack);
    }
    if (facts.dirty) this.dirty = true;
    this.#outstanding.set(query, ending);
    try {
      this.#push(job.start(this));
    } catch (error) {
      // The library has begun it and will never end it: whoever came next would wait for ever.
      this.rejected(query, error);
      queueMicrotask(() => this.#giveUp(error));
    }
  }

  #giveUp(error: unknown): void {
    this.broken(error);
    this.wire.connection.stream.destroy();
  }

  answered({ query, facts }: Job, result: unknown): void {
    const ending = this.#outstanding.take(query);
    if (ending === undefined) return;
    if (facts.cures.length > 0) this.#forgetPrepared(facts.cures);
    ending.resolve(result);
  }

  /** The answer of the server waits for its word on the transaction, which comes right behind it. */
  rejected(query: Submittable, error: unknown): void {
    if (this.#refusal?.query === query && this.lostCause === undefined) {
      this.#refusal = { query, error };
      return;
    }
    const ending = this.#outstanding.take(query);
    if (ending === undefined) return;
    ending.reject(error);
  }

  #refused(query: Submittable, error: unknown): void {
    if (refusesWrites(error, this)) this.refused = error;
    if (endsSession(error)) return this.#ends(query, error);
    if (isServerError(error) && this.#outstanding.has(query)) this.#refusal = { query, error };
  }

  /** The last words of the server: nothing that waits behind this query will ever be read. */
  #ends(query: Submittable, error: unknown): void {
    this.broken(error);
    this.rejected(query, error);
  }

  #ready(status: string | undefined): void {
    this.word.ready(status);
    const refusal = this.#refusal;
    if (refusal === undefined) return;
    this.#refusal = undefined;
    this.rejected(refusal.query, refusal.error);
  }

  #push(query: Submittable): void {
    const { wire } = this;
    wire._queryQueue.push(query);
    wire._pulseQueryQueue();
    const { stream } = wire.connection;
    // A write that fails at once has left no byte in the kernel. Under TLS a handshake's bytes may have gone before.
    if (wire._activeQuery === query && (stream.destroyed || (stream.errored ?? null) !== null)) {
      if (stream instanceof Socket && !(stream instanceof TLSSocket)) this.#unwritten = query;
    }
  }

  /** A statement of our own making: set-up, restore, reset, probe. */
  async ask(declared: Declared | string): Promise<{ readonly rows: readonly Record<string, unknown>[] }> {
    if (this.lostCause !== undefined) throw this.lostCause;
    return new Promise((resolve, reject) => {
      const { text, values } =
        typeof declared === "string" ? { text: declared, values: undefined } : declared;
      const done = (error: unknown, result?: unknown): void => {
        this.#outstanding.take(query);
        if (error) reject(error === takenBack ? (this.lostCause ?? error) : error);
        else resolve(result as { readonly rows: readonly Record<string, unknown>[] });
      };
      const query = new library.Query(text, values, done);
      this.#outstanding.set(query, {
        resolve: (result) => done(null, result),
        reject: (error) => done(error),
      });
      this.#push(query);
    });
  }

  #forgetPrepared(cures: readonly string[]): void {
    const { parsedStatements } = this.wire.connection;
    for (const name of Object.keys(parsedStatements)) {
      if (isCured(cures, `prepare:${name}`)) delete parsedStatements[name];
    }
  }

  /** The server forgot them all: the library must prepare again. */
  forgetAllPrepared(): void {
    this.wire.connection.parsedStatements = {};
  }

  /** Queries that the library has not begun were never seen by anybody. */
  takeBack(): void {
    const { _queryQueue: queue } = this.wire;
    for (const query of queue.splice(0)) this.rejected(query, takenBack);
    if (this.#unwritten !== undefined) this.rejected(this.#unwritten, takenBack);
  }

  /** Takes one query out of the library's queue; false when it has begun, or is not here. */
  withdraw(query: Submittable): boolean {
    const { _queryQueue: queue } = this.wire;
    const at = queue.indexOf(query);
    if (at < 0 || this.#outstanding.take(query) === undefined) return false;
    queue.splice(at, 1);
    return true;
  }

  #settle(error: unknown): void {
    this.#refusal = undefined;
    for (const query of this.#outstanding.keys()) this.rejected(query, error);
    // A read may be on another connection by now, with the same query: this client has nothing more to say of it.
    this.wire._activeQuery = null;
    this.wire._sentQueryQueue.splice(0);
  }

  destroy(): void {
    this.lostCause ??= new HoldfastError("HF_CLOSED", "the connection was closed");
    this.takeBack();
    const error = this.lostCause;
    this.wire.connection.stream.destroy();
    queueMicrotask(() => this.#settle(error));
  }

  /** Says goodbye and lets the server close. */
  async end(): Promise<void> {
    this.lostCause ??= new HoldfastError("HF_CLOSED", "the connection was closed");
    const { wire } = this;
    if (wire.connection.stream.destroyed) return;
    const gone = this.gone();
    wire._ending = true;
    wire.connection.end();
    await gone;
  }

  /** Resolves when the socket is gone. */
  gone(): Promise<void> {
    const { stream } = this.wire.connection;
    return stream.closed
      ? Promise.resolve()
      : new Promise((resolve) => stream.once("close", () => resolve()));
  }
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}
