/**
 * What became of a call that did not succeed.
 *
 * - `not-applied`: the server did not carry it out; repeating it is safe.
 * - `maybe-applied`: nobody can know from here; ask the server before repeating it.
 */
export type Outcome = "not-applied" | "maybe-applied";

/** What repeating a call does. */
export type Effect =
  /** Changes nothing. */
  | "read"
  /** Doing it twice leaves the same state and gives an equivalent reply. */
  | "idempotent"
  /** Doing it twice is not the same as doing it once. */
  | "once";

export type CallKind =
  /** One request, one reply. */
  | "unary"
  /** Changes what the server holds for this connection. */
  | "session"
  /** The reply may rightly take as long as it likes (BLPOP 0). */
  | "blocking"
  /** No reply is expected. */
  | "cast"
  /** Belongs to one connection (inside a transaction): never moved to another. */
  | "pinned";

/** What the gate must know of a call. */
export interface CallDescription {
  /** Bytes it takes in the outbox. */
  readonly bytes: number;
  readonly effect: Effect;
  readonly kind: CallKind;
  /** Covers waiting, wire and reply. `undefined`: no deadline. */
  readonly deadlineMs?: number | undefined;
  /** The caller's own way out; rejects with `signal.reason` untouched. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Takes it back from its library's queue, where it waits behind another call: then nothing of it was sent, and its
   * silence proves nothing. False when it has begun.
   */
  readonly unsend?: (() => boolean) | undefined;
  /** For messages; no arguments, no secrets. */
  readonly name?: string | undefined;
}

/** What is known about a failed call beside the error: errors alone never tell an outcome. */
export interface Evidence {
  /** True when the call provably never reached the kernel (taken back from the library's queue). */
  readonly unsent: boolean;
  /** True when the connection died while the call was on it; false when the server answered with an error. */
  readonly lost: boolean;
}
