import type { EmitEffect } from "./state.ts";

/** What a link counts of itself, for its snapshot. */
export class LinkStats {
  dials = 0;
  /** Losses so far. */
  episodes = 0;
  connects = 0;
  lastCause: unknown = undefined;
  lastCauseMs = 0;

  /** Learns from what the link tells. Returns the cause of a failure, when there is one. */
  note(event: EmitEffect, nowMs: number): unknown {
    if (event.name !== "attemptFailed" && event.name !== "disconnected") return undefined;
    const { cause } = event.data;
    if (cause === undefined) return undefined;
    if (event.name === "disconnected") this.episodes++;
    this.lastCause = cause;
    this.lastCauseMs = nowMs;
    return cause;
  }
}
