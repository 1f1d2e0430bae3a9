/** The outcome ledger: steady writes through every fault, then the audit of both sides. */
import assert from "node:assert/strict";
import {
  explainVerdict,
  runTrial,
  type StormFault,
  stormFaults,
  type TrialLink,
} from "../../ledger/index.ts";
import type { ConformanceCase } from "../case.ts";
import type { CaseContext, Opened } from "../context.ts";
import type { OpenOptions } from "../target.ts";

/** More writes than any trial of the suite makes. */
const rangeLength = 1_000_000;

/** A busy machine may be silent for some hundred milliseconds without being dead. */
export const trialOptions: Partial<OpenOptions> = {
  callDeadlineMs: 1_500,
  resilience: {
    liveness: { idleProbeMs: 300, probeTimeoutMs: 500 },
    connectTimeoutMs: 1_000,
    retryInitial: true,
  },
};

/** A client of the suite as the ledger sees it, with ids of its own. */
export function trialLink(context: CaseContext, { client }: Opened): TrialLink {
  const first = context.takeRange(rangeLength) - 1;
  return {
    write: (id) => client.write(first + id),
    async audit() {
      const own = [...(await context.server.audit())].filter(
        ([id]) => id > first && id <= first + rangeLength,
      );
      return new Map(own.map(([id, count]) => [id - first, count]));
    },
    get ready() {
      return client.resilience.snapshot().phase === "ready";
    },
    onReady: (changed) =>
      client.resilience.on("state", ({ from, to }) => {
        if (from === "ready" || to === "ready") changed(to === "ready");
      }),
    isAnswer: (error) => client.isAnswer?.(error) ?? false,
  };
}

/** A trial through these faults, one after the other. */
export function trialCase(faults: readonly StormFault[]): ConformanceCase {
  return {
    name: "outcome ledger: four zeros, unknown only what was in flight, 90 % of the rate between faults",
    items: ["[mariadb-redis 34]", "[mariadb-redis 39]"],
    deadlineMs: 120_000,
    async run(context) {
      const opened = await context.connected(trialOptions);
      const { verdict, share } = await runTrial({
        script: faults.map((fault) => ({ fault, holdMs: 1_000, calmMs: 600 })),
        stage: context,
        link: trialLink(context, opened),
        calmFirstMs: 1_000,
        perSecond: context.target.writesPerSecond ?? 200,
      });
      assert.ok(verdict.ok, explainVerdict(verdict));
      for (const cut of verdict.cuts) assert.ok(cut.unknown <= cut.inFlight, cut.label);
      assert.ok(share >= 0.9, `${(share * 100).toFixed(0)} % of the fault-free rate between faults`);
      assert.ok(verdict.acknowledged > 0.5 * verdict.sent, "most writes were acknowledged");
    },
  };
}

export const trialCases: readonly ConformanceCase[] = [trialCase(stormFaults)];
