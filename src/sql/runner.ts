/**
 * Statements on any connection of a pool: borrowed, run, given back. What was provably not carried out goes to another
 * connection; what only reads is repeated; the rest is told as `maybe-applied`.
 */
import type { CallDescription, RetryPolicy } from "../call/index.ts";
import type { CallVerdict } from "../link/index.ts";
import type { ElasticPool } from "../pool/index.ts";
import type { Clock, CoarseTimers } from "../time/index.ts";
import type { Ending, SqlJob } from "./job.ts";
import { Passage } from "./passage.ts";

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

export class PoolRunner<C, T, J extends SqlJob<T>> {
  readonly pool: ElasticPool<C>;
  readonly rules: RunnerRules<C, T, J>;
  readonly options: RunnerOptions;

  constructor(pool: ElasticPool<C>, rules: RunnerRules<C, T, J>, options: RunnerOptions) {
    this.pool = pool;
    this.rules = rules;
    this.options = options;
  }

  /**
   * Runs one job. Its caller is told once: the reply, the server's own answer, `signal.reason`, or a `HoldfastError`
   * with an `outcome`. A statement on a connection at hand costs one object and no promise.
   */
  run(job: J): void {
    new Passage(this, job).begin();
  }
}
