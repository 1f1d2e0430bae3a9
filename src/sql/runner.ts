/**
 * One statement on any connection of a pool: borrowed, run, given back. What was provably not carried out goes to
 * another connection; what only reads is repeated; the rest is told as `maybe-applied`.
 */
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
import type { ElasticPool, Lease } from "../pool/index.ts";
import type { Clock, CoarseTimers } from "../time/index.ts";

/** What the runner must know of a driver's connections. */
export interface RunnerRules<C> {
  /** Why the connection is gone; `undefined` while it is not. */
  lostCause(connection: C): unknown;
  classifyCall(error: unknown, lost: boolean, call: CallDescription): CallVerdict;
}

export interface RunnerOptions {
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly timers: CoarseTimers;
}

/** What is remembered from one send to the next. */
interface Story {
  readonly dueMs: number;
  sends: number;
  maybeApplied: boolean;
  lastCause: unknown;
  /** The caller went, or its deadline passed: what was thrown then is final. */
  left: boolean;
}

/** Sends once on a connection; calls one of the two, once. */
export type Transmit<C, T> = (
  connection: C,
  fulfil: (value: T) => void,
  refuse: (error: unknown) => void,
) => void;

function isBounded({ deadlineMs, signal }: CallDescription): boolean {
  return deadlineMs !== undefined || signal !== undefined;
}

export class PoolRunner<C> {
  readonly #pool: ElasticPool<C>;
  readonly #rules: RunnerRules<C>;
  readonly #options: RunnerOptions;

  constructor(pool: ElasticPool<C>, rules: RunnerRules<C>, options: RunnerOptions) {
    this.#pool = pool;
    this.#rules = rules;
    this.#options = options;
  }

  /**
   * @param send is called once per connection; a rejection with `takenBack` says that nothing was sent
   * @throws (as rejection) the server's own answer, `signal.reason`, or a `HoldfastError` with an `outcome`
   */
  run<T>(call: CallDescription, send: (connection: C) => Promise<T>): Promise<T> {
    const lease = isBounded(call) ? undefined : this.#pool.acquireNow();
    return this.#run(call, send, lease);
  }

  /**
   * The same for a driver that is told by callbacks: a statement on a connection at hand then costs no promise. `fulfil`
   * and `refuse` are called once, one of them.
   */
  pass<T>(
    call: CallDescription,
    transmit: Transmit<C, T>,
    fulfil: (value: T) => void,
    refuse: (error: unknown) => void,
  ): void {
    const lease = isBounded(call) ? undefined : this.#pool.acquireNow();
    const send = (connection: C): Promise<T> =>
      new Promise((resolve, reject) => transmit(connection, resolve, reject));
    if (lease === undefined) return void this.#run(call, send, undefined).then(fulfil, refuse);
    transmit(
      lease.connection,
      (value) => {
        lease.release();
        fulfil(value);
      },
      (error) => void this.#run(call, send, lease, { error }).then(fulfil, refuse),
    );
  }

