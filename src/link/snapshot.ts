import { reasonOf } from "../call/index.ts";
import type { Clock } from "../time/index.ts";
import type { CloseReason, LinkPhase } from "./phase.ts";
import type { LinkState } from "./state.ts";
import type { LinkStats } from "./stats.ts";

/** A link as it stands: plain data, safe to log (no credentials are ever in it). */
export interface LinkSnapshot {
  readonly name: string;
  readonly driver: string;
  readonly phase: LinkPhase;
  /** How long it has been in this phase. */
  readonly forMs: number;
  readonly draining: boolean;
  /** The endpoint dialled or in use. */
  readonly endpoint: string | undefined;
  readonly epoch: number;
  /** Attempts of the episode under way. */
  readonly attempt: number;
  /** How long the episode has lasted. */
  readonly downMs: number | undefined;
  readonly next: { readonly endpoint: string; readonly inMs: number } | undefined;
  /** Why the last attempt failed or the connection was lost, in words. */
  readonly lastCause: string | undefined;
  /** How long ago `lastCause` happened. */
  readonly lastCauseAgoMs: number | undefined;
  readonly candidates: readonly { readonly id: string; readonly origin: string; readonly failures: number }[];
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly inFlight: number;
  readonly dials: number;
  readonly episodes: number;
  readonly connects: number;
  readonly why: CloseReason | undefined;
}

interface Counts {
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly inFlight: number;
  readonly stats: LinkStats;
}

export function takeSnapshot(
  name: string,
  driver: string,
  state: LinkState,
  clock: Clock,
  counts: Counts,
): LinkSnapshot {
  const nowMs = clock.nowMs();
  const { stats, ...rest } = counts;
  const caused = stats.lastCause !== undefined;
  return {
    name,
    driver,
    phase: state.phase,
    forMs: nowMs - state.sinceMs,
    draining: state.draining,
    endpoint: state.current?.id,
    epoch: state.epoch,
    attempt: state.episode?.attempts ?? 0,
    downMs: state.episode === undefined ? undefined : nowMs - state.episode.startedMs,
    next:
      state.phase === "waiting" && state.next !== undefined
        ? { endpoint: state.next.id, inMs: Math.max(0, state.dueMs - nowMs) }
        : undefined,
    lastCause: caused ? reasonOf(stats.lastCause) : undefined,
    lastCauseAgoMs: caused ? nowMs - stats.lastCauseMs : undefined,
    candidates: state.endpoints.candidates.map(({ id, origin, failures }) => ({ id, origin, failures })),
    dials: stats.dials,
    episodes: stats.episodes,
    connects: stats.connects,
    why: state.why,
    ...rest,
  };
}
