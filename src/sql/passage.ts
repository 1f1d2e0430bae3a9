import {
  type CallDescription,
  HoldfastError,
  isHoldfastError,
  mayResend,
  type Outcome,
  type RetryPolicy,
  reasonOf,
} from "../call/index.ts";
import { type CallVerdict, takenBack } from "../link/index.ts";
import type { AcquireOptions, ElasticPool, Lease } from "../pool/index.ts";
import type { Clock, CoarseTimers } from "../time/index.ts";
import { type Ending, fail, type SqlJob, succeed } from "./job.ts";

/** What the runner must know of a driver's connections and jobs. */
export interface RunnerRules<C, T, J extends SqlJob<T>> {
  /** Sends once, and never throws. */
  transmit(connection: C, job: J, ending: Ending<T>): void;
  /** Why the connection is gone; `undefined` while it is not. */
  lostCause(connection: C): unknown;
  classifyCall(error: unknown, lost: boolean, call: CallDescription): CallVerdict;
}

export interface RunnerOptions {
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly timers: CoarseTimers;
}

/** What all passages of one pool have in common. */
export interface Passages<C, T, J extends SqlJob<T>> {
  readonly pool: ElasticPool<C>;
  readonly rules: RunnerRules<C, T, J>;
  readonly options: RunnerOptions;
}

const neverSent: Exclude<CallVerdict, "answered"> = { outcome: "not-applied" };

function isBounded({ deadlineMs, signal }: CallDescription): boolean {
  return deadlineMs !== undefined || signal !== undefined;
}

/** The way of one job through a pool, over as many connections as it takes. */
export class Passage<C, T, J extends SqlJob<T>> implements Ending<T> {
  readonly #runner: Passages<C, T, J>;
  readonly #job: J;
  /** While it is on a connection. */
  #lease: Lease<C> | undefined = undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #sends = 0;
  #maybeApplied = false;
  #lastCause: unknown = undefined;
  /** Takes back the ways out of a send: its deadline, its signal. */
  #disarm: (() => void) | undefined = undefined;

  constructor(runner: Passages<C, T, J>, job: J) {
    this.#runner = runner;
    this.#job = job;
  }

  begin(): void {
    const { deadlineMs } = this.#job;
    if (deadlineMs !== undefined) this.#dueMs = this.#nowMs() + deadlineMs;
    this.#borrow();
  }

