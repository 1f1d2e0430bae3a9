/** The part of the machine that answers what comes from outside the attempts: the owner's wishes, newcomers, wakes. */
import { HoldfastError } from "../call/index.ts";
import type { Candidate, Endpoint } from "../endpoint/index.ts";
import { giveUp } from "./machine-close.ts";
import { failed, lost } from "./machine-loss.ts";
import { beginEpisode, lastFailure, proceed } from "./machine-plan.ts";
import { type Ctx, emit, enter } from "./machine-tools.ts";
import type { LinkEvent, LinkState } from "./state.ts";

/**
 * A lazy link is asked for a connection. One that fell asleep after failures goes on with its back-off: callers that
 * come and go must not dial a dead server as often as they come. The time asleep counts for no limit.
 */
export function resume(state: LinkState, ctx: Ctx): LinkState {
  const { episode, next, dueMs } = state;
  if (episode === undefined || next === undefined)
    return beginEpisode(state, state.everReady ? "loss" : "first", undefined, ctx);
  const startedMs = episode.startedMs + ctx.nowMs - state.sinceMs;
  const awake = { ...enter(state, "waiting", ctx), episode: { ...episode, startedMs } };
  return waitUntil(awake, dueMs, ctx);
}

export function discovered(state: LinkState, named: readonly Endpoint[], ctx: Ctx): LinkState {
  // The one in use stays, and so does the one that comes next.
  const endpoints = state.endpoints.discover(named, (state.current ?? state.next)?.id, ctx.random);
  const before = new Set(state.endpoints.candidates.map((c) => c.id));
  const after = new Set(endpoints.candidates.map((c) => c.id));
  const added = [...after].filter((id) => !before.has(id));
  const removed = [...before].filter((id) => !after.has(id));
  if (added.length > 0 || removed.length > 0) emit(ctx, { name: "discovered", data: { added, removed } });
  const newcomer = added[0];
  if (state.phase !== "waiting" || newcomer === undefined) return { ...state, endpoints };
  // A server nobody has tried yet is a reason not to wait; one that was gone and is back keeps its distance.
  const first = endpoints.toFront(newcomer);
  const next = first.pick() as Candidate;
  const dueMs = soonestMs(state, next, ctx);
  return dueMs < state.dueMs
    ? waitUntil({ ...state, endpoints: first, next }, dueMs, ctx)
    : { ...state, endpoints };
}

/**
 * The owner gives other endpoints. The connection in use stays, and so does a dial under way; a wait for one that is
 * gone becomes a wait for the next one, and one that nobody has tried yet is a reason not to wait.
 */
export function replaced(
  state: LinkState,
  event: Extract<LinkEvent, { type: "replaced" }>,
  ctx: Ctx,
): LinkState {
  const before = new Set(state.endpoints.candidates.map(({ id }) => id));
  const endpoints = state.endpoints.replace(event.endpoints, event.order, ctx.random);
  const changed: LinkState = { ...state, endpoints };
  const asleep = state.phase === "dormant" && state.next !== undefined;
  if (state.phase !== "waiting" && state.phase !== "parked" && !asleep) return changed;
  const newcomer = endpoints.candidates.find(({ id }) => !before.has(id));
  const stays = endpoints.candidates.some(({ id }) => id === state.next?.id);
  if (newcomer === undefined && stays) return changed;
  if (state.phase === "parked") {
    if (stays) return changed;
    ctx.effects.push({ type: "yieldPermit", evidence: "unused" });
  }
  const open = endpoints.pick() === undefined ? endpoints.startRound() : endpoints;
  const next = (newcomer === undefined ? open : open.toFront(newcomer.id)).pick();
  if (next === undefined) return giveUp(changed, "attempts-exhausted", lastFailure(state), ctx);
  const planned: LinkState = { ...changed, endpoints: open.toFront(next.id), next };
  const soonest = soonestMs(planned, next, ctx);
  if (state.phase === "parked" && soonest <= ctx.nowMs) return proceed(planned, ctx);
  const dueMs = newcomer === undefined && state.phase !== "parked" ? Math.max(state.dueMs, soonest) : soonest;
  if (asleep) return { ...planned, dueMs };
  return waitUntil({ ...enter(planned, "waiting", ctx), sinceMs: state.sinceMs }, dueMs, ctx);
}

/** `reconnectNow` and `failover`: never sooner than the minimum gap, and a thousand of them are one dial. */
export function force(state: LinkState, pending: number, elsewhere: boolean, ctx: Ctx): LinkState {
  switch (state.phase) {
    case "idle":
      return beginEpisode(state, "first", undefined, ctx);
    case "dormant": {
      const awake = resume(state, ctx);
      return awake.phase === "waiting" ? force(awake, pending, elsewhere, ctx) : awake;
    }
    case "waiting":
      return elsewhere ? skip(state, ctx) : sooner(state, ctx);
    case "ready": {
      const event = {
        type: "lost",
        epoch: state.epoch,
        linkClass: "transient",
        cause: asked(elsewhere),
        pending: Math.max(1, pending), // a forced reconnect is itself the demand
      } as const;
      const down = lost(state, event, ctx, elsewhere ? "elsewhere" : "here");
      return down.phase === "waiting" ? sooner(down, ctx) : down;
    }
    case "dialing":
    case "restoring": {
      // Only where there is another endpoint left to try: a wish must not end the first connect.
      if (!elsewhere || state.endpoints.pick() === undefined) return state;
      const cause = asked(elsewhere);
      return failed(state, { type: "failed", epoch: state.epoch, linkClass: "transient", cause }, ctx);
    }
    default:
      return state;
  }
}

function asked(elsewhere: boolean): HoldfastError {
  const what = elsewhere ? "leave the endpoint" : "reconnect";
  return new HoldfastError("HF_LOST", `the owner asked to ${what}`, { details: { asked: true } });
}

/** Waiting for one endpoint, told to try another: the one that was next goes last. */
function skip(state: LinkState, ctx: Ctx): LinkState {
  const behind = state.endpoints.toBack((state.next as Candidate).id);
  const endpoints = behind.pick() === undefined ? behind.startRound() : behind;
  const next = endpoints.pick();
  if (next === undefined || next.id === state.next?.id) return sooner(state, ctx);
  // The wait so far was for the other one: this one has its own minimum gap.
  return waitUntil({ ...state, endpoints, next }, soonestMs(state, next, ctx), ctx);
}

/** Cuts a wait short, down to the minimum gap. */
export function sooner(state: LinkState, ctx: Ctx): LinkState {
  const dueMs = soonestMs(state, state.next as Candidate, ctx);
  return dueMs < state.dueMs ? waitUntil(state, dueMs, ctx) : state;
}

function soonestMs(state: LinkState, next: Candidate, ctx: Ctx): number {
  return Math.max(ctx.nowMs, next.dialledMs + state.policy.minDialGapMs);
}

function waitUntil(state: LinkState, dueMs: number, ctx: Ctx): LinkState {
  if (dueMs <= ctx.nowMs) return proceed(state, ctx);
  ctx.effects.push({ type: "setTimer", name: "phase", delayMs: dueMs - ctx.nowMs });
  return { ...state, dueMs };
}
