/**
 * What errors mean, in one place: replies of the server by their first word, socket and TLS errors by their code. No
 * other file of this driver looks at the text of an error.
 */
import { type CallDescription, type Evidence, isHoldfastError } from "../../call/index.ts";
import type { CallVerdict, LinkClass, LinkPhaseName } from "../../link/index.ts";

/** How a reply that refuses a command is to be taken. Nothing of the command was carried out. */
export interface Refusal {
  /** What it means for an attempt when it comes while connecting or restoring. */
  readonly attempt: LinkClass;
  /** What it means for a connection that was ready: absent, it stays. */
  readonly ready?: LinkClass;
  /** Wait before the same call may be sent again; absent: the caller gets the reply as it is. */
  readonly retryAfterMs?: number;
  readonly reason: string;
}

/**
 * The server's own trouble passes in tenths of seconds (failover, slot move) or takes seconds (loading): this is the
 * shortest wait that is no hot loop. The number of sends is the retry policy's.
 */
const shortWaitMs = 100;

/** By the first word of the reply. The seven that go-redis retries have `retryAfterMs`; nothing else is sent again. */
const refusals: ReadonlyMap<string, Refusal> = new Map<string, Refusal>([
  [
    "LOADING",
    { attempt: "transient", retryAfterMs: shortWaitMs, reason: "the server reads its data from disk" },
  ],
  [
    "READONLY",
    {
      attempt: "endpoint",
      ready: "endpoint",
      retryAfterMs: 0,
      reason: "the server is a replica: find the primary",
    },
  ],
  [
    "MASTERDOWN",
    {
      attempt: "endpoint",
      ready: "endpoint",
      retryAfterMs: shortWaitMs,
      reason: "the replica lost its primary",
    },
  ],
  [
    "CLUSTERDOWN",
    { attempt: "transient", retryAfterMs: shortWaitMs, reason: "the cluster has no owner for a slot" },
  ],
  [
    "TRYAGAIN",
    { attempt: "transient", retryAfterMs: shortWaitMs, reason: "the keys are moving between two nodes" },
  ],
  [
    "NOREPLICAS",
    { attempt: "transient", retryAfterMs: shortWaitMs, reason: "too few replicas to accept a write" },
  ],
  ["NOAUTH", { attempt: "auth", ready: "auth", reason: "this connection is not authenticated" }],
  ["WRONGPASS", { attempt: "auth", reason: "the user name or password is wrong" }],
  ["NOPERM", { attempt: "auth", reason: "the user may not do this" }],
  [
    "DENIED",
    {
      attempt: "auth",
      ready: "auth",
      reason: "protected mode: the server has no password and refuses strangers",
    },
  ],
  ["NOPROTO", { attempt: "fatal", reason: "the server does not speak the RESP version asked for" }],
  [
    "MOVED",
    { attempt: "endpoint", reason: "the slot lives on another node; a cluster client follows at once" },
  ],
  ["ASK", { attempt: "endpoint", reason: "the slot is moving; a cluster client asks the other node once" }],
  ["CROSSSLOT", { attempt: "transient", reason: "the keys of one command must share a slot" }],
  ["BUSY", { attempt: "transient", reason: "a script has been running for too long" }],
  ["OOM", { attempt: "transient", reason: "the server is at its memory limit and refuses writes" }],
  ["MISCONF", { attempt: "transient", reason: "the server can't persist and refuses writes" }],
  ["EXECABORT", { attempt: "transient", reason: "the transaction was discarded as a whole" }],
  ["NOSCRIPT", { attempt: "transient", reason: "the script is not in the server's cache" }],
]);

const maxClients: Refusal = {
  attempt: "transient",
  ready: "transient",
  retryAfterMs: shortWaitMs,
  reason: "the server has no room for another client, and closes the connection",
};

/** Replies that begin with the general `ERR` and are known by the words after it only. */
const errRefusals: readonly (readonly [start: string, refusal: Refusal])[] = [
  ["max number of clients", maxClients],
  ["invalid password", { attempt: "auth", reason: "the password is wrong (servers before 6.0)" }],
  [
    "AUTH <password> called without",
    { attempt: "auth", reason: "a password was given to a server that has none" },
  ],
  [
    "Client sent AUTH, but no password",
    { attempt: "auth", reason: "a password was given to a server that has none" },
  ],
  ["DB index is out of range", { attempt: "fatal", reason: "the server has fewer databases" }],
  ["invalid DB index", { attempt: "fatal", reason: "the server has fewer databases" }],
  ["SELECT is not allowed in cluster mode", { attempt: "fatal", reason: "a cluster has database 0 only" }],
];

