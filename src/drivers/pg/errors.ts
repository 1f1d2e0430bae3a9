/** What errors mean, in one place: the server's by SQLSTATE, Node's by code, the library's by what it was doing. */
import { type CallDescription, isHoldfastError } from "../../call/index.ts";
import type { CallVerdict, LinkClass, LinkPhaseName } from "../../link/index.ts";
import { classOfSystemCode } from "../../sql/index.ts";
import type { ServerWord } from "./server-word.ts";

/** SQLSTATEs that say something about the connection, whatever was asked. */
const linkClasses: ReadonlyMap<string, LinkClass> = new Map<string, LinkClass>([
  ["28P01", "auth"], // invalid_password
  ["28000", "auth"], // invalid_authorization_specification: also "no pg_hba.conf entry"
  ["42501", "auth"], // insufficient_privilege: CONNECT on the database, LOGIN
  ["3D000", "fatal"], // invalid_catalog_name: there is no such database
  ["25006", "endpoint"], // read_only_sql_transaction
]);

/** The server ends the session with these; what was asked was aborted by them, unless it had just been committed. */
const endings: ReadonlySet<string> = new Set([
  "57P01", // admin_shutdown: also pg_terminate_backend
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P04", // database_dropped
  "57P05", // idle_session_timeout
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
]);

/** The server undid the transaction so that another could go on: it may be run again. */
const conflicts: ReadonlySet<string> = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
]);

/** A server that has just become a standby answers at once; the new primary may need a moment to be found. */
const readOnlyWaitMs = 100;

/** A hook of the application (`onConnect`, `verify`) said no: trying again is not the network's affair. */
export class HookFailed extends Error {}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The server's own error: it has a SQLSTATE and a severity. */
export function isServerError(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { severity } = error as { severity?: unknown };
  return typeof severity === "string" && /^[\dA-Z]{5}$/.test(codeOf(error) ?? "");
}

/** After an error of this severity the server closes the connection. */
export function endsSession(error: unknown): boolean {
  if (!isServerError(error)) return false;
  const { severity } = error as { severity: string };
  // The severity is in the server's language; the code is not.
  return severity === "FATAL" || severity === "PANIC" || endings.has(codeOf(error) as string);
}

/** A server turned read-only, or a standby. */
export function isReadOnly(error: unknown): boolean {
  return isServerError(error) && codeOf(error) === "25006";
}

/**
 * Whether the server as a whole refused. In a transaction the code is the same when its owner declared it to only read:
 * then a standby says what it is, and so does a server that was told to only read, unless the session may have changed it.
 */
export function refusesWrites(
  error: unknown,
  { word, dirty }: { readonly word: ServerWord; readonly dirty: boolean },
): boolean {
  if (!isReadOnly(error)) return false;
  const { inTransaction, standby, parameters } = word;
  const told = parameters.get("default_transaction_read_only") === "on" && !dirty;
  return inTransaction !== true || standby === true || told;
}

export function isConflict(error: unknown): boolean {
  return isServerError(error) && conflicts.has(codeOf(error) as string);
}

/** What an error means for a link or a pool. */
export function classifyPgLink(error: unknown, phase: LinkPhaseName): LinkClass {
  if (isHoldfastError(error)) {
    if (error.code === "HF_OPTION") return "fatal";
    return error.code === "HF_AUTH" ? "auth" : classOfCause(error.cause, phase);
  }
  return classOfCause(error, phase);
}

function classOfCause(error: unknown, phase: LinkPhaseName): LinkClass {
  if (error instanceof AggregateError) return mildest(error.errors.map((one) => classOfCause(one, phase)));
  if (error instanceof HookFailed) return "fatal";
  const code = codeOf(error);
  if (code !== undefined && isServerError(error)) {
    const found = linkClasses.get(code);
    // A privilege that a statement lacks says nothing about the login.
    if (code === "42501" && phase !== "dial") return "transient";
    return found ?? "transient";
  }
  if (code !== undefined) return classOfSystemCode(code);
  return isSslRefusal(error) ? "fatal" : "transient";
}

/** Without code, from the library: TLS was asked for, and the server has none. */
function isSslRefusal(error: unknown): boolean {
  return error instanceof Error && error.message === "The server does not support SSL connections";
}

const order: readonly LinkClass[] = ["transient", "endpoint", "auth", "fatal"];

/** Of several servers the one most worth another try decides. */
function mildest(classes: readonly LinkClass[]): LinkClass {
  return order.find((each) => classes.includes(each)) ?? "transient";
}

/** What an error means for one call. `lost`: the connection ended with the call on it. */
export function classifyPgCall(error: unknown, lost: boolean, call: CallDescription): CallVerdict {
  if (isHoldfastError(error) && (!lost || error.code === "HF_UNRECOVERABLE")) return "answered";
  if (isReadOnly(error)) {
    // Inside a transaction the whole of it has to move: its owner must know.
    if (call.kind === "pinned") return "answered";
    return { outcome: "not-applied", link: "endpoint", retryAfterMs: readOnlyWaitMs };
  }
  if (endsSession(error)) return { outcome: "maybe-applied", link: "transient" };
  if (isServerError(error)) return "answered";
  return lost ? { outcome: "maybe-applied" } : "answered";
}
