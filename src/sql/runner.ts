/**
 * Statements on any connection of a pool: borrowed, run, given back. What was provably not carried out goes to another
 * connection; what only reads is repeated; the rest is told as `maybe-applied`.
 */
import type { ElasticPool } from "../pool/index.ts";
import type { SqlJob } from "./job.ts";
import { Passage, type Passages, type RunnerOptions, type RunnerRules } from "./passage.ts";

export class PoolRunner<C, T, J extends SqlJob<T>> implements Passages<C, T, J> {
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
