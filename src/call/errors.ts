import type { Outcome } from "./outcome.ts";
import { redact } from "./redact.ts";

/** Every code an error of this package can carry. Codes are stable; messages are not. */
export const errorCodes = [
  /** An option, URL or file is wrong; nothing was dialled. */
  "HF_OPTION",
  /** No connection could be made: every allowed attempt failed, or the first connect failed. */
  "HF_CONNECT",
  /** One phase of an attempt took longer than its deadline; `step` names it. */
  "HF_CONNECT_TIMEOUT",
  /** The connection died while the call was on it. */
  "HF_LOST",
  /** The peer stopped answering although the connection looks alive. */
  "HF_HALF_OPEN",
  /** The call's own deadline passed; `step` says whether it waited or was on the wire. */
  "HF_DEADLINE",
  /** The outbox is full (bytes or entries), so the call was refused. */
  "HF_OUTBOX_FULL",
  /** The call waited longer than the outbox keeps one. */
  "HF_OUTBOX_EXPIRED",
  /** Too many callers already wait for a connection of the pool, so this one was refused. */
  "HF_POOL_FULL",
  /** More is waiting in the connection's write buffer than is allowed. */
  "HF_WRITE_BUFFER_FULL",
  /** Session state that the call depends on was lost and can't be rebuilt. */
  "HF_UNRECOVERABLE",
  /** The server refused a part of the session while it was being restored. */
  "HF_RESTORE",
  /** The peer sent bytes that break its protocol. */
  "HF_PROTOCOL",
  /** The server refused the credentials. */
  "HF_AUTH",
  /** The link is draining and takes no new calls. */
  "HF_DRAINING",
  /** The link is closed, by its owner or because it gave up. */
  "HF_CLOSED",
  /** A server needed by the lab can't be had on this machine. */
  "HF_SERVER_UNAVAILABLE",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface HoldfastErrorOptions {
  /** The library's or system's own error. */
  readonly cause?: unknown;
  /** What became of the call, where a call is concerned. */
  readonly outcome?: Outcome;
  /** Which step a timeout or failure happened in, such as `"dial"`, `"restore"`, `"waiting"`, `"reply"`. */
  readonly step?: string;
  /** Further facts; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Marks our errors across copies of this package and across realms, where `instanceof` fails. */
const brand: unique symbol = Symbol.for("holdfast.error");

/**
 * The one error class of this package. `code` is stable; `cause` is the error underneath; `outcome` says whether a
 * failed call may have been applied.
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly outcome: Outcome | undefined;
  readonly step: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "HoldfastError";
    this.code = code;
    this.outcome = options.outcome;
    this.step = options.step;
    this.details = options.details;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for an error of this package, also when another copy of the package made it. */
export function isHoldfastError(error: unknown): error is HoldfastError {
  return typeof error === "object" && error !== null && (error as { [brand]?: unknown })[brand] === true;
}

/** One line about an unknown thrown value, for messages; what looks like a credential is hidden. */
export function reasonOf(error: unknown): string {
  return redact(rawReason(error));
}

function rawReason(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error);
  const code = (error as { code?: unknown }).code;
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(rawReason).join("; ");
  }
  if (error.message !== "") return error.message;
  return typeof code === "string" ? code : error.name;
}

/** Anything can be thrown, also what has no text. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}
