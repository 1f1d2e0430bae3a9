import type { Backoff } from "../backoff/index.ts";
import type { Candidate } from "../endpoint/index.ts";

/** What a custom chooser sees before each attempt. */
export interface ChoiceContext {
  /** The default choice first. */
  readonly candidates: readonly Candidate[];
  readonly attempt: number;
  readonly cause: unknown;
}

/** Picks the endpoint of the next attempt and how long to wait before it; `undefined` = the default choice. */
export type Chooser = (
  context: ChoiceContext,
) => { readonly endpointId?: string; readonly delayMs?: number } | undefined;

/** When, where and how often a link dials. Every value is explicit: defaults live in the options room. */
export interface LinkPolicy {
  /** Delays between rounds over the endpoints; its first delay comes before the very first dial. */
  readonly backoff: Backoff;
  /** Delays after refused credentials; the longer of this and `backoff` counts. */
  readonly authBackoff: Backoff;
  /** Draw a delay for each `round` over all endpoints or for each `attempt`. */
  readonly delayPer: "round" | "attempt";
  /** Reconnect after a loss; `false` = a loss closes the link. */
  readonly reconnect: boolean;
  /** After a failed first connect: `false` = one round, then close; `true` = go on like after a loss. */
  readonly retryInitial: boolean;
  /** Dial only when a call asks for it. */
  readonly lazy: boolean;
  /** Attempts in one episode of loss (or of a retried first connect). */
  readonly maxAttempts: number;
  /** Time one episode may take. */
  readonly maxElapsedMs: number;
  /** Refused credentials in a row after which the link closes. */
  readonly maxAuthFailures: number;
  /** Resolve, TCP, TLS and handshake together. */
  readonly connectTimeoutMs: number;
  readonly restoreTimeoutMs: number;
  /** Uninterrupted ready after which a loss starts the schedule afresh. Compared at loss; there is no timer. */
  readonly stableAfterMs: number;
  /** No dial to an endpoint sooner than this after the last one, forced or not. */
  readonly minDialGapMs: number;
  /** How long a graceful close may take before the connection is destroyed. */
  readonly closeTimeoutMs: number;
  readonly choose?: Chooser;
}
