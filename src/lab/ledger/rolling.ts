/** A ledger trial of one link while the members of a cluster are restarted in turn, again and again. */
import { systemClock } from "../../time/index.ts";
import { Ledger } from "./ledger.ts";
import { rest } from "./storm.ts";
import type { TrialLink } from "./trial.ts";
import { explainVerdict, type Verdict } from "./verdict.ts";
import { Workload } from "./workload.ts";

/**
 * - `stop`: ended as an operator does it (SIGTERM).
 * - `leave`: told to say goodbye first, so that clients move away before it goes; then ended.
 * - `kill-9`: ended without a word.
 */
export type RestartKind = "stop" | "leave" | "kill-9";

/** One server of the cluster. */
export interface RollingMember {
  /** Ends it in that way. */
  end(how: RestartKind): Promise<unknown>;
  /** Starts it again with the same data. */
  start(): Promise<void>;
}

export interface RollingOptions {
  readonly members: readonly RollingMember[];
  /** Resolves when the cluster can do without its next member. */
  readonly healthy: () => Promise<void>;
  /** Rolling restarts: each member once in each. */
  readonly rounds: number;
  /** Ways to end a member, in turn over all restarts; with three members, one way each shifts by itself. */
  readonly kinds: readonly RestartKind[];
  readonly link: TrialLink;
  readonly perSecond: number;
  /** Time without restarts before, between and after them. Default 500 ms. */
  readonly calmMs?: number;
  /** How soon after a restart a new write must be acknowledged. Default 30,000 ms. */
  readonly healMs?: number;
  /** How soon after the last write everything must be settled. Default 60,000 ms. */
  readonly settleMs?: number;
  readonly onRestarted?: (label: string, tookMs: number) => void;
}

export interface RollingResult {
  readonly verdict: Verdict;
  readonly restarts: number;
  /** Writes begun per second, over everything. */
  readonly perSecond: number;
  readonly tookMs: number;
  /** Four zeros, and no unknown that was not in flight at a restart. */
  readonly ok: boolean;
  /** The verdict in a line. */
  readonly told: string;
}

/** A second's writes may wait while the cluster elects: the stream of writes does not sag. */
const OPEN_SECONDS = 30;

/** Runs it. Rejects when the link does not work again in time after a restart. */
export async function runRolling(options: RollingOptions): Promise<RollingResult> {
  const { members, healthy, rounds, kinds, link, perSecond, calmMs = 500, healMs = 30_000 } = options;
  const ledger = new Ledger();
  if (link.ready) ledger.linkReady();
  const off = link.onReady((ready) => (ready ? ledger.linkReady() : ledger.linkLost()));
  const startMs = systemClock.nowMs();
  const workload = new Workload({
    ledger,
    perSecond,
    maxOpen: perSecond * OPEN_SECONDS,
    write: (id) => link.write(id),
    ...(link.isAnswer && { isAnswer: (error: unknown) => link.isAnswer?.(error) ?? false }),
  });
  let restarts = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const [i, member] of members.entries()) {
        await rest(calmMs);
        // The rounds shift the kinds, so that each member is ended in each way.
        const how = kinds[(restarts + round - 1) % kinds.length] as RestartKind;
        const label = `round ${round}, member ${i}: ${how}`;
        const sinceMs = systemClock.nowMs();
        ledger.cut(label);
        await member.end(how);
        await member.start();
        await healthy();
        await workload.nextAcknowledged(healMs);
        ledger.healed();
        restarts++;
        options.onRestarted?.(label, systemClock.nowMs() - sinceMs);
      }
    }
    await rest(calmMs);
    workload.stop();
    const tookMs = systemClock.nowMs() - startMs;
    await workload.settled(options.settleMs ?? 60_000);
    const verdict = ledger.audit(await link.audit());
    const bounded = verdict.cuts.every(({ unknown, inFlight }) => unknown <= inFlight);
    return {
      verdict,
      restarts,
      perSecond: (verdict.sent * 1_000) / tookMs,
      tookMs,
      ok: verdict.ok && bounded && verdict.acknowledged > 0,
      told: explainVerdict(verdict),
    };
  } finally {
    workload.stop();
    off();
  }
}
