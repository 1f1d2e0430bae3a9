import type { LinkClass } from "../link/index.ts";

/** What `open` is given. */
export interface OpenContext {
  /** Aborted when the dial is given up: everything made for it must go. */
  readonly signal: AbortSignal;
  /** 1 for the first dial, one more after each failed one in a row. */
  readonly attempt: number;
  /** Tells the pool that this connection is gone, whether it is idle or in use. Only the first call counts. */
  lost(cause: unknown): void;
  /** Tells the pool that the server will close this connection soon: no new use, what is under way may finish. */
  leaving(): void;
}

/**
 * Teaches a pool one kind of connection. Only `open`, `close` and `classify` are needed; a pool without `validate`
 * replaces the connections it would otherwise check.
 */
export interface Connector<C> {
  /** Dials and makes ready. A promise that settles after `signal` was aborted is closed, not used. */
  open(context: OpenContext): Promise<C>;
  /**
   * Ends a connection; `abrupt` at once. A `graceful` close that takes longer than 5 s is followed by an `abrupt` one.
   * Its failure is of no consequence.
   */
  close(connection: C, how: "graceful" | "abrupt"): Promise<void> | void;
  /** Asks the server for a sign of life; rejects when there is none. Bounded by `validationTimeoutMs`. */
  validate?(connection: C, signal: AbortSignal): Promise<void>;
  /**
   * Removes what a borrower left in the session, before the next one. Returns nothing when there is nothing to do, so
   * that a clean connection costs no turn of the loop. A failure, or `validationTimeoutMs`, discards the connection.
   */
  reset?(connection: C): Promise<void> | undefined;
  /** `auth` and `fatal` reach the waiting callers at once; `endpoint` retires every connection; `transient` is retried. */
  classify(error: unknown): LinkClass;
  /**
   * Whether the connection is good after `use`'s function threw this. Without it, the connection is validated before
   * it is used again.
   */
  survives?(error: unknown, connection: C): boolean;
  /** Lets the process end although this connection is open. Needed by `exitWhenIdle`, with `ref`. */
  unref?(connection: C): void;
  /** Takes `unref` back. */
  ref?(connection: C): void;
}

/** Why a pool closed a connection. */
export type RetireReason =
  /** More idle ones than `maxIdle`. */
  | "max-idle"
  /** Idle for `maxIdleTimeMs`. */
  | "idle-time"
  /** Older than `maxLifetimeMs`. */
  | "lifetime"
  /** More open ones than `max`, after a resize. */
  | "resized"
  /** `evict()`, or an error of class `endpoint`. */
  | "evicted"
  /** The connector said that it is gone. */
  | "lost"
  /** The connector said that the server will close it soon. */
  | "leaving"
  /** Its borrower returned it with an error, or discarded it. */
  | "error"
  /** Validation failed, or was needed and the connector has none. */
  | "invalid"
  /** Resetting its session failed. */
  | "reset"
  /** The pool closed. */
  | "closed";

export const retireReasons: readonly RetireReason[] = [
  "max-idle",
  "idle-time",
  "lifetime",
  "resized",
  "evicted",
  "lost",
  "leaving",
  "error",
  "invalid",
  "reset",
  "closed",
];
