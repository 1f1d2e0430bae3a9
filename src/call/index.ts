/** Room `call`: what a call is, what became of it, and when it may be sent again. */
export { RetryBudget, type RetryBudgetOptions } from "./budget.ts";
export {
  type ErrorCode,
  errorCodes,
  HoldfastError,
  type HoldfastErrorOptions,
  isHoldfastError,
  reasonOf,
} from "./errors.ts";
export type { CallDescription, CallKind, Effect, Evidence, Outcome } from "./outcome.ts";
export { redact } from "./redact.ts";
export { mayResend, type RetryPolicy } from "./retry.ts";
