import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import type { LinkFacts } from "../../src/cli/demo/book.ts";
import type { EventLine } from "../../src/cli/demo/events.ts";
import { closingTable, type DemoReport } from "../../src/cli/demo/report.ts";
import type { DemoState } from "../../src/cli/demo/run.ts";
import { letterOf, planStorm } from "../../src/cli/demo/storm.ts";
import { ansiPaint, noPaint, span } from "../../src/cli/demo/text.ts";
import { viewLines } from "../../src/cli/demo/view.ts";
import { stormFaults } from "../../src/lab/index.ts";
import type { LinkPhase } from "../../src/link/index.ts";

const phases: readonly LinkPhase[] = [
  ...["idle", "parked", "dialing", "restoring", "ready", "waiting", "dormant", "closing", "closed"],
] as LinkPhase[];

const facts = fc
  .record({
    driver: fc.constantFrom("tcp", "redis", "cassandra-driver"),
    phase: fc.constantFrom(...phases),
    forMs: fc.double({ min: 0, max: 1e8, noNaN: true }),
    attempt: fc.nat(1000),
    waiting: fc.nat(10_000),
    count: fc.nat(10_000_000),
    lost: fc.option(fc.nat(9), { nil: undefined }),
    text: fc.string({ unit: "binary-ascii", maxLength: 200 }),
    per: fc.array(fc.nat(30), { maxLength: 300 }),
  })
  .map(({ driver, phase, forMs, attempt, waiting, count, lost, text, per }): LinkFacts => {
    const next = phase === "waiting" ? { endpoint: "a:1", inMs: forMs } : undefined;
    const snapshot = { phase, forMs, attempt, waiting, next } as LinkFacts["snapshot"];
    return {
      ...{ driver, server: text, snapshot, explain: text, lastEvent: text, sent: count, acknowledged: count },
      ...{ unknown: waiting, notApplied: 0, lost, duplicated: lost, acknowledgedPer: per, recoveriesMs: [] },
    };
  });

const demos = fc
  .record({
    links: fc.array(facts, { maxLength: 9 }),
    totalMs: fc.integer({ min: 1_000, max: 600_000 }),
    share: fc.double({ min: 0, max: 1.5, noNaN: true }),
    seed: fc.nat(),
    missing: fc.boolean(),
    text: fc.string({ maxLength: 80 }),
  })
  .map(({ links, totalMs, share, seed, missing, text }): DemoState => {
    const acts = planStorm(totalMs, seed);
    return {
      ...{ seed, totalMs, acts, missing: missing ? [{ name: "redis", reason: text, ways: [] }] : [] },
      elapsedMs: () => totalMs * share,
      stage: () => ({ act: acts[0], text: "a fault", leftMs: 1234 }),
      links: () => links,
    };
  });

const stories = fc.array(
  fc.record({
    atMs: fc.nat(1e8),
    who: fc.constantFrom("tcp", "storm"),
    text: fc.string({ maxLength: 150 }).map((text) => text.replace(/\p{Cc}/gu, " ")),
    mood: fc.constantFrom("good", "bad", "plain"),
  }),
  { maxLength: 40 },
) as fc.Arbitrary<EventLine[]>;

test("the view is never wider or taller than its window, and never steers the terminal", () => {
  fc.assert(
    fc.property(
      demos,
      stories,
      fc.nat(200),
      fc.integer({ min: 1, max: 70 }),
      (demo, story, columns, rows) => {
        const lines = viewLines(demo, story, { columns, rows }, ansiPaint);
        assert.ok(lines.length <= rows, `${lines.length} lines in ${rows} rows`);
        for (const line of lines) {
          const bare = stripVTControlCharacters(line);
          assert.ok(bare.length <= Math.max(1, columns - 1), `${bare.length} in ${columns}: ${bare}`);
          assert.doesNotMatch(bare, /\p{Cc}/u);
        }
      },
    ),
  );
});

test("colours change nothing but colours", () => {
  fc.assert(
    fc.property(demos, stories, fc.nat(150), (demo, story, columns) => {
      const size = { columns, rows: 60 };
      const plain = viewLines(demo, story, size, noPaint);
      assert.deepEqual(viewLines(demo, story, size, ansiPaint).map(stripVTControlCharacters), plain);
    }),
  );
});

test("a storm has every one of its faults in each round, in order, inside the time; the same for the same seed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 3_600_000 }), fc.nat(), (totalMs, seed) => {
      const acts = planStorm(totalMs, seed);
      assert.deepEqual(planStorm(totalMs, seed), acts);
      for (const [i, { atMs, durationMs }] of acts.entries()) {
        const endMs = acts[i + 1]?.atMs ?? totalMs * 0.97;
        assert.ok(atMs + durationMs <= endMs, `fault ${i} ends before the next begins`);
      }
      for (const fault of ["rst", "fin", "black-hole-up", "black-hole-down", "accept-then-drop", "kill-9"]) {
        assert.equal(acts.filter((act) => act.fault === fault).length, acts.length / 6, fault);
      }
    }),
  );
  assert.equal(new Set(planStorm(30_000, 1).map(({ fault }) => letterOf(fault))).size, 6);
  assert.ok(planStorm(30_000, 1).every(({ fault }) => stormFaults.includes(fault)));
});

test("the closing table: in rows where it fits, else on its side, with the same figures", () => {
  const row = {
    ...{ driver: "tcp", server: "embedded", sent: 1234, acknowledged: 1200, notApplied: 4, unknown: 30 },
    ...{ lost: 0, duplicated: 0, falselyNotApplied: 0, unsettled: 0 },
    ...{ episodes: 6, dials: 20, restored: 6, recoveryMsP50: 312, recoveryMsMax: 1300 },
  };
  const report: DemoReport = { ok: true, problems: [], links: [row, { ...row, driver: "redis" }] };
  const result = { interrupted: false, ranMs: 30_000, missing: [], links: [] };
  const wide = closingTable(result, report, 99, noPaint);
  assert.match(wide[2] ?? "", /^link +sent +acknowledged/);
  assert.match(wide[3] ?? "", /^tcp +1,234 +1,200 +4 +30 +0 +0 +6 of 6 +20 +312 ms +1\.3 s$/);
  const narrow = closingTable(result, report, 59, noPaint);
  assert.ok(narrow.every((line) => line.length <= 59));
  for (const row of [/^link +tcp +redis$/, /^unknown +30 +30$/, /^max +1\.3 s +1\.3 s$/])
    assert.equal(narrow.filter((line) => row.test(line)).length, 1, String(row));
});

test("spans are short at every size", () => {
  const sizes = [0, 312.4, 999.4, 999.6, 2_340, 59_940, 60_000, 245_000, 3_596_000, 3_600_000, 1e9];
  const told = [
    "0 ms",
    "312 ms",
    "999 ms",
    "1.0 s",
    "2.3 s",
    "59.9 s",
    "1.0 min",
    "4.1 min",
    "59.9 min",
    "1.0 h",
  ];
  assert.deepEqual(sizes.map(span), [...told, "277.8 h"]);
});
