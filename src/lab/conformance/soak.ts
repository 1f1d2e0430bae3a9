/** One driver through one long seeded storm. */
import {
  countsOf,
  explainVerdict,
  type LedgerCounts,
  runTrial,
  type StormFault,
  stormFaults,
  stormScript,
  type TrialResult,
} from "../ledger/index.ts";
import { trialLink, trialOptions } from "./cases/trial.ts";
import { CaseContext, Servers } from "./context.ts";
import type { ConformanceTarget } from "./target.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Writes per second. Default 200. */
  readonly perSecond?: number;
  readonly onHealed?: (fault: StormFault, tookMs: number) => void;
}

export interface SoakResult extends LedgerCounts {
  readonly driver: string;
  readonly server: string;
  /** The zeros hold, and at least 90 % of the fault-free rate was acknowledged between the faults. */
  readonly ok: boolean;
  readonly cuts: number;
  readonly share: number;
  /** The verdict in a line. */
  readonly told: string;
}

/** The least share of the fault-free rate that must be acknowledged between faults. */
export const wantedShare = 0.9;

/** Runs it; rejects when the link does not work again in time after a fault. */
export async function soakTarget(target: ConformanceTarget, options: SoakOptions): Promise<SoakResult> {
  await using servers = new Servers(target);
  const context = await CaseContext.start(target, servers);
  try {
    const opened = await context.connected(trialOptions);
    const script = stormScript({
      seed: options.seed,
      durationMs: options.minutes * 60_000,
      faults: stormFaults,
    });
    const result = await runTrial({
      script,
      stage: context,
      link: trialLink(context, opened),
      calmFirstMs: 3_000,
      perSecond: options.perSecond ?? target.writesPerSecond ?? 200,
      ...(options.onHealed && { onHealed: options.onHealed }),
    });
    await context.end();
    return summary(target, context, result);
  } finally {
    await context.discard();
  }
}

function summary(
  target: ConformanceTarget,
  { server }: CaseContext,
  { verdict, share }: TrialResult,
): SoakResult {
  return {
    driver: target.driver,
    server: server.description,
    ok: verdict.ok && share >= wantedShare,
    ...countsOf(verdict),
    cuts: verdict.cuts.length,
    share: Math.round(share * 1_000) / 1_000,
    told: `${explainVerdict(verdict)}; ${(share * 100).toFixed(1)} % of the fault-free rate between faults`,
  };
}
