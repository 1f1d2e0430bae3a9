import type { CallDescription, Outcome } from "./outcome.ts";

/** How often a call may be sent again by us. */
export interface RetryPolicy {
  /** Further sends after the first. Default 3; 0 = never. `not-applied` calls that were never written don't count. */
  readonly maxRetries: number;
  /**
   * Also sends again what may have been applied and is not idempotent: the behaviour of peers that re-send
   * everything. Default `false`; it can apply a call twice.
   */
  readonly unsafeResendMaybeApplied?: boolean;
}

/**
 * Whether a failed call may be sent again: only if it was not applied, or doing it twice is the same as once; and
 * never a pinned one, whose connection is gone with its state.
 */
export function mayResend(
  call: CallDescription,
  outcome: Outcome,
  sends: number,
  policy: RetryPolicy,
): boolean {
  if (call.kind === "pinned") return false;
  if (call.signal?.aborted) return false;
  if (outcome === "not-applied") return sends <= policy.maxRetries;
  if (call.effect === "once" && policy.unsafeResendMaybeApplied !== true) return false;
  return sends <= policy.maxRetries;
}
