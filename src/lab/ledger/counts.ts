import type { Verdict } from "./verdict.ts";

/** A verdict in numbers, as programs read it: what `npm run soak` and `holdfast demo --json` say of each link. */
export interface LedgerCounts {
  readonly sent: number;
  readonly acknowledged: number;
  readonly notApplied: number;
  readonly unknown: number;
  /** Acknowledged, but absent. */
  readonly lost: number;
  /** Applied more than once. */
  readonly duplicated: number;
  /** Told `not-applied`, but applied. */
  readonly falselyNotApplied: number;
  /** Never settled. */
  readonly unsettled: number;
}

export function countsOf(verdict: Verdict): LedgerCounts {
  return {
    sent: verdict.sent,
    acknowledged: verdict.acknowledged,
    notApplied: verdict.notApplied,
    unknown: verdict.unknown,
    lost: verdict.lost.length,
    duplicated: verdict.duplicated.length,
    falselyNotApplied: verdict.falselyNotApplied.length,
    unsettled: verdict.unsettled.length,
  };
}
