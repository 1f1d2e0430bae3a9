/** What errors mean, in one place: the server's by number, the library's and Node's by code. */
import { type CallDescription, isHoldfastError } from "../../call/index.ts";
import type { CallVerdict, LinkClass, LinkPhaseName } from "../../link/index.ts";
import { classOfSystemCode } from "../../sql/index.ts";

/** Errors of the server that say something about the connection, whatever was asked. */
const linkClasses: ReadonlyMap<number, LinkClass> = new Map<number, LinkClass>([
  [1044, "auth"], // ER_DBACCESS_DENIED_ERROR
  [1045, "auth"], // ER_ACCESS_DENIED_ERROR
  [1130, "auth"], // ER_HOST_NOT_PRIVILEGED
  [1251, "auth"], // ER_NOT_SUPPORTED_AUTH_MODE
  [1524, "auth"], // ER_PLUGIN_IS_NOT_LOADED
  [1698, "auth"], // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  [1820, "auth"], // ER_MUST_CHANGE_PASSWORD
  [1862, "auth"], // ER_MUST_CHANGE_PASSWORD_LOGIN
  [3118, "auth"], // ER_ACCOUNT_HAS_BEEN_LOCKED
  [4151, "auth"], // MariaDB's ER_ACCOUNT_HAS_BEEN_LOCKED
  [1049, "fatal"], // ER_BAD_DB_ERROR
  [1129, "endpoint"], // ER_HOST_IS_BLOCKED
  [1290, "endpoint"], // ER_OPTION_PREVENTS_STATEMENT: --read-only
  [1792, "endpoint"], // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  [1836, "endpoint"], // ER_READ_ONLY_MODE
]);

/** The connection ends with these, and what was asked was aborted by them; it may have got far. */
const endings: ReadonlySet<number> = new Set([
  1053, // ER_SERVER_SHUTDOWN
  1152, // ER_ABORTING_CONNECTION
  1184, // ER_NEW_ABORTING_CONNECTION
  1927, // ER_CONNECTION_KILLED (MariaDB)
  2006, // CR_SERVER_GONE_ERROR
  2013, // CR_SERVER_LOST
  2055, // CR_SERVER_LOST_EXTENDED
  3169, // ER_SESSION_WAS_KILLED
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
]);

/** The server undid the transaction (deadlock) or the statement (lock wait): a transaction may be run again. */
const conflicts: ReadonlySet<number> = new Set([1205, 1213]);

/** A node that has just become a replica answers at once; the new primary may need a moment to be found. */
const readOnlyWaitMs = 100;

const libraryClasses: ReadonlyMap<string, LinkClass> = new Map<string, LinkClass>([
  ["HANDSHAKE_NO_SSL_SUPPORT", "fatal"],
  ["HANDSHAKE_SSL_ERROR", "endpoint"],
  ["AUTH_SWITCH_PLUGIN_ERROR", "auth"],
]);

function errnoOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  // The library gives Node's errors a negative `errno` of the system.
  const { errno } = error as { errno?: unknown };
  return typeof errno === "number" && errno > 0 ? errno : undefined;
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** A server turned read-only. 1290 is also said of other options, such as --secure-file-priv. */
export function isReadOnly(error: unknown): boolean {
  const errno = errnoOf(error);
  if (errno === 1792 || errno === 1836) return true;
  return errno === 1290 && /read[-_]only/.test(String((error as Error).message));
}

/** Whether the server as a whole refused: in a transaction 1792 is about what its owner declared it to be. */
export function refusesWrites(error: unknown, inTransaction: boolean | undefined): boolean {
  return isReadOnly(error) && (inTransaction !== true || errnoOf(error) !== 1792);
}

export function isConflict(error: unknown): boolean {
  return conflicts.has(errnoOf(error) ?? 0);
}

/** What an error means for a link or a pool. */
export function classifyMysqlLink(error: unknown, _phase: LinkPhaseName): LinkClass {
  if (isHoldfastError(error)) {
    if (error.code === "HF_OPTION") return "fatal";
    return error.code === "HF_AUTH" ? "auth" : classOfCause(error.cause);
  }
  return classOfCause(error);
}

function classOfCause(error: unknown): LinkClass {
  if (error instanceof AggregateError) return mildest(error.errors);
  const errno = errnoOf(error);
  if (errno !== undefined) {
    if (errno === 1290 && !isReadOnly(error)) return "transient";
    return linkClasses.get(errno) ?? "transient";
  }
  const code = codeOf(error);
  if (code === undefined) return "transient";
  return libraryClasses.get(code) ?? classOfSystemCode(code);
}

/** Several addresses of one name were tried: one that may answer later is reason enough to go on. */
function mildest(errors: readonly unknown[]): LinkClass {
  const classes = errors.map(classOfCause);
  for (const mild of ["transient", "endpoint", "auth"] as const) if (classes.includes(mild)) return mild;
  return classes.length === 0 ? "transient" : "fatal";
}

/** What an error means for one call. `lost`: the connection ended with the call on it. */
export function classifyMysqlCall(error: unknown, lost: boolean, call: CallDescription): CallVerdict {
  if (isHoldfastError(error) && !lost) return "answered";
  const errno = errnoOf(error);
  if (isReadOnly(error)) {
    // Inside a transaction the whole of it has to move: its owner must know.
    if (call.kind === "pinned") return "answered";
    return { outcome: "not-applied", link: "endpoint", retryAfterMs: readOnlyWaitMs };
  }
  if (errno !== undefined && endings.has(errno)) return { outcome: "maybe-applied", link: "transient" };
  if (errno !== undefined) return "answered";
  return lost ? { outcome: "maybe-applied" } : "answered";
}
