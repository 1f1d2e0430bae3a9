/**
 * Where calls pass: straight through when the link is ready, into the outbox when it is not. The gate decides what
 * became of each call and settles every promise it handed out. Calls never pass through the state machine.
 */
import {
  type CallDescription,
  type HoldfastError,
  mayResend,
  type Outcome,
  type RetryBudget,
  type RetryPolicy,
} from "../call/index.ts";
import type { Clock, CoarseTimers, Timer } from "../time/index.ts";
import { type CallVerdict, type Driver, type LinkClass, takenBack } from "./driver.ts";
import { Entry } from "./entry.ts";
import {
  callLost,
  dropped,
  noReply,
  notSent,
  outboxFull,
  refused,
  waitedTooLong,
  writeBufferFull,
} from "./gate-errors.ts";
import { InFlight } from "./inflight.ts";
import { Outbox, type OutboxLimits } from "./outbox.ts";

export interface GateOptions {
  readonly outbox: OutboxLimits;
  readonly retry: RetryPolicy;
  readonly budget?: RetryBudget;
  /** Bytes submitted to a connection that the kernel has not taken; a call beyond it is refused. */
  readonly writeBufferBytes: number;
}

/** What the gate asks of its link. */
export interface GateOwner {
  /** A call waits: a lazy link dials now. */
  demand(): void;
  /** Nothing waits and nothing is in flight any more. */
  idle(): void;
  /** A call's reply taught something about the connection. */
  learned(linkClass: LinkClass, cause: unknown): void;
  /** A deadline passed with the call on the wire. */
  overdue(sentMs: number): void;
}

type Mode = "shut" | "open" | "flushing" | "closed";

export class Gate<C> {
  readonly #clock: Clock;
  readonly #coarse: CoarseTimers;
  readonly #driver: Driver<C>;
  readonly #options: GateOptions;
  readonly #owner: GateOwner;
  readonly #outbox: Outbox<C>;
  readonly #inFlight: InFlight<C> = new InFlight();
  #mode: Mode = "shut";
  #draining = false;
  #connection: C | undefined;
  #epoch = 0;
  #order = 0;
  #cause: unknown;
  #closedError: HoldfastError | undefined;
  #cancelSweep: (() => void) | undefined;
  #sweepMs = Number.POSITIVE_INFINITY;
  readonly #later: Set<() => void> = new Set();

  constructor(
    driver: Driver<C>,
    options: GateOptions,
    owner: GateOwner,
    world: { readonly clock: Clock; readonly coarse: CoarseTimers },
  ) {
    this.#driver = driver;
    this.#options = options;
    this.#owner = owner;
    this.#clock = world.clock;
    this.#coarse = world.coarse;
    this.#outbox = new Outbox(options.outbox);
  }

  get waiting(): number {
    return this.#outbox.size + this.#later.size;
  }

  get waitingBytes(): number {
    return this.#outbox.bytes;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get pending(): number {
    return this.waiting + this.#inFlight.size;
  }

  /** The connection calls pass to right now; `undefined` when the gate is shut. */
  get connection(): C | undefined {
    return this.#mode === "open" || this.#mode === "flushing" ? this.#connection : undefined;
  }

