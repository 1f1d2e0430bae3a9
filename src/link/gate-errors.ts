/** The errors a gate gives to callers: what happened, why, and whether the call may have been applied. */
import { HoldfastError, type Outcome, reasonOf } from "../call/index.ts";
import type { Entry } from "./entry.ts";
import type { Outbox } from "./outbox.ts";

/** A read changes nothing, so it is never "maybe applied". */
function outcomeOf<C>(entry: Entry<C>): Outcome {
  return entry.maybeApplied && entry.call.effect !== "read" ? "maybe-applied" : "not-applied";
}

function nameOf<C>(entry: Entry<C>): string {
  return entry.call.name ?? "the call";
}

/** A new call on a link that is over or draining. */
export function refused(closed: HoldfastError | undefined): HoldfastError {
  const outcome = "not-applied";
  if (closed === undefined) {
    return new HoldfastError("HF_DRAINING", "the link is draining and takes no new calls", { outcome });
  }
  return new HoldfastError(closed.code, closed.message, { cause: closed.cause, outcome });
}

/** It was waiting when the link ended. */
export function notSent<C>(entry: Entry<C>, closed: HoldfastError): HoldfastError {
  return new HoldfastError(closed.code, `${nameOf(entry)} was still waiting: ${closed.message}`, {
    cause: closed.cause,
    outcome: outcomeOf(entry),
    step: "waiting",
  });
}

export function outboxFull<C>(entry: Entry<C>, outbox: Outbox<C>, cause: unknown): HoldfastError {
  const { entries, bytes } = outbox.limits;
  const held = `${outbox.size} calls with ${outbox.bytes} bytes are waiting (at most ${entries} and ${bytes})`;
  const what = entry.sends > 0 ? "to be sent again" : "for a connection";
  return new HoldfastError("HF_OUTBOX_FULL", `${nameOf(entry)} can't wait ${what}: ${held}`, {
    cause: entry.lastCause ?? cause,
    outcome: outcomeOf(entry),
    step: "waiting",
  });
}

export function dropped<C>(entry: Entry<C>, cause: unknown): HoldfastError {
  const message = `${nameOf(entry)} was dropped from the full outbox for a newer call`;
  return new HoldfastError("HF_OUTBOX_FULL", message, { cause, outcome: outcomeOf(entry), step: "waiting" });
}

export function writeBufferFull<C>(entry: Entry<C>, buffered: number, limit: number): HoldfastError {
  const why =
    entry.call.bytes > limit
      ? `its ${entry.call.bytes} bytes are more than the write buffer holds (${limit})`
      : `the peer has not taken ${buffered} bytes (at most ${limit})`;
  const message = `${nameOf(entry)} was refused: ${why}`;
  return new HoldfastError("HF_WRITE_BUFFER_FULL", message, { outcome: outcomeOf(entry), step: "write" });
}

/** The connection died with the call on it, or the call was taken back and can't be sent again. */
export function callLost<C>(
  entry: Entry<C>,
  why: { readonly cause: unknown; readonly reason: unknown },
  unsent: boolean,
  closed: HoldfastError | undefined,
): HoldfastError {
  const outcome = outcomeOf(entry);
  const what =
    outcome === "maybe-applied"
      ? "may have been applied; the connection ended before its reply"
      : "was not applied; the connection ended";
  const because = closed?.message ?? reasonOf(why.reason);
  return new HoldfastError(
    closed === undefined ? "HF_LOST" : closed.code,
    `${nameOf(entry)} ${what}: ${because}`,
    {
      cause: why.cause,
      outcome,
      step: unsent ? "write" : "reply",
    },
  );
}

export function waitedTooLong<C>(
  entry: Entry<C>,
  nowMs: number,
  ageMs: number,
  linkCause: unknown,
): HoldfastError {
  const late = entry.dueMs <= nowMs;
  const cause = entry.lastCause ?? linkCause;
  // A call that was sent before may wait for its server, on a connection that is well.
  const state = entry.lastCause === undefined ? "the link is down" : "it failed before";
  const because = cause === undefined ? "" : `; ${state}: ${reasonOf(cause)}`;
  const what = late
    ? `was not sent within its deadline of ${entry.call.deadlineMs} ms`
    : `waited longer than ${ageMs} ms ${entry.lastCause === undefined ? "for a connection" : "to be sent again"}`;
  return new HoldfastError(late ? "HF_DEADLINE" : "HF_OUTBOX_EXPIRED", `${nameOf(entry)} ${what}${because}`, {
    cause,
    outcome: outcomeOf(entry),
    step: "waiting",
  });
}

/** On the wire past its deadline: whether it was applied is unknown. */
export function noReply<C>(entry: Entry<C>): HoldfastError {
  entry.maybeApplied = true;
  const { kind, deadlineMs } = entry.call;
  const [what, step] = kind === "cast" ? ["was not taken", "write"] : ["got no reply", "reply"];
  const message = `${nameOf(entry)} ${what} within ${deadlineMs} ms`;
  return new HoldfastError("HF_DEADLINE", message, { outcome: outcomeOf(entry), step });
}
