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
import type { Clock, CoarseTimers } from "../time/index.ts";
import { type CallVerdict, takenBack } from "./driver.ts";
import { type Entry, type Judge, PromisedCall } from "./entry.ts";
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
import type { GateOptions, GateOwner } from "./gate-owner.ts";
import type { GuardedDriver } from "./guarded.ts";
import { InFlight } from "./inflight.ts";
import { Outbox } from "./outbox.ts";

type Mode = "shut" | "open" | "flushing" | "closed";

export class Gate<C> implements Judge<C> {
  readonly #clock: Clock;
  readonly #coarse: CoarseTimers;
  readonly #driver: GuardedDriver<C>;
  /** Whether the driver can tell what is buffered: asked for every call. */
  readonly #tellsBuffered: boolean;
  readonly #retry: RetryPolicy;
  readonly #budget: RetryBudget | undefined;
  readonly #writeBufferBytes: number;
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

  constructor(
    driver: GuardedDriver<C>,
    options: GateOptions,
    owner: GateOwner,
    world: { readonly clock: Clock; readonly coarse: CoarseTimers },
  ) {
    this.#driver = driver;
    this.#tellsBuffered = driver.tellsBuffered;
    this.#retry = options.retry;
    this.#budget = options.budget;
    this.#writeBufferBytes = options.writeBufferBytes;
    this.#owner = owner;
    this.#clock = world.clock;
    this.#coarse = world.coarse;
    this.#outbox = new Outbox(options.outbox);
  }

  get waiting(): number {
    return this.#outbox.size;
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
    return this.pass(new PromisedCall<C>(call, send)) as Promise<T>;
  }

  /** Passes a call that transmits itself; as `call`. */
  pass(entry: Entry<C>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { deadlineMs, signal } = entry.call;
      if (this.#closedError !== undefined || this.#draining) return reject(refused(this.#closedError));
      if (signal?.aborted) return reject(signal.reason);
      const nowMs = this.#clock.nowMs();
      entry.order = this.#order++;
      entry.fulfil = resolve;
      entry.refuse = reject;
      if (deadlineMs !== undefined) entry.dueMs = nowMs + deadlineMs;
      if (signal !== undefined) this.#watchAbort(entry, signal);
      this.#budget?.deposit();
      if (this.#mode === "open") this.#sendNow(entry, nowMs);
      else this.#wait(entry);
    });
  }

  /** The link is ready: what waited goes first, in order. */
  open(connection: C, epoch: number): void {
    this.#connection = connection;
    this.#epoch = epoch;
    this.#mode = "flushing";
    while (this.#mode === "flushing") {
      const next = this.#outbox.shift();
      if (next === undefined) break;
      this.#sendNow(next);
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
    this.#takeBack();
  }

  #takeBack(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#driver.takeBack(connection);
  }

