import type { CallDescription, Evidence, Outcome } from "../call/index.ts";
import type { Endpoint } from "../endpoint/index.ts";
import type { Session } from "./session.ts";

/**
 * What an error means for a link.
 *
 * - `transient`: try again by the schedule.
 * - `endpoint`: this endpoint is of no use now (read-only, wrong role); the next one may be.
 * - `auth`: the credentials were refused; slower schedule, fresh credentials.
 * - `fatal`: no attempt can succeed; the link closes and says why.
 */
export type LinkClass = "transient" | "endpoint" | "auth" | "fatal";

/** The part of an attempt an error came from. */
export type LinkPhaseName = "dial" | "restore" | "ready" | "probe";

/** The raw socket under a library, as far as the engine needs it. */
export interface TappedSocket {
  destroy(): unknown;
  readonly destroyed: boolean;
}

/** Where a driver reports what happens on one connection. It exists before the first byte. */
export interface Sink {
  /** The connection is gone or of no use. Only the first call of an epoch counts. */
  lost(cause: unknown, linkClass?: LinkClass): void;
  /** A byte was received. Cheap; call it for every chunk. */
  alive(): void;
  /** The system named its members. */
  discovered(endpoints: readonly Endpoint[]): void;
  /** An error that ends neither a call nor the connection. */
  asyncError(error: unknown): void;
  /** The server will go soon: move away before it does. */
  lameDuck(detail?: string): void;
  /** Messages without reply whose fate is unknown. */
  unconfirmed(report: { readonly count: number; readonly bytes: number }): void;
  /** A subscription missed what was sent while the link was down. */
  gap(report: { readonly subscription: string; readonly downMs: number }): void;
}

/** One attempt, as the driver sees it. */
export interface Dial {
  readonly endpoint: Endpoint;
  readonly epoch: number;
  /** 1 for the first attempt of the episode. */
  readonly attempt: number;
  /** Aborted when the attempt is given up: everything made for it must go. */
  readonly signal: AbortSignal;
  readonly sink: Sink;
  readonly session: Session;
  /** Hands the raw socket to the engine, which destroys it when the attempt or the connection ends. */
  tap(socket: TappedSocket): void;
  /** Names the step under way (`resolve`, `tcp`, `tls`, `handshake`), for the error of a deadline. */
  step(name: string): void;
}

/** What became of a session when it was rebuilt. */
export interface RestoreReport {
  readonly restored: readonly string[];
  /** Items the server refused, with its reason. The connection is used without them. */
  readonly refused?: readonly { readonly item: string; readonly reason: string }[];
}

/**
 * What an error means for one call: `answered` (the server's own reply: the caller gets it as it is), or an outcome.
 * `retryAfterMs` asks for the same call again on this connection; `link` tells the link what it learned; `final`
 * says that it is told, and not sent again, though that were safe.
 */
export type CallVerdict =
  | "answered"
  | {
      readonly outcome: Outcome;
      readonly retryAfterMs?: number;
      readonly link?: LinkClass;
      readonly final?: boolean;
    };

/**
 * Reject a call with this from inside a driver to say: it was taken back and never reached the kernel. The gate
 * sends it again on the next connection, in its old place: so report the loss of this one.
 */
export const takenBack: Error = new Error("taken back unsent");

/** Teaches the engine one client library. `C` is the library's connection. */
export interface Driver<C> {
  /** For events, logs and metrics. */
  readonly name: string;
  open(dial: Dial): Promise<C>;
  /** Rebuilds the session. Called again when the session changed meanwhile. */
  restore(connection: C, session: Session, signal: AbortSignal): Promise<RestoreReport>;
  /** Asks the server for a sign of life. */
  probe?(connection: C, signal: AbortSignal): Promise<void>;
  /** A probe's answer does not queue behind calls (NATS' PONG): a quiet connection is probed although calls wait. */
  readonly probesWhileBusy?: boolean;
  /** Ends the connection. Must settle; `abrupt` at once, `graceful` within `deadlineMs`. */
  close(connection: C, how: "graceful" | "abrupt", deadlineMs: number): Promise<void>;
  /**
   * Called at a loss, before anything is torn down: rejects with `takenBack` every call that provably never reached
   * the kernel. Teardown destroys this evidence.
   */
  takeBack?(connection: C): void;
  /** Bytes submitted that the kernel has not taken. */
  bufferedBytes?(connection: C): number;
  classifyLink(error: unknown, phase: LinkPhaseName): LinkClass;
  classifyCall(error: unknown, evidence: Evidence, call: CallDescription): CallVerdict;
}
