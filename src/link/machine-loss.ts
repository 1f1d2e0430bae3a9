/** The part of the machine that answers failed attempts and lost connections. */
import type { Candidate } from "../endpoint/index.ts";
import { giveUp } from "./machine-close.ts";
import { beginEpisode, plan } from "./machine-plan.ts";
import { type Ctx, emit, enter, release, sleep } from "./machine-tools.ts";
import type { LinkEvent, LinkState } from "./state.ts";

/** An attempt failed, in whatever step. */
export function failed(state: LinkState, event: LinkEvent & { epoch: number }, ctx: Ctx): LinkState {
  if (event.type !== "failed" && event.type !== "lost") return state;
  if (event.epoch !== state.epoch) return state;
  if (state.phase !== "dialing" && state.phase !== "restoring") return state;
  ctx.effects.push({ type: "yieldPermit", evidence: "down" });
  const given = release(state, { type: "discard", epoch: state.epoch }, ctx);
  return attemptFailed({ ...given, current: undefined }, state.current as Candidate, event, ctx);
}

/**
 * Who gives permits threw: an attempt that failed before its dial, so that what is wrong for a moment is tried again
 * by the schedule. It counts as one, and for the minimum gap too: no hot loop through the permits.
 */
export function unpermitted(
  state: LinkState,
  event: { readonly cause: unknown; readonly pending?: number },
  ctx: Ctx,
): LinkState {
  const next = state.next as Candidate;
  const attempt = (state.episode?.attempts ?? 0) + 1;
  ctx.effects.push({ type: "yieldPermit", evidence: "unused" });
  emit(ctx, { name: "attempt", data: { endpoint: next.id, attempt, epoch: state.epoch } });
  const tried: LinkState = {
    ...enter(state, "parked", ctx),
    next: undefined,
    endpoints: state.endpoints.dialled(next.id, ctx.nowMs),
    episode: state.episode && { ...state.episode, attempts: attempt },
  };
  return attemptFailed(tried, next, { ...event, linkClass: "transient" }, ctx);
}

function attemptFailed(
  state: LinkState,
  current: Candidate,
  event: Pick<Extract<LinkEvent, { type: "failed" }>, "linkClass" | "cause" | "pending">,
  ctx: Ctx,
): LinkState {
  const episode = state.episode;
  const [authSchedule, authDelayMs] =
    event.linkClass === "auth" ? drawAuth(state, ctx) : [state.authSchedule, 0];
  const noted: LinkState = {
    ...state,
    endpoints: state.endpoints.toBack(current.id),
    authSchedule,
    authFailures: event.linkClass === "auth" ? state.authFailures + 1 : state.authFailures,
    episode: episode && {
      ...episode,
      failures: new Map(episode.failures).set(current.id, event.cause),
      authDelayMs: Math.max(episode.authDelayMs, authDelayMs),
    },
  };
  const unwanted = state.policy.lazy && event.pending === 0;
  const report = (nextDelayMs: number | undefined): void =>
    emit(ctx, {
      name: "attemptFailed",
      data: {
        endpoint: current.id,
        attempt: episode?.attempts ?? 1,
        cause: event.cause,
        linkClass: event.linkClass,
        nextDelayMs: unwanted && nextDelayMs !== 0 ? undefined : nextDelayMs,
      },
    });
  if (event.linkClass === "fatal") {
    report(undefined);
    return giveUp(noted, "fatal", event.cause, ctx);
  }
  if (noted.authFailures >= state.policy.maxAuthFailures) {
    report(undefined);
    return giveUp(noted, "auth", event.cause, ctx);
  }
  const planned = plan(noted, event.cause, ctx, report);
  // A round under way is finished; the next one waits until somebody asks.
  return unwanted && planned.phase === "waiting" ? sleep(planned, ctx) : planned;
}

function drawAuth(state: LinkState, ctx: Ctx): [LinkState["authSchedule"], number] {
  const drawn = state.authSchedule.next(ctx.random, { attempt: state.authFailures, elapsedMs: 0 });
  return "exhausted" in drawn ? [state.authSchedule, 0] : [drawn.schedule, drawn.delayMs];
}

/** A ready connection is gone, by itself or because its owner asked to dial again `here` or `elsewhere`. */
export function lost(
  state: LinkState,
  event: Extract<LinkEvent, { type: "lost" }>,
  ctx: Ctx,
  asked?: "here" | "elsewhere",
): LinkState {
  const current = state.current as Candidate;
  const upMs = ctx.nowMs - state.readySinceMs;
  emit(ctx, { name: "disconnected", data: { endpoint: current.id, cause: event.cause, upMs } });
  ctx.effects.push({ type: "shutGate", epoch: state.epoch, cause: event.cause, byUser: false });
  const how = { type: "closeConnection", epoch: state.epoch, how: "abrupt", deadlineMs: 0 } as const;
  const stable = upMs >= state.policy.stableAfterMs;
  const down: LinkState = {
    ...release(state, how, ctx),
    current: undefined,
    schedule: stable ? state.policy.backoff.start() : state.schedule,
    endpoints:
      asked === "here"
        ? state.endpoints.startRound().toFront(current.id)
        : (stable ? state.endpoints.startRound() : state.endpoints).lost(current.id),
  };
  if (event.linkClass === "fatal") return giveUp(down, "fatal", event.cause, ctx);
  if (!state.policy.reconnect && asked === undefined)
    return giveUp(down, "reconnect-disabled", event.cause, ctx);
  if (state.draining && event.pending === 0) return giveUp(down, "drained", undefined, ctx);
  if (state.policy.lazy && event.pending === 0) return enter(down, "dormant", ctx);
  return beginEpisode(down, "loss", event.cause, ctx, { carryOn: !stable, forced: asked !== undefined });
}