  /** @param failed what the first send on `atHand` has ended in already */
  async #run<T>(
    call: CallDescription,
    send: (connection: C) => Promise<T>,
    atHand: Lease<C> | undefined,
    failed?: { readonly error: unknown },
  ): Promise<T> {
    const bounded = isBounded(call);
    // Most calls need none of it.
    let story = bounded ? this.#story(call) : undefined;
    let failure = failed;
    for (let lease = atHand; ; lease = undefined) {
      if (lease === undefined) {
        story ??= this.#story(call);
        lease = await this.#acquire(call, story);
      }
      const { connection } = lease;
      if (failure === undefined) {
        try {
          const value = await (bounded && story !== undefined
            ? this.#bounded(call, story, lease, send)
            : send(connection));
          lease.release();
          return value;
        } catch (error) {
          failure = { error };
        }
      }
      story ??= this.#story(call);
      story.sends++;
      const waitMs = this.#judge(call, story, lease, connection, failure.error);
      failure = undefined;
      if (waitMs > 0) await this.#pause(Math.min(waitMs, story.dueMs - this.#options.clock.nowMs()));
    }
  }

  #story({ deadlineMs }: CallDescription): Story {
    const dueMs =
      deadlineMs === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.nowMs() + deadlineMs;
    return { dueMs, sends: 0, maybeApplied: false, lastCause: undefined, left: false };
  }

  async #acquire(call: CallDescription, story: Story): Promise<Lease<C>> {
    const leftMs = story.dueMs - this.#options.clock.nowMs();
    try {
      return await this.#pool.acquire({
        ...(leftMs < Number.POSITIVE_INFINITY && { deadlineMs: Math.max(0, leftMs) }),
        ...(call.signal !== undefined && { signal: call.signal }),
      });
    } catch (error) {
      if (!isHoldfastError(error) || !story.maybeApplied) throw error;
      // An earlier send may have done it: the pool's "not applied" is about this one.
      throw new HoldfastError(error.code, error.message, {
        cause: error.cause ?? story.lastCause,
        outcome: outcomeOf(call, story),
        ...(error.step !== undefined && { step: error.step }),
        ...(error.details !== undefined && { details: error.details }),
      });
    }
  }

  /** Returns how long to wait before the same call is sent again. @throws what the caller is to get */
  #judge(call: CallDescription, story: Story, lease: Lease<C>, connection: C, error: unknown): number {
    if (story.left) throw error;
    const lostCause = this.#rules.lostCause(connection);
    const unsent = error === takenBack;
    const verdict: CallVerdict = unsent
      ? { outcome: "not-applied" }
      : this.#rules.classifyCall(error, lostCause !== undefined, call);
    const cause = unsent ? lostCause : error;
    if (!lease.released) {
      if (lostCause !== undefined) lease.release(lostCause);
      else if (unsent) lease.discard();
      else if (verdict === "answered") lease.release();
      else if (verdict.link !== undefined) lease.release(error);
      else lease.doubt();
    }
    if (verdict === "answered") throw error;
    if (unsent) story.sends--;
    story.lastCause = cause ?? story.lastCause;
    const again = mayResend(call, verdict.outcome, story.sends, this.#options.retry);
    story.maybeApplied ||= verdict.outcome === "maybe-applied";
    if (again && this.#options.clock.nowMs() < story.dueMs) return verdict.retryAfterMs ?? 0;
    if (isHoldfastError(error)) throw error;
    // The server said no, and has nothing else to say: its own words are the answer.
    if (lostCause === undefined && !unsent && verdict.outcome === "not-applied") throw error;
    const outcome = outcomeOf(call, story);
    const what =
      outcome === "maybe-applied"
        ? "may have been applied; the connection ended before its reply"
        : "was not applied; the connection ended";
    throw new HoldfastError("HF_LOST", `${call.name ?? "the call"} ${what}: ${reasonOf(cause)}`, {
      cause,
      outcome,
      step: unsent ? "write" : "reply",
    });
  }

  /** With a way out: the deadline passes, or the caller leaves, while the statement is on the wire. */
  #bounded<T>(
    call: CallDescription,
    story: Story,
    lease: Lease<C>,
    send: (connection: C) => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const { signal, deadlineMs } = call;
      // Whoever leaves leaves a connection that is busy with an answer nobody wants: it can't go back to the pool.
      const leave = (error: unknown, giveBack: () => void): void => {
        done();
        story.left = true;
        giveBack();
        reject(error);
      };
      const abort = (): void => leave(signal?.reason, () => lease.discard());
      const cancel = this.#options.timers.after(story.dueMs - this.#options.clock.nowMs(), () => {
        story.maybeApplied = true;
        const message = `${call.name ?? "the call"} got no reply within ${deadlineMs} ms`;
        const outcome = outcomeOf(call, story);
        const error = new HoldfastError("HF_DEADLINE", message, { outcome, step: "reply" });
        leave(error, () => lease.release(error));
      });
      const done = (): void => {
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      signal?.addEventListener("abort", abort, { once: true });
      send(lease.connection).then(
        (value) => {
          done();
          resolve(value);
        },
        (error: unknown) => {
          done();
          reject(error);
        },
      );
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.setTimer(Math.max(0, delayMs), resolve));
  }
}

/** A read changes nothing, so it is never "maybe applied". */
function outcomeOf(call: CallDescription, story: Story): Outcome {
  return story.maybeApplied && call.effect !== "read" ? "maybe-applied" : "not-applied";
}
