/** The part of the machine that decides when and where the next attempt happens. */
import type { Step, StepContext } from "../backoff/index.ts";
import type { Candidate, EndpointSet } from "../endpoint/index.ts";
import { giveUp } from "./machine-close.ts";
import { type Ctx, emit, enter } from "./machine-tools.ts";
import type { Chooser } from "./policy.ts";
import type { LinkState } from "./state.ts";

/**
 * Opens an episode. The immediate first try *is* slot 0 of the schedule (the very first dial of a link is free where
 * that slot is a wait); with `carryOn` (the last connection did
 * not last) the schedule goes on where it was and the round is not begun again, so that a server that accepts and
 * drops is backed off from like one that refuses.
 */
export function beginEpisode(
  state: LinkState,
  kind: "first" | "loss",
  lossCause: unknown,
  ctx: Ctx,
  { carryOn = false, forced = false }: { carryOn?: boolean; forced?: boolean } = {},
): LinkState {
  const opened: LinkState = {
    ...state,
    episode: {
      kind,
      startedMs: ctx.nowMs,
      forced,
      attempts: carryOn ? state.attemptsSoFar : 0,
      slots: 0,
      lossCause,
      failures: new Map(),
      authDelayMs: 0,
    },
  };
  if (kind === "loss" && state.policy.maxAttempts <= 0)
    return giveUp(opened, "attempts-exhausted", lossCause, ctx);
  return carryOn ? plan(opened, lossCause, ctx) : drawRound(opened, lossCause, ctx);
}

/** What went wrong last in the episode under way. */
export function lastFailure(state: LinkState): unknown {
  return [...(state.episode?.failures.values() ?? [])].at(-1) ?? state.episode?.lossCause;
}

/** After a failure: the next endpoint of this round at once, or a delay and a new round, or the end. */
export function plan(
  state: LinkState,
  cause: unknown,
  ctx: Ctx,
  report: (nextDelayMs: number | undefined) => void = () => {},
): LinkState {
  const { policy, episode } = state;
  const firstOnly = onlyOneRound(state);
  const stop = (why: Parameters<typeof giveUp>[1]): LinkState => {
    report(undefined);
    return giveUp(state, why, cause, ctx);
  };
  const inRound = state.endpoints.pick();
  if (firstOnly && inRound === undefined) {
    if (episode?.kind === "loss") return stop("reconnect-disabled");
    const attempts = episode?.attempts ?? 0;
    return stop(attempts > 0 && state.authFailures === attempts ? "auth" : "first-connect-failed");
  }
  if (!firstOnly && episode !== undefined) {
    if (episode.kind === "loss" && !policy.reconnect) return stop("reconnect-disabled");
    if (state.endpoints.exhausted || episode.attempts >= policy.maxAttempts)
      return stop("attempts-exhausted");
    if (ctx.nowMs - episode.startedMs >= policy.maxElapsedMs) return stop("time-exhausted");
  }
  if (inRound !== undefined && (policy.delayPer === "round" || firstOnly)) {
    return schedule(state, inRound, 0, cause, ctx, report);
  }
  return drawRound(state, cause, ctx, report);
}

/** A first connect that is not retried; a reconnect that its owner forced although reconnecting is off. */
function onlyOneRound({ policy, episode }: LinkState): boolean {
  return episode?.kind === "first" ? !policy.retryInitial : episode?.forced === true && !policy.reconnect;
}

/** Draws the next delay; a round that is over begins again. */
function drawRound(
  state: LinkState,
  cause: unknown,
  ctx: Ctx,
  report: (nextDelayMs: number | undefined) => void = () => {},
): LinkState {
  const episode = state.episode;
  const slots = episode?.slots ?? 0;
  const elapsedMs = ctx.nowMs - (episode?.startedMs ?? ctx.nowMs);
  const slot = draw(state, ctx, { attempt: slots, elapsedMs, cause });
  // A link that has never dialled has nothing to keep its distance from: a schedule that begins with a wait begins
  // behind its first attempt.
  const untried =
    state.epoch === 0 &&
    cause === undefined &&
    !("threw" in slot) &&
    !("delayMs" in slot && slot.delayMs === 0);
  const drawn: typeof slot = untried ? { delayMs: 0, schedule: state.schedule } : slot;
  if ("threw" in drawn) {
    report(undefined);
    return giveUp(state, "fatal", drawn.threw, ctx);
  }
  if ("exhausted" in drawn) {
    report(undefined);
    return giveUp(
      state,
      drawn.limit === undefined ? "schedule-exhausted" : `${drawn.limit}-exhausted`,
      cause,
      ctx,
    );
  }
  const endpoints = state.endpoints.pick() === undefined ? state.endpoints.startRound() : state.endpoints;
  const next = endpoints.pick();
  if (next === undefined) {
    report(undefined);
    return giveUp(state, "attempts-exhausted", cause, ctx);
  }
  const delayMs = Math.max(drawn.delayMs, episode?.authDelayMs ?? 0);
  const round: LinkState = {
    ...state,
    endpoints,
    schedule: drawn.schedule,
    episode: episode && { ...episode, slots: untried ? slots : slots + 1, authDelayMs: 0 },
  };
  return schedule(round, next, delayMs, cause, ctx, report);
}

