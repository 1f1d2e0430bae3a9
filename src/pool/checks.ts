import type { CoarseTimers } from "../time/index.ts";
import type { Connector } from "./connector.ts";
import { tookTooLong } from "./errors.ts";
import { type Limited, limited } from "./limited.ts";

/** Called once, with what went wrong or nothing. */
export type Settled = (failure: { readonly error: unknown } | undefined) => void;

/** Questions to connections that nobody has at the moment, each under a time limit. */
export class Checks<C> {
  readonly #connector: Connector<C>;
  readonly #timers: CoarseTimers;
  readonly #running: Set<Limited> = new Set();

  constructor(connector: Connector<C>, timers: CoarseTimers) {
    this.#connector = connector;
    this.#timers = timers;
  }

  validate(connection: C, limitMs: number, settled: Settled): void {
    this.#run("validate", limitMs, (signal) => this.#connector.validate?.(connection, signal), settled);
  }

  /** Begins to clean a session; `undefined` when there is nothing to clean. */
  cleaning(connection: C): Promise<void> | undefined {
    try {
      return this.#connector.reset?.(connection);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Waits for what `cleaning` began. */
  reset(work: Promise<void>, limitMs: number, settled: Settled): void {
    this.#run("reset", limitMs, () => work, settled);
  }

  /** Every one under way fails at once with `reason`. */
  stop(reason: unknown): void {
    for (const run of [...this.#running]) run.abort(reason);
  }

  #run(
    step: "validate" | "reset",
    limitMs: number,
    work: (signal: AbortSignal) => Promise<void> | undefined,
    settled: Settled,
  ): void {
    const finish: Settled = (failure) => {
      this.#running.delete(run);
      settled(failure);
    };
    const run = limited<void>({
      ...{ timers: this.#timers, limitMs, timeoutError: () => tookTooLong(step, limitMs), work },
      done: () => finish(undefined),
      failed: (error) => finish({ error }),
    });
    this.#running.add(run);
  }
}
