/**
 * The state machine of a link: pure. `step` takes a state and an event and returns the next state and the effects
 * to carry out, in order. The same function runs in production, in the model tests and in the fleet simulator.
 *
 *     idle → parked → dialing → restoring → ready
 *     ready → waiting | parked | dormant        waiting → parked        any → closing → closed
 *     dialing | restoring | parked → waiting | dormant (lazy, and nothing waits)
 */
import { type Candidate, type Endpoint, EndpointSet, type EndpointSetOptions } from "../endpoint/index.ts";
import type { Random } from "../time/index.ts";
import { changePolicy, closeLink, drained, finish, giveUp, released } from "./machine-close.ts";
import { discovered, force, replaced, resume, sooner } from "./machine-force.ts";
import { failed, lost, unpermitted } from "./machine-loss.ts";
import { beginEpisode, lastFailure, proceed } from "./machine-plan.ts";
import { type Ctx, emit, enter } from "./machine-tools.ts";
import type { LinkPolicy } from "./policy.ts";
import type { LinkEffect, LinkEvent, LinkState } from "./state.ts";

export type { Ctx } from "./machine-tools.ts";

export function initialState(
  policy: LinkPolicy,
  given: readonly Endpoint[],
  options: EndpointSetOptions,
  ctx: { readonly nowMs: number; readonly random: Random },
): LinkState {
  return {
    policy,
    phase: "idle",
    sinceMs: ctx.nowMs,
    epoch: 0,
    endpoints: EndpointSet.of(given, options, ctx.random),
    episode: undefined,
    schedule: policy.backoff.start(),
    authSchedule: policy.authBackoff.start(),
    authFailures: 0,
    attemptsSoFar: 0,
    current: undefined,
    next: undefined,
    dueMs: Number.POSITIVE_INFINITY,
    readySinceMs: Number.NEGATIVE_INFINITY,
    everReady: false,
    releasing: [],
    draining: false,
    sessionVersion: 0,
    why: undefined,
    closeCause: undefined,
  };
}

/** One transition. `ctx.effects` collects what must be done, in order. */
export function step(
  state: LinkState,
  event: LinkEvent,
  input: { readonly nowMs: number; readonly random: Random },
): [LinkState, LinkEffect[]] {
  const ctx: Ctx = { nowMs: input.nowMs, random: input.random, effects: [] };
  const next = transition(state, event, ctx);
  if (next.phase !== state.phase) {
    // First among the emits: `closed` must be the last thing a link says.
    ctx.effects.unshift({
      type: "emit",
      event: { name: "state", data: { from: state.phase, to: next.phase } },
    });
  }
  return [next, ctx.effects];
}

function transition(state: LinkState, event: LinkEvent, ctx: Ctx): LinkState {
  if (state.phase === "closed") return late(state, event, ctx);
  switch (event.type) {
    case "start":
      return state.phase === "idle" ? start(state, ctx) : state;
    case "demand":
      return state.phase === "dormant" || (state.phase === "idle" && state.policy.lazy)
        ? resume(state, ctx)
        : state;
    case "granted":
      return state.phase === "parked" ? dial(state, ctx) : state;
    case "timer":
      return timer(state, event, ctx);
    case "dialed":
      return event.epoch === state.epoch && state.phase === "dialing"
        ? restore(state, ctx)
        : late(state, event, ctx);
    case "restored":
      return event.epoch === state.epoch && state.phase === "restoring"
        ? restored(state, event.version, ctx)
        : state;
    case "failed":
      return failed(state, event, ctx);
    case "permitFailed":
      return state.phase === "parked" ? unpermitted(state, event, ctx) : state;
    case "lost":
      return event.epoch === state.epoch && state.phase === "ready"
        ? lost(state, event, ctx)
        : failed(state, event, ctx);
    case "sessionChanged":
      return { ...state, sessionVersion: event.version };
    case "discovered":
      return discovered(state, event.endpoints, ctx);
    case "replaced":
      return replaced(state, event, ctx);
    case "reconnectNow":
      return force(state, event.pending, false, ctx);
    case "failover":
      return force(state, event.pending, true, ctx);
    case "wake":
      if (state.phase !== "waiting") return state;
      return event.endpointId === undefined || event.endpointId === state.next?.id
        ? sooner(state, ctx)
        : state;
    case "drain":
      return drain(state, event.pending, event.deadlineMs, ctx);
    case "inFlightZero":
      return state.draining ? drained(state, ctx) : state;
    case "policy":
      return changePolicy(state, event.policy, ctx);
    case "close":
      return closeLink(state, "user", undefined, ctx);
    case "connectionClosed":
      return released(state, event.epoch, ctx);
  }
}

