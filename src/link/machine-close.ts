/** The part of the machine that ends a link. */
import { reasonOf } from "../call/index.ts";
import type { Candidate } from "../endpoint/index.ts";
import { type Ctx, emit, enter, release } from "./machine-tools.ts";
import type { CloseReason } from "./phase.ts";
import type { LinkPolicy } from "./policy.ts";
import type { LinkState } from "./state.ts";

/** Ends a link that has no connection: `closed` comes when what was given up before is gone. */
export function giveUp(state: LinkState, why: CloseReason, lastCause: unknown, ctx: Ctx): LinkState {
  const cause =
    why.endsWith("exhausted") || why === "first-connect-failed" ? everyCause(state, lastCause) : lastCause;
  ctx.effects.push({ type: "cancelTimer", name: "drain" }, { type: "failWaiting", why, cause });
  const over: LinkState = { ...state, current: undefined, next: undefined };
  if (over.releasing.length > 0) return closing(over, why, cause, state.policy.closeTimeoutMs, ctx);
  return finish({ ...over, why, closeCause: cause }, ctx);
}

/** Nothing of a given-up connection is left; the last one ends a link that is closing. */
export function released(state: LinkState, epoch: number, ctx: Ctx): LinkState {
  if (!state.releasing.includes(epoch)) return state;
  const rest: LinkState = { ...state, releasing: state.releasing.filter((one) => one !== epoch) };
  return rest.phase === "closing" && rest.releasing.length === 0 ? finish(rest, ctx) : rest;
}

/** The last thing a link does. */
export function finish(state: LinkState, ctx: Ctx): LinkState {
  const closed = enter({ ...state, current: undefined, next: undefined }, "closed", ctx);
  emit(ctx, { name: "closed", data: { why: state.why ?? "user", cause: state.closeCause } });
  return closed;
}

/** Every endpoint failed: one cause each. */
function everyCause(state: LinkState, lastCause: unknown): unknown {
  const failures = [...(state.episode?.failures ?? [])];
  if (failures.length < 2) return lastCause;
  const list = failures.map(([id, error]) => `${id}: ${reasonOf(error)}`).join("; ");
  return new AggregateError(
    failures.map(([, error]) => error),
    `every endpoint failed (${list})`,
  );
}

/** Safe in every state, and idempotent. */
export function closeLink(state: LinkState, why: CloseReason, cause: unknown, ctx: Ctx): LinkState {
  switch (state.phase) {
    case "closing":
    case "closed":
      return state;
    case "ready":
      return closeReady(state, why, cause, ctx);
    case "dialing":
    case "restoring":
      return abortAttempt(state, why, cause, ctx);
    case "parked":
      ctx.effects.push({ type: "yieldPermit", evidence: "unused" });
      return giveUp(state, why, cause, ctx);
    default:
      return giveUp(state, why, cause, ctx);
  }
}

/**
 * A new policy begins its schedules afresh. A link that waits for an attempt the new policy would not make ends now;
 * one that dials ends when the attempt fails.
 */
export function changePolicy(state: LinkState, policy: LinkPolicy, ctx: Ctx): LinkState {
  const { phase, episode } = state;
  const schedule = policy.backoff.start();
  const changed = { ...state, policy, schedule, authSchedule: policy.authBackoff.start() };
  if ((phase !== "waiting" && phase !== "parked") || episode === undefined) return changed;
  if (episode.kind === "loss" && !policy.reconnect && !episode.forced)
    return closeLink(changed, "reconnect-disabled", episode.lossCause, ctx);
  if (episode.kind === "first" && episode.attempts > 0 && !policy.retryInitial)
    return closeLink(changed, "first-connect-failed", [...episode.failures.values()].at(-1), ctx);
  return changed;
}

/** Nothing is left to finish: close in good order. */
export function drained(state: LinkState, ctx: Ctx): LinkState {
  return closeLink(state, "drained", undefined, ctx);
}

function closeReady(state: LinkState, why: CloseReason, cause: unknown, ctx: Ctx): LinkState {
  const current = state.current as Candidate;
  const upMs = ctx.nowMs - state.readySinceMs;
  emit(ctx, { name: "disconnected", data: { endpoint: current.id, cause: undefined, upMs } });
  const deadlineMs = state.policy.closeTimeoutMs;
  ctx.effects.push(
    { type: "cancelTimer", name: "drain" },
    { type: "failWaiting", why, cause },
    { type: "shutGate", epoch: state.epoch, cause, byUser: true },
  );
  const how = { type: "closeConnection", epoch: state.epoch, how: "graceful", deadlineMs } as const;
  return closing(release(state, how, ctx), why, cause, deadlineMs, ctx);
}

function abortAttempt(state: LinkState, why: CloseReason, cause: unknown, ctx: Ctx): LinkState {
  ctx.effects.push(
    { type: "cancelTimer", name: "drain" },
    { type: "yieldPermit", evidence: "unused" },
    { type: "failWaiting", why, cause },
  );
  const how = { type: "closeConnection", epoch: state.epoch, how: "abrupt", deadlineMs: 0 } as const;
  return closing(release(state, how, ctx), why, cause, state.policy.closeTimeoutMs, ctx);
}

function closing(
  state: LinkState,
  why: CloseReason,
  cause: unknown,
  deadlineMs: number,
  ctx: Ctx,
): LinkState {
  const next = enter({ ...state, why, closeCause: cause }, "closing", ctx);
  // A library that never confirms must not keep `close()` waiting; a little later than its own deadline.
  ctx.effects.push({ type: "setTimer", name: "phase", delayMs: deadlineMs + 50 });
  return next;
}