  #nowMs(): number {
    return this.#runner.options.clock.nowMs();
  }

  #borrow(): void {
    const lease = this.#job.signal?.aborted ? undefined : this.#runner.pool.acquireNow();
    if (lease !== undefined) return this.#send(lease);
    this.#runner.pool.acquire(this.#acquireOptions()).then(
      (acquired) => this.#send(acquired),
      (error: unknown) => this.#refused(error),
    );
  }

  #acquireOptions(): AcquireOptions | undefined {
    const { signal } = this.#job;
    if (signal === undefined && this.#dueMs === Number.POSITIVE_INFINITY) return undefined;
    const leftMs = this.#dueMs - this.#nowMs();
    return {
      ...(leftMs < Number.POSITIVE_INFINITY && { deadlineMs: Math.max(0, leftMs) }),
      ...(signal !== undefined && { signal }),
    };
  }

  /** No connection for it. */
  #refused(error: unknown): void {
    if (!isHoldfastError(error) || !this.#maybeApplied) return fail(this.#job, error);
    // An earlier send may have done it: the pool's "not applied" is about this one.
    const told = new HoldfastError(error.code, error.message, {
      cause: error.cause ?? this.#lastCause,
      outcome: this.#outcome,
      ...(error.step !== undefined && { step: error.step }),
      ...(error.details !== undefined && { details: error.details }),
    });
    fail(this.#job, told);
  }

  #send(lease: Lease<C>): void {
    this.#lease = lease;
    if (isBounded(this.#job)) this.#arm(lease);
    this.#runner.rules.transmit(lease.connection, this.#job, this);
  }

  resolve(reply: T): void {
    const lease = this.#over();
    if (lease === undefined) return; // its caller has left
    lease.release();
    succeed(this.#job, reply);
  }

  /** It is judged when whoever tells of it is done: a loss is told amid a library's own clearing up. */
  reject(error: unknown): void {
    const lease = this.#over();
    if (lease !== undefined) queueMicrotask(() => this.#judge(lease, error));
  }

  /** The send is over; nothing, when it was over before. */
  #over(): Lease<C> | undefined {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#disarm?.();
    this.#disarm = undefined;
    return lease;
  }

  /** Sends the same job again, or tells its caller. */
  #judge(lease: Lease<C>, error: unknown): void {
    const { rules, options } = this.#runner;
    const job = this.#job;
    const lostCause = rules.lostCause(lease.connection);
    const unsent = error === takenBack;
    const verdict = unsent ? neverSent : rules.classifyCall(error, lostCause !== undefined, job);
    if (lostCause !== undefined) lease.release(lostCause);
    else if (unsent) lease.discard();
    else if (verdict === "answered") lease.release();
    else if (verdict.link !== undefined) lease.release(error);
    else lease.doubt();
    if (verdict === "answered") return fail(job, error);
    if (!unsent) this.#sends++;
    const cause = unsent ? lostCause : error;
    this.#lastCause = cause ?? this.#lastCause;
    const again = mayResend(job, verdict.outcome, this.#sends, options.retry);
    this.#maybeApplied ||= verdict.outcome === "maybe-applied";
    if (again && this.#nowMs() < this.#dueMs) return this.#again(verdict.retryAfterMs ?? 0);
    // The server said no, and has nothing else to say: its own words are the answer.
    const answered = lostCause === undefined && !unsent && verdict.outcome === "not-applied";
    fail(job, answered || isHoldfastError(error) ? error : this.#lost(cause, unsent));
  }

  #lost(cause: unknown, unsent: boolean): HoldfastError {
    const outcome = this.#outcome;
    const what =
      outcome === "maybe-applied"
        ? "may have been applied; the connection ended before its reply"
        : "was not applied; the connection ended";
    return new HoldfastError("HF_LOST", `${this.#name} ${what}: ${reasonOf(cause)}`, {
      cause,
      outcome,
      step: unsent ? "write" : "reply",
    });
  }

  #again(waitMs: number): void {
    if (waitMs <= 0) return this.#borrow();
    const delayMs = Math.max(0, Math.min(waitMs, this.#dueMs - this.#nowMs()));
    this.#runner.options.clock.setTimer(delayMs, () => this.#borrow());
  }

  /** With a way out: the deadline passes, or the caller leaves, while the statement is on the wire. */
  #arm(lease: Lease<C>): void {
    const { signal, deadlineMs } = this.#job;
    // Whoever leaves leaves a connection that is busy with an answer nobody wants: it can't go back to the pool.
    const abort = (): void => {
      if (this.#over() === undefined) return;
      lease.discard();
      fail(this.#job, signal?.reason);
    };
    const cancel = this.#runner.options.timers.after(this.#dueMs - this.#nowMs(), () => {
      if (this.#over() === undefined) return;
      this.#maybeApplied = true;
      const message = `${this.#name} got no reply within ${deadlineMs} ms`;
      const error = new HoldfastError("HF_DEADLINE", message, { outcome: this.#outcome, step: "reply" });
      lease.release(error);
      fail(this.#job, error);
    });
    this.#disarm = () => {
      cancel();
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort, { once: true });
  }

  get #name(): string {
    return this.#job.name ?? "the call";
  }

  /** A read changes nothing, so it is never "maybe applied". */
  get #outcome(): Outcome {
    return this.#maybeApplied && this.#job.effect !== "read" ? "maybe-applied" : "not-applied";
  }
}
