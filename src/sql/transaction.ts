/** `transaction(fn)`: begins, runs the function, commits; again only when it is certain that nothing was committed. */
import { HoldfastError, isHoldfastError, reasonOf } from "../call/index.ts";

export interface TransactionOptions {
  /**
   * How often the function is run again after a connection was lost before COMMIT was sent, or the server rolled the
   * transaction back (deadlock, lock timeout, serialization) or only reads. Default 0: it may have effects of its own.
   */
  readonly retry?: number;
}

/** What a transaction needs of its driver. */
export interface TransactionSteps<T> {
  begin(): Promise<unknown>;
  work(): Promise<T>;
  commit(): Promise<unknown>;
  /** Also called when the connection is gone: what was lost with it is then settled. */
  rollback(): Promise<unknown>;
  /** The server's own word that nothing was committed, and that it is worth another try. */
  isConflict(error: unknown): boolean;
}

/**
 * @throws what the function threw, after a rollback; `HF_LOST` or `HF_UNRECOVERABLE` with outcome `not-applied` when the
 * connection went before COMMIT was sent, `maybe-applied` when COMMIT was on its way (never run again then)
 */
export async function runTransaction<T>(
  steps: TransactionSteps<T>,
  { retry = 0 }: TransactionOptions = {},
): Promise<T> {
  for (let left = retry; ; left--) {
    let committing = false;
    try {
      await steps.begin();
      const value = await steps.work();
      committing = true;
      await steps.commit();
      return value;
    } catch (error) {
      const uncommitted = !committing || wasNotApplied(error) || steps.isConflict(error);
      const connectionGone = isLoss(error);
      if (uncommitted) await steps.rollback().catch(() => {});
      if (uncommitted && left > 0 && (connectionGone || steps.isConflict(error))) continue;
      throw uncommitted && connectionGone ? notCommitted(error) : error;
    }
  }
}

function isLoss(error: unknown): boolean {
  return isHoldfastError(error) && (error.code === "HF_LOST" || error.code === "HF_UNRECOVERABLE");
}

function wasNotApplied(error: unknown): boolean {
  return isHoldfastError(error) && error.outcome === "not-applied";
}

/** What was in flight may have been carried out, but the server takes it back with the rest of the transaction. */
function notCommitted(error: unknown): unknown {
  if (!isHoldfastError(error) || error.outcome === "not-applied") return error;
  return new HoldfastError(error.code, `the transaction was not committed: ${reasonOf(error)}`, {
    cause: error,
    outcome: "not-applied",
    ...(error.step !== undefined && { step: error.step }),
  });
}