  /** After a connection is closed: settles what its library left open. */
  settleLeftovers(epoch: number): void {
    for (const entry of this.#inFlight.all()) {
      if (entry.epoch === epoch) this.failed(entry, epoch, this.#cause ?? new Error("connection closed"));
    }
  }

  /** What was taken back is told so through the library's own promises; the rest is settled behind them. */
  async #settleSoon(left: readonly Entry<C>[]): Promise<void> {
    for (let turn = 0; turn < 32; turn++) await undefined;
    for (const entry of left) {
      if (entry.settled) continue;
      this.#inFlight.remove(entry);
      entry.maybeApplied = true;
      const cause = this.#closedError?.cause;
      this.#reject(entry, callLost(entry, { cause, reason: cause }, false, this.#closedError));
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
    this.#mode = "closed";
    this.#takeBack();
    for (const entry of this.#outbox.clear()) this.#reject(entry, notSent(entry, error));
    void this.#settleSoon(this.#inFlight.all());
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  /** For a connection; or, with `heldMs`, for that long. */
  #wait(entry: Entry<C>, heldMs = 0): void {
    if (!this.#outbox.fits(entry.call.bytes) && !this.#makeRoom(entry)) {
      return this.#reject(entry, outboxFull(entry, this.#outbox, this.#cause));
    }
    // A call that is taken back again and again has been waiting all the while.
    if (entry.waitsSinceMs === undefined) entry.waitsSinceMs = this.#clock.nowMs();
    if (heldMs > 0) this.#outbox.hold(entry, this.#clock, heldMs, (held) => this.#again(held));
    else this.#outbox.add(entry);
    this.#sweepBy(Math.min(entry.dueMs, entry.waitsSinceMs + this.#outbox.limits.ageMs));
    this.#owner.demand();
  }

  #makeRoom({ call: { bytes }, order }: Entry<C>): boolean {
    const { limits } = this.#outbox;
    if (limits.whenFull !== "drop-oldest" || bytes > limits.bytes) return false;
    while (!this.#outbox.fits(bytes)) {
      const { oldest } = this.#outbox;
      if (oldest === undefined || oldest.order > order) return false; // itself the oldest: it is the one to go
      this.#outbox.remove(oldest);
      this.#reject(oldest, dropped(oldest, this.#cause));
    }
    return true;
  }

  #sendNow(entry: Entry<C>, nowMs: number = this.#clock.nowMs()): void {
    const connection = this.#connection as C;
    const buffered = this.#tellsBuffered ? this.#driver.bufferedBytes(connection) : 0;
    if (buffered + entry.call.bytes > this.#writeBufferBytes) {
      return this.#reject(entry, writeBufferFull(entry, buffered, this.#writeBufferBytes));
    }
    const epoch = this.#epoch;
    entry.sends++;
    entry.epoch = epoch;
    entry.sentMs = nowMs;
    this.#inFlight.add(entry);
    if (entry.dueMs < this.#sweepMs) this.#sweepBy(entry.dueMs);
    try {
      entry.transmit(connection, this);
    } catch (error) {
      this.failed(entry, epoch, error);
    }
  }

  done(entry: Entry<C>, value: unknown): void {
    if (entry.settled) return;
    entry.settled = true;
    this.#inFlight.remove(entry);
    entry.removeAbort?.();
    entry.fulfil?.(value);
    // A reply may be told from inside a library's parser, where nothing may be closed.
    if (this.#draining) queueMicrotask(() => this.#idleCheck());
  }

  /** A send failed: by the server's answer, by a loss, or taken back. */
  failed(entry: Entry<C>, epoch: number, error: unknown): void {
    if (entry.settled || entry.epoch !== epoch || !this.#inFlight.has(entry)) return;
    this.#inFlight.remove(entry);
    const lost = (this.#mode !== "open" && this.#mode !== "flushing") || this.#epoch !== epoch;
    const unsent = error === takenBack;
    const verdict = unsent ? neverSent : this.#driver.classifyCall(error, lost, entry.call);
    if (verdict === "answered") return this.#reject(entry, error);
    if (unsent) entry.sends--;
    else {
      entry.lastCause = error;
      entry.waitsSinceMs = undefined; // it was on the wire: a new wait begins
    }
    if (verdict.link !== undefined && !lost) this.#owner.learned(verdict.link, error);
    if (verdict.final !== true && this.#resends(entry, verdict.outcome, unsent)) {
      entry.maybeApplied ||= verdict.outcome === "maybe-applied";
      // Taken back from a connection that still looks well: never at once to the same one, it would take it back again.
      if (unsent && !lost) return this.#wait(entry);
      return this.#again(entry, verdict.retryAfterMs);
    }
    entry.maybeApplied ||= verdict.outcome === "maybe-applied";
    // The library's error at a teardown says little ("client disconnected"); the reason of the loss says why.
    const reason = lost || unsent ? (this.#cause ?? error) : error;
    this.#reject(
      entry,
      callLost(entry, { cause: unsent ? reason : error, reason }, unsent, this.#closedError),
    );
  }

  #resends(entry: Entry<C>, outcome: Outcome, unsent: boolean): boolean {
    if (this.#closedError !== undefined) return false;
    if (!mayResend(entry.call, outcome, entry.sends, this.#retry)) return false;
    return unsent || this.#budget?.withdraw() !== false;
  }

  /** The same call once more: now if the link is ready, else from its old place in the outbox. */
  #again(entry: Entry<C>, afterMs = 0): void {
    if (afterMs === 0 && this.#mode === "open") this.#sendNow(entry);
    else this.#wait(entry, afterMs);
  }

  #reject(entry: Entry<C>, error: unknown): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.removeAbort?.();
    entry.refuse?.(error);
    if (this.#draining) this.#idleCheck();
  }

  #idleCheck(): void {
    if (this.pending === 0) this.#owner.idle();
  }

  #watchAbort(entry: Entry<C>, signal: AbortSignal): void {
    const abort = (): void => {
      // Waiting: it is never sent. On the wire: the caller leaves, the reply is dropped when it comes.
      if (!this.#outbox.remove(entry)) this.#inFlight.remove(entry);
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
      const unbegun = entry.call.unsend?.() === true;
      this.#reject(entry, unbegun ? waitedTooLong(entry, nowMs, 0, undefined) : noReply(entry));
      if (unbegun) continue;
      // A blocking call is answered when there is something to answer: its silence proves nothing. Nor does that of a
      // call that had spent its time in the outbox (it killed young connections), or of a cast, which nobody answers.
      const { kind, deadlineMs = 0 } = entry.call;
      const onWireMs = nowMs - entry.sentMs;
      if (kind !== "blocking" && kind !== "cast" && onWireMs >= deadlineMs) {
        this.#owner.overdue(entry.sentMs);
      }
    }
    this.#sweepBy(Math.min(this.#outbox.nextExpiryMs(), this.#inFlight.nextExpiryMs()));
  }

  /** Why the link is down, for the messages of calls that wait. */
  noteCause(cause: unknown): void {
    if (cause !== undefined) this.#cause = cause;
  }
}

const neverSent: Exclude<CallVerdict, "answered"> = { outcome: "not-applied" };
