/** The part of the machine that ends a ready connection: a loss, or a wish to be elsewhere. */
import type { Candidate } from "../endpoint/index.ts";
import { giveUp } from "./machine-close.ts";
import { beginEpisode, proceed } from "./machine-plan.ts";
import { type Ctx, emit, enter } from "./machine-tools.ts";
import type { LinkEvent, LinkState } from "./state.ts";

/** A ready connection is gone. */
export function lost(
  state: LinkState,
  event: Extract<LinkEvent, { type: "lost" }>,
  ctx: Ctx,
  endpointToBack = true,
): LinkState {
  const current = state.current as Candidate;
  const upMs = ctx.nowMs - state.readySinceMs;
  emit(ctx, { name: "disconnected", data: { endpoint: current.id, cause: event.cause, upMs } });
  ctx.effects.push(
    { type: "shutGate", epoch: state.epoch, cause: event.cause, byUser: false },
    { type: "closeConnection", epoch: state.epoch, how: "abrupt", deadlineMs: 0 },
  );
  const stable = upMs >= state.policy.stableAfterMs;
  const down: LinkState = {
    ...state,
    current: undefined,
    schedule: stable ? state.policy.backoff.start() : state.schedule,
    endpoints: endpointToBack
      ? (stable ? state.endpoints.startRound() : state.endpoints).toBack(current.id)
      : state.endpoints.startRound().toFront(current.id),
  };
  if (event.linkClass === "fatal") return giveUp(down, "fatal", event.cause, ctx);
  if (!state.policy.reconnect) return giveUp(down, "reconnect-disabled", event.cause, ctx);
  if (state.draining && event.pending === 0) return giveUp(down, "drained", undefined, ctx);
  if (state.policy.lazy && event.pending === 0) return enter(down, "dormant", ctx);
  return beginEpisode(down, "loss", event.cause, ctx, !stable);
}

/** `reconnectNow` and `failover`: never sooner than the minimum gap, and a thousand of them are one dial. */
export function force(state: LinkState, pending: number, elsewhere: boolean, ctx: Ctx): LinkState {
  switch (state.phase) {
    case "idle":
      return beginEpisode(state, "first", undefined, ctx);
    case "dormant":
      return resume(state, ctx);
    case "waiting":
      return sooner(elsewhere ? skip(state) : state, ctx);
    case "ready": {
      const event = {
        type: "lost",
        epoch: state.epoch,
        linkClass: "transient",
        cause: undefined,
        pending: Math.max(1, pending), // a forced reconnect is itself the demand
      } as const;
      const down = lost(state, event, ctx, elsewhere);
      return down.phase === "waiting" ? sooner(down, ctx) : down;
    }
    default:
      return state;
  }
}

/** Waiting for one endpoint, told to try another: the one that was next goes last. */
function skip(state: LinkState): LinkState {
  if (state.next === undefined || state.endpoints.candidates.length < 2) return state;
  const endpoints = state.endpoints.toBack(state.next.id);
  return { ...state, endpoints, next: endpoints.pick() ?? state.next };
}

/** Cuts a wait short, down to the minimum gap. */
export function sooner(state: LinkState, ctx: Ctx): LinkState {
  const next = state.next as Candidate;
  const dueMs = Math.max(ctx.nowMs, next.dialledMs + state.policy.minDialGapMs);
  if (dueMs >= state.dueMs) return state;
  if (dueMs <= ctx.nowMs) return proceed(state, ctx);
  ctx.effects.push({ type: "setTimer", name: "phase", delayMs: dueMs - ctx.nowMs });
  return { ...state, dueMs };
}

/** A sleeping link is asked for. */
export function resume(state: LinkState, ctx: Ctx): LinkState {
  return beginEpisode(state, state.everReady ? "loss" : "first", state.episode?.lossCause, ctx);
}
