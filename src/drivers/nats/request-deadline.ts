import { type RequestOptions, TimeoutError } from "@nats-io/transport-node";
import { type Effect, isHoldfastError } from "../../call/index.ts";

/** The library's options of a request, and what asking twice does. */
export interface NatsRequestOptions extends RequestOptions {
  /** Default `"once"`: never sent twice. `"read"` and `"idempotent"` are sent again when the connection dies. */
  readonly effect?: Effect;
}

/**
 * The library's own timeout of a request that was sent, with what it means for the call: also an error of this
 * package (`isHoldfastError`), so that `instanceof TimeoutError` and `outcome` both hold.
 */
export class RequestDeadline extends TimeoutError {
  readonly code = "HF_DEADLINE" as const;
  readonly outcome: "maybe-applied" | "not-applied";
  readonly step = "reply" as const;

  constructor(timeoutMs: number, effect: Effect, cause: unknown) {
    super({ cause });
    this.message = `the request was sent and not answered within ${timeoutMs} ms`;
    this.outcome = effect === "read" ? "not-applied" : "maybe-applied";
    Object.defineProperty(this, Symbol.for("holdfast.error"), { value: true });
  }
}

/** Sent and not answered in time: whichever of the two clocks, the library's or the gate's, was first. */
export function timedOut(cause: unknown): boolean {
  if (cause instanceof RequestDeadline) return false;
  return (
    cause instanceof TimeoutError ||
    (isHoldfastError(cause) && cause.code === "HF_DEADLINE" && cause.step === "reply")
  );
}