/** A backoff made from the owner's function may throw: that ends the link and is its reason. */
function draw(state: LinkState, ctx: Ctx, context: StepContext): Step | { readonly threw: unknown } {
  try {
    return state.schedule.next(ctx.random, context);
  } catch (error) {
    return { threw: error };
  }
}

/** Fixes endpoint and time of the next attempt, with the chooser's say and never below the minimum gap. */
function schedule(
  state: LinkState,
  candidate: Candidate,
  delayMs: number,
  cause: unknown,
  ctx: Ctx,
  report: (nextDelayMs: number | undefined) => void,
): LinkState {
  const [endpoints, next, wantedMs] = choose(state, candidate, delayMs, cause, ctx);
  const gapMs = next.dialledMs + state.policy.minDialGapMs - ctx.nowMs;
  const waitMs = Math.max(0, wantedMs, gapMs);
  const endsMs = (state.episode?.startedMs ?? ctx.nowMs) + state.policy.maxElapsedMs;
  if (ctx.nowMs + waitMs > endsMs) {
    report(undefined);
    return giveUp(state, "time-exhausted", cause, ctx);
  }
  report(waitMs);
  const planned: LinkState = { ...state, endpoints, next };
  if (waitMs === 0) return park(planned, ctx);
  const waiting = enter(planned, "waiting", ctx);
  ctx.effects.push({ type: "setTimer", name: "phase", delayMs: waitMs });
  return { ...waiting, dueMs: ctx.nowMs + waitMs };
}

function choose(
  state: LinkState,
  candidate: Candidate,
  delayMs: number,
  cause: unknown,
  ctx: Ctx,
): [EndpointSet, Candidate, number] {
  const choice = askChooser(state, candidate, cause, ctx);
  // NaN would pass every comparison below it, the minimum gap's too.
  const waitMs = choice?.delayMs === undefined || Number.isNaN(choice.delayMs) ? delayMs : choice.delayMs;
  if (choice?.endpointId === undefined) return [state.endpoints, candidate, waitMs];
  const endpoints = state.endpoints.toFront(choice.endpointId);
  const chosen = endpoints.candidates.find((c) => c.id === choice.endpointId);
  return chosen === undefined ? [state.endpoints, candidate, waitMs] : [endpoints, chosen, waitMs];
}

/** A chooser that throws is told, and has no say this time. */
function askChooser(state: LinkState, usual: Candidate, cause: unknown, ctx: Ctx): ReturnType<Chooser> {
  try {
    const others = state.endpoints.candidates.filter(({ id }) => id !== usual.id);
    const candidates = [usual, ...others];
    return state.policy.choose?.({ candidates, attempt: (state.episode?.attempts ?? 0) + 1, cause });
  } catch (error) {
    emit(ctx, { name: "asyncError", data: { error } });
    return undefined;
  }
}

/** The wait is over: ask for a permit to dial. */
export function proceed(state: LinkState, ctx: Ctx): LinkState {
  return park(state, ctx);
}

function park(state: LinkState, ctx: Ctx): LinkState {
  const parked = enter(state, "parked", ctx);
  ctx.effects.push({ type: "requestPermit", endpointId: (state.next as Candidate).id });
  const leftMs = (state.episode?.startedMs ?? ctx.nowMs) + state.policy.maxElapsedMs - ctx.nowMs;
  if (leftMs < Number.POSITIVE_INFINITY)
    ctx.effects.push({ type: "setTimer", name: "phase", delayMs: Math.max(0, leftMs) });
  return parked;
}
