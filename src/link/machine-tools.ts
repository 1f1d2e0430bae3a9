import type { Random } from "../time/index.ts";
import type { LinkPhase } from "./phase.ts";
import type { EmitEffect, LinkEffect, LinkState } from "./state.ts";

/** What one transition works with: the moment, the randomness, and the effects it asks for. */
export interface Ctx {
  readonly nowMs: number;
  readonly random: Random;
  readonly effects: LinkEffect[];
}

export function emit(ctx: Ctx, event: EmitEffect): void {
  ctx.effects.push({ type: "emit", event });
}

/** Gives up a connection or a dial; it counts until `connectionClosed` says that nothing of it is left. */
export function release(
  state: LinkState,
  effect: Extract<LinkEffect, { type: "discard" | "closeConnection" }>,
  ctx: Ctx,
): LinkState {
  ctx.effects.push(effect);
  return state.releasing.includes(effect.epoch)
    ? state
    : { ...state, releasing: [...state.releasing, effect.epoch] };
}

/** Moves to a phase and sets the one phase timer that belongs to it. */
export function enter(state: LinkState, phase: LinkPhase, ctx: Ctx): LinkState {
  ctx.effects.push({ type: "cancelTimer", name: "phase" });
  return { ...state, phase, sinceMs: ctx.nowMs, dueMs: Number.POSITIVE_INFINITY };
}

/** From waiting to dormant, in the middle of an episode: what was planned is kept, and its time too. */
export function sleep(state: LinkState, ctx: Ctx): LinkState {
  return { ...enter(state, "dormant", ctx), dueMs: state.dueMs };
}
