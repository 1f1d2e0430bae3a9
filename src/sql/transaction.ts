/** `transaction(fn)`: begins, runs the function, commits; again only when it is certain that nothing was committed. */
import { HoldfastError, isHoldfastError, reasonOf } from "../call/index.ts";
import { integer, optional } from "../options/index.ts";

export interface TransactionOptions {
  /**
   * How often the function is run again after a connection was lost before COMMIT was sent, or the server rolled the
   * transaction back (deadlock, lock timeout, serialization) or only reads. Default 0: it may have effects of its own.
   */
  readonly retry?: number;
  /**
   * A transaction that has passed more statements than this (BEGIN not counted) is not run again: what would be repeated
   * is bounded. Default: no bound.
   */
  readonly maxStatements?: number;
}

const retryCount = optional(integer({ min: 0 }));
const statementCount = optional(integer({ min: 1 }));

/** What a transaction needs of its driver. */
export interface TransactionSteps<T> {
  /** How many statements the connection has passed in its life. */
  passed(): number;
  begin(): Promise<unknown>;
  work(): Promise<T>;
  commit(): Promise<unknown>;
  /** Also called when the connection is gone: what was lost with it is then settled. */
  rollback(): Promise<unknown>;
  /** The server's own word that nothing was committed, and that it is worth another try. */
  isConflict(error: unknown): boolean;
}

/**
 * The function is the log that is replayed: it sees what the new transaction reads, and decides anew. A recorded list of
 * statements would apply decisions that were made on what the lost transaction had read.
 *
 * @throws what the function threw, after a rollback; `HF_LOST` or `HF_UNRECOVERABLE` with outcome `not-applied` when the
 * connection went before COMMIT was sent, `maybe-applied` when COMMIT was on its way (never run again then); `HF_OPTION`
 */
export async function runTransaction<T>(
  steps: TransactionSteps<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const most = statementCount.read(options.maxStatements, "maxStatements") ?? Number.POSITIVE_INFINITY;
  for (let left = retryCount.read(options.retry, "retry") ?? 0; ; left--) {
    let committing = false;
    let begun = steps.passed();
    try {
      await steps.begin();
      begun = steps.passed();
      const value = await steps.work();
      committing = true;
      await steps.commit();
      return value;
    } catch (error) {
      const statements = steps.passed() - begun - (committing ? 1 : 0);
      const uncommitted = !committing || wasNotApplied(error) || steps.isConflict(error);
      const connectionGone = isLoss(error);
      if (uncommitted) await steps.rollback().catch(() => {});
      const again = uncommitted && left > 0 && (connectionGone || steps.isConflict(error));
      if (again && statements <= most) continue;
      const why = again ? `; it had passed ${statements} statements, too many to run it again` : "";
      throw uncommitted && connectionGone ? notCommitted(error, why) : error;
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
function notCommitted(error: unknown, why: string): unknown {
  if (!isHoldfastError(error) || (error.outcome === "not-applied" && why === "")) return error;
  return new HoldfastError(error.code, `the transaction was not committed: ${reasonOf(error)}${why}`, {
    cause: error,
    outcome: "not-applied",
    ...(error.step !== undefined && { step: error.step }),
    ...(error.details !== undefined && { details: error.details }),
  });
}