/** The other thing UNBLOCKED can say, that an operator used CLIENT UNBLOCK, is an answer. */
const roleChanged: Refusal = {
  attempt: "endpoint",
  ready: "endpoint",
  retryAfterMs: 0,
  reason: "the server became a replica while the call was blocking",
};

/**
 * The meaning of an error reply, or undefined when it is an answer like any other (WRONGTYPE, BUSYGROUP, ERR syntax).
 * An error from inside a script is an answer whatever its first word: the script may have written before it.
 */
export function refusalOf(reply: string): Refusal | undefined {
  if (reply.includes(" script: ")) return undefined;
  const space = reply.indexOf(" ");
  const word = space === -1 ? reply : reply.slice(0, space);
  const rest = space === -1 ? "" : reply.slice(space + 1);
  if (word === "ERR") return errRefusals.find(([start]) => rest.startsWith(start))?.[1];
  if (word === "UNBLOCKED") return rest.includes("instance state changed") ? roleChanged : undefined;
  return refusals.get(word);
}

/** Not the network's fault, so trying the same endpoint again can't help. */
const fatalCodes: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "ENOTSOCK",
  "EAFNOSUPPORT",
  "ERR_SOCKET_BAD_PORT",
  "ERR_INVALID_ARG_TYPE",
  "ERR_INVALID_ARG_VALUE",
  "ERR_INVALID_URL",
]);

/** This endpoint's name or certificate is no good now; another endpoint's may be. */
function isEndpointCode(code: string): boolean {
  return (
    code === "ENOTFOUND" ||
    code.startsWith("CERT_") ||
    code.startsWith("ERR_TLS_") ||
    code.startsWith("ERR_SSL_") ||
    code.includes("SELF_SIGNED_CERT") ||
    code.startsWith("UNABLE_TO_")
  );
}

/** Class of a socket, DNS or TLS error code. What is not known is worth another try: `transient`. */
export function classOfCode(code: string): LinkClass {
  if (fatalCodes.has(code)) return "fatal";
  return isEndpointCode(code) ? "endpoint" : "transient";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** What an error means for the link, by the part of the attempt it came from. */
export function classifyRedisLink(error: unknown, phase: LinkPhaseName): LinkClass {
  if (isHoldfastError(error)) {
    return error.code === "HF_OPTION" ? "fatal" : error.code === "HF_AUTH" ? "auth" : "transient";
  }
  if (error instanceof AggregateError) return mildest(error.errors, phase);
  const code = codeOf(error);
  if (code !== undefined) return classOfCode(code);
  const refusal = refusalOf(textOf(error));
  if (refusal === undefined) return "transient";
  return phase === "ready" ? (refusal.ready ?? "transient") : refusal.attempt;
}

/** Several addresses of one name were tried: one that may answer later is reason enough to go on. */
function mildest(errors: readonly unknown[], phase: LinkPhaseName): LinkClass {
  const classes = errors.map((error) => classifyRedisLink(error, phase));
  for (const mild of ["transient", "endpoint", "auth"] as const) if (classes.includes(mild)) return mild;
  return classes.length === 0 ? "transient" : "fatal";
}

/** What an error means for one call, given what is known beside it. */
export function classifyRedisCall(error: unknown, evidence: Evidence, call: CallDescription): CallVerdict {
  if (evidence.unsent) return { outcome: "not-applied" };
  if (evidence.lost) return { outcome: "maybe-applied" };
  const refusal = codeOf(error) === undefined ? refusalOf(textOf(error)) : undefined;
  if (refusal === undefined || call.kind === "pinned") return "answered";
  const { ready, retryAfterMs } = refusal;
  if (ready === undefined && retryAfterMs === undefined) return "answered";
  return {
    outcome: "not-applied",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(ready === undefined ? {} : { link: ready }),
  };
}

/** The server reads its data from disk: it will serve, later. */
export function saysLoading(error: Error): boolean {
  return error.message.startsWith("LOADING");
}

/** An ACL forbids this one command or channel; the connection is none the worse. */
export function saysForbidden(error: Error): boolean {
  return error.message.startsWith("NOPERM");
}