/** A late event of an older epoch changes nothing but the release of what it carries. */
function late(state: LinkState, event: LinkEvent, ctx: Ctx): LinkState {
  if (event.type === "dialed") ctx.effects.push({ type: "discard", epoch: event.epoch });
  return state;
}

function start(state: LinkState, ctx: Ctx): LinkState {
  if (state.policy.lazy) return enter(state, "dormant", ctx);
  return beginEpisode(state, "first", undefined, ctx);
}

function timer(state: LinkState, event: Extract<LinkEvent, { type: "timer" }>, ctx: Ctx): LinkState {
  if (event.name === "drain") {
    return state.draining ? closeLink(state, "drain-timeout", undefined, ctx) : state;
  }
  switch (state.phase) {
    case "waiting":
      return proceed(state, ctx);
    case "dialing":
    case "restoring":
      return failed(
        state,
        { ...event, type: "failed", epoch: state.epoch, linkClass: "transient", cause: event.cause },
        ctx,
      );
    case "parked":
      ctx.effects.push({ type: "yieldPermit", evidence: "unused" });
      return giveUp(state, "time-exhausted", lastFailure(state), ctx);
    case "closing":
      // The library did not confirm in time: its socket is destroyed from outside.
      for (const epoch of state.releasing) ctx.effects.push({ type: "discard", epoch });
      return finish({ ...state, releasing: [] }, ctx);
    default:
      return state;
  }
}

/** The permit is there: dial. */
function dial(state: LinkState, ctx: Ctx): LinkState {
  const candidate = state.next as Candidate;
  const epoch = state.epoch + 1;
  const attempts = (state.episode?.attempts ?? 0) + 1;
  const dialing = enter(state, "dialing", ctx);
  ctx.effects.push(
    { type: "dial", epoch, endpoint: candidate.endpoint, attempt: attempts },
    { type: "setTimer", name: "phase", delayMs: state.policy.connectTimeoutMs },
  );
  emit(ctx, { name: "attempt", data: { endpoint: candidate.id, attempt: attempts, epoch } });
  return {
    ...dialing,
    epoch,
    current: candidate,
    next: undefined,
    endpoints: state.endpoints.dialled(candidate.id, ctx.nowMs),
    episode: state.episode && { ...state.episode, attempts },
  };
}

function restore(state: LinkState, ctx: Ctx): LinkState {
  const restoring = enter(state, "restoring", ctx);
  ctx.effects.push(
    { type: "restore", epoch: state.epoch },
    { type: "setTimer", name: "phase", delayMs: state.policy.restoreTimeoutMs },
  );
  return restoring;
}

/** Ready only at the current session version: a subscribe during the restore runs it again. */
function restored(state: LinkState, version: number, ctx: Ctx): LinkState {
  if (version !== state.sessionVersion) {
    ctx.effects.push({ type: "restore", epoch: state.epoch });
    return state;
  }
  const current = state.current as Candidate;
  const episode = state.episode;
  const attempts = episode?.attempts ?? 1;
  const tookMs = ctx.nowMs - (episode?.startedMs ?? ctx.nowMs);
  ctx.effects.push({ type: "yieldPermit", evidence: "up" }, { type: "openGate", epoch: state.epoch });
  if (state.everReady)
    emit(ctx, { name: "reconnected", data: { endpoint: current.id, attempts, downMs: tookMs } });
  else emit(ctx, { name: "connected", data: { endpoint: current.id, attempts, tookMs } });
  return {
    ...enter(state, "ready", ctx),
    endpoints: state.endpoints.succeeded(current.id),
    episode: undefined,
    authSchedule: state.policy.authBackoff.start(),
    authFailures: 0,
    attemptsSoFar: attempts,
    readySinceMs: ctx.nowMs,
    everReady: true,
  };
}

function drain(state: LinkState, pending: number, deadlineMs: number, ctx: Ctx): LinkState {
  if (state.draining || state.phase === "closing") return state;
  ctx.effects.push({ type: "drainGate" });
  if (pending === 0) return drained({ ...state, draining: true }, ctx);
  ctx.effects.push({ type: "setTimer", name: "drain", delayMs: deadlineMs });
  return { ...state, draining: true };
}
