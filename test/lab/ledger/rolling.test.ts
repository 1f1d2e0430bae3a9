/** The judgement of rolling restarts, on a cluster that is a map in this process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldfastError } from "../../../src/call/index.ts";
import {
  Ledger,
  type RestartKind,
  type RollingOptions,
  runRolling,
  Workload,
} from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";

/** A cluster whose writes are acknowledged at once, unless a member is down: then `whileDown` decides. */
function cluster(whileDown: (id: number, applied: Map<number, number>) => Promise<void>) {
  const applied = new Map<number, number>();
  const ended: string[] = [];
  let down = 0;
  const members = [0, 1, 2].map((i) => ({
    async end(how: RestartKind) {
      ended.push(`${i} ${how}`);
      down++;
    },
    async start() {
      await new Promise((resolve) => setImmediate(resolve));
      down--;
    },
  }));
  const options: RollingOptions = {
    members,
    healthy: async () => {},
    rounds: 3,
    kinds: ["kill-9", "stop", "leave"],
    perSecond: 2_000,
    calmMs: 30,
    settleMs: 200,
    link: {
      ready: true,
      onReady: () => () => {},
      audit: async () => applied,
      async write(id) {
        if (down > 0) return whileDown(id, applied);
        applied.set(id, (applied.get(id) ?? 0) + 1);
      },
    },
  };
  return { options, ended, applied };
}

test("three rolling restarts: each member is ended in each way, every figure is zero", async () => {
  const { options, ended } = cluster(async (id, applied) => void applied.set(id, 1));
  const labels: string[] = [];
  const result = await runRolling({ ...options, onRestarted: (label) => labels.push(label) });
  assert.ok(result.ok, result.told);
  assert.equal(result.restarts, 9);
  assert.equal(labels[3], "round 2, member 0: stop");
  assert.equal(new Set(ended).size, 9, ended.join());
  assert.ok(result.verdict.acknowledged > 100, result.told);
  assert.equal(result.verdict.cuts.length, 9);
});

test("a lie while a member is down is found", async () => {
  const { options, applied } = cluster(async () => {});
  const lying: RollingOptions = {
    ...options,
    link: {
      ...options.link,
      async write(id) {
        if (id === 5) return; // acknowledged, never applied
        applied.set(id, id === 6 ? 2 : 1);
        if (id === 7) throw new HoldfastError("HF_LOST", "lost", { outcome: "not-applied" });
        if (id === 8) throw new HoldfastError("HF_LOST", "lost", { outcome: "maybe-applied" });
        if (id === 9) await new Promise(() => {});
      },
    },
  };
  const { verdict, ok } = await runRolling(lying);
  assert.equal(ok, false);
  const { lost, duplicated, falselyNotApplied, unexplained, unsettled } = verdict;
  assert.deepEqual(
    [lost, duplicated, falselyNotApplied, unexplained, unsettled],
    [[5], [6], [7], [8], [9]],
    "8 is unknown before any restart",
  );
});

test("a stream of writes that the machine can't keep up with still lets it hear answers", async () => {
  const ledger = new Ledger();
  const workload = new Workload({
    ledger,
    perSecond: 20_000,
    write: async () => {
      const endMs = systemClock.nowMs() + 1; // twenty times what there is time for
      while (systemClock.nowMs() < endMs);
    },
  });
  const startMs = systemClock.nowMs();
  let turns = 0;
  while (systemClock.nowMs() < startMs + 1_000) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  workload.stop();
  assert.ok(turns >= 10, `${turns} turns in a second`);
  assert.ok(ledger.sent < 2_000, `${ledger.sent} writes: what can't be is not made up for`);
});