  /**
   * Passes one call. `send` is called at most once per connection, synchronously when the link is ready.
   * @throws (as rejection) `HoldfastError` with an `outcome`, the server's own answer, or `signal.reason`
   */
  call<T>(call: CallDescription, send: (connection: C) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closedError !== undefined || this.#draining) return reject(refused(this.#closedError));
      if (call.signal?.aborted) return reject(call.signal.reason);
      const dueMs =
        call.deadlineMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.nowMs() + call.deadlineMs;
      const entry = new Entry<C>(
        this.#order++,
        call,
        send,
        resolve as (value: unknown) => void,
        reject,
        dueMs,
      );
      if (call.signal !== undefined) this.#watchAbort(entry, call.signal);
      this.#options.budget?.deposit();
      if (this.#mode === "open") this.#sendNow(entry);
      else this.#wait(entry);
    });
  }

  /** The link is ready: what waited goes first, in order. */
  open(connection: C, epoch: number): void {
    this.#connection = connection;
    this.#epoch = epoch;
    this.#mode = "flushing";
    while (this.#mode === "flushing" && this.#outbox.oldest !== undefined) {
      this.#sendNow(this.#outbox.shift() as Entry<C>);
    }
    if (this.#mode === "flushing") this.#mode = "open";
    this.#idleCheck();
  }

  /**
   * The connection is gone (or given up): evidence first, before anything is torn down. What the driver takes back
   * waits again; what stays is settled when the library rejects it, or by `settleLeftovers`.
   */
  shut(cause: unknown): void {
    if (this.#mode === "closed") return;
    this.#mode = "shut";
    this.#cause = cause;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#driver.takeBack?.(connection);
  }

  /** After a connection is closed: settles what its library left open. */
  settleLeftovers(epoch: number): void {
    for (const entry of this.#inFlight.all()) {
      if (entry.epoch === epoch) this.#failed(entry, epoch, this.#cause ?? new Error("connection closed"));
    }
  }

  /** What was taken back is told so through the library's own promises; the rest is settled behind them. */
  async #settleSoon(left: readonly Entry<C>[]): Promise<void> {
    for (let turn = 0; turn < 32; turn++) await undefined;
    for (const entry of left) {
      if (entry.settled) continue;
      this.#inFlight.remove(entry);
      entry.maybeApplied = true;
      this.#reject(entry, callLost(entry, this.#closedError?.cause, false, this.#closedError));
    }
  }

  /** Takes no new calls from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** The link is over: every wait ends now. Calls in flight may have been applied. */
  close(error: HoldfastError): void {
    if (this.#closedError !== undefined) return;
    this.#closedError = error;
    const connection = this.#connection;
    if (connection !== undefined) this.#driver.takeBack?.(connection);
    this.#mode = "closed";
    for (let e = this.#outbox.shift(); e !== undefined; e = this.#outbox.shift())
      this.#reject(e, notSent(e, error));
    for (const resume of [...this.#later]) resume();
    void this.#settleSoon(this.#inFlight.all());
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #wait(entry: Entry<C>): void {
    const bytes = entry.call.bytes;
    if (!this.#outbox.fits(bytes) && !this.#makeRoom(bytes)) {
      return this.#reject(entry, outboxFull(entry, this.#outbox, this.#cause));
    }
    entry.waitsSinceMs = this.#clock.nowMs();
    this.#outbox.add(entry);
    this.#sweepBy(Math.min(entry.dueMs, entry.waitsSinceMs + this.#outbox.limits.ageMs));
    this.#owner.demand();
  }

  #makeRoom(bytes: number): boolean {
    const { limits } = this.#outbox;
    if (limits.whenFull !== "drop-oldest" || bytes > limits.bytes || limits.entries === 0) return false;
    while (!this.#outbox.fits(bytes)) {
      const oldest = this.#outbox.shift() as Entry<C>;
      this.#reject(oldest, dropped(oldest, this.#cause));
    }
    return true;
  }

  #sendNow(entry: Entry<C>): void {
    const connection = this.#connection as C;
    const buffered = this.#driver.bufferedBytes?.(connection) ?? 0;
    if (buffered > 0 && buffered + entry.call.bytes > this.#options.writeBufferBytes) {
      return this.#reject(entry, writeBufferFull(entry, buffered, this.#options.writeBufferBytes));
    }
    const epoch = this.#epoch;
    entry.sends++;
    entry.epoch = epoch;
    entry.sentMs = this.#clock.nowMs();
    this.#inFlight.add(entry);
    if (entry.dueMs < this.#sweepMs) this.#sweepBy(entry.dueMs);
    let sent: Promise<unknown>;
    try {
      sent = entry.send(connection);
    } catch (error) {
      return this.#failed(entry, epoch, error);
    }
    sent.then(
      (value) => this.#done(entry, value),
      (error: unknown) => this.#failed(entry, epoch, error),
    );
  }

  #done(entry: Entry<C>, value: unknown): void {
    if (entry.settled) return;
    entry.settled = true;
    this.#inFlight.remove(entry);
    entry.removeAbort?.();
    entry.resolve(value);
    if (this.#draining) this.#idleCheck();
  }

  /** A send failed: by the server's answer, by a loss, or taken back. */
  #failed(entry: Entry<C>, epoch: number, error: unknown): void {
    if (entry.settled || entry.epoch !== epoch || !this.#inFlight.has(entry)) return;
    this.#inFlight.remove(entry);
    const lost = (this.#mode !== "open" && this.#mode !== "flushing") || this.#epoch !== epoch;
    const unsent = error === takenBack;
    const verdict = unsent ? neverSent : this.#driver.classifyCall(error, { unsent, lost }, entry.call);
    if (verdict === "answered") return this.#reject(entry, error);
    if (unsent) entry.sends--;
    else entry.lastCause = error;
    if (verdict.link !== undefined && !lost) this.#owner.learned(verdict.link, error);
    if (this.#resends(entry, verdict.outcome, unsent)) {
      entry.maybeApplied ||= verdict.outcome === "maybe-applied";
      return this.#again(entry, verdict.retryAfterMs);
    }
    entry.maybeApplied ||= verdict.outcome === "maybe-applied";
    const cause = unsent ? this.#cause : error;
    this.#reject(entry, callLost(entry, cause, unsent, this.#closedError));
  }

  #resends(entry: Entry<C>, outcome: Outcome, unsent: boolean): boolean {
    if (this.#closedError !== undefined) return false;
    if (!mayResend(entry.call, outcome, entry.sends, this.#options.retry)) return false;
    return unsent || this.#options.budget?.withdraw() !== false;
  }

  /** The same call once more: now if the link is ready, else from its old place in the outbox. */
  #again(entry: Entry<C>, afterMs = 0): void {
    if (afterMs <= 0) return this.#mode === "open" ? this.#sendNow(entry) : this.#wait(entry);
    const timer: Timer = this.#clock.setTimer(afterMs, () => resume());
    const resume = (): void => {
      timer.cancel();
      this.#later.delete(resume);
      if (entry.settled) return this.#idleCheck();
      if (this.#closedError !== undefined) return this.#reject(entry, notSent(entry, this.#closedError));
      this.#again(entry);
    };
    this.#later.add(resume);
  }

  #reject(entry: Entry<C>, error: unknown): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.removeAbort?.();
    entry.reject(error);
    if (this.#draining) this.#idleCheck();
  }

  #idleCheck(): void {
    if (this.pending === 0) this.#owner.idle();
  }

  #watchAbort(entry: Entry<C>, signal: AbortSignal): void {
    const abort = (): void => {
      // Waiting: it is never sent. On the wire: the caller leaves, the reply is dropped when it comes.
      if (this.#outbox.has(entry)) this.#outbox.remove(entry);
      else this.#inFlight.remove(entry);
      this.#reject(entry, signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    entry.removeAbort = () => signal.removeEventListener("abort", abort);
  }

  /** Makes sure that a sweep happens by then. One coarse timer for all calls of the gate. */
  #sweepBy(atMs: number): void {
    if (atMs >= this.#sweepMs || this.#mode === "closed") return;
    this.#cancelSweep?.();
    this.#sweepMs = atMs;
    this.#cancelSweep = this.#coarse.after(atMs - this.#clock.nowMs(), () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    this.#sweepMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    for (const entry of this.#outbox.expired(nowMs))
      this.#reject(entry, waitedTooLong(entry, nowMs, this.#outbox.limits.ageMs, this.#cause));
    for (const entry of this.#inFlight.expired(nowMs)) {
      this.#reject(entry, noReply(entry));
      this.#owner.overdue(entry.sentMs);
    }
    this.#sweepBy(Math.min(this.#outbox.nextExpiryMs(), this.#inFlight.nextExpiryMs()));
  }

  /** Why the link is down, for the messages of calls that wait. */
  noteCause(cause: unknown): void {
    this.#cause = cause;
  }
}

const neverSent: Exclude<CallVerdict, "answered"> = { outcome: "not-applied" };
