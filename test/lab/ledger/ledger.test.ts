import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HoldfastError } from "../../../src/call/index.ts";
import { explainVerdict, Ledger, stormFaults, stormScript, toldBy } from "../../../src/lab/index.ts";

/** A ledger with one write in flight at a cut. */
function cutOnce(): { ledger: Ledger; id: number } {
  const ledger = new Ledger();
  ledger.linkReady();
  const id = ledger.begin();
  ledger.cut("rst");
  ledger.linkLost();
  return { ledger, id };
}

test("a write acknowledged and applied once is in order", () => {
  const ledger = new Ledger();
  ledger.linkReady();
  ledger.settle(ledger.begin(), "acknowledged");
  const verdict = ledger.audit(new Map([[1, 1]]));
  assert.equal(verdict.ok, true);
  assert.equal(verdict.acknowledged, 1);
  assert.equal(explainVerdict(verdict), "1 sent, 1 acknowledged, 0 not applied, 0 unknown");
});

test("each of the four zeros, an untold error and an unexplained unknown are found", () => {
  const ledger = new Ledger();
  ledger.linkReady();
  const [lost, twice, lied, open, untold, unexplained] = Array.from({ length: 6 }, () => ledger.begin());
  ledger.settle(lost!, "acknowledged");
  ledger.settle(twice!, "acknowledged");
  ledger.settle(lied!, "not-applied");
  ledger.settle(untold!, "untold");
  ledger.settle(unexplained!, "maybe-applied", new Error("gone"));
  const verdict = ledger.audit(
    new Map([
      [twice!, 2],
      [lied!, 1],
    ]),
  );
  assert.equal(verdict.ok, false);
  assert.deepEqual(verdict.lost, [lost]);
  assert.deepEqual(verdict.duplicated, [twice]);
  assert.deepEqual(verdict.falselyNotApplied, [lied]);
  assert.deepEqual(verdict.unsettled, [open]);
  assert.deepEqual(verdict.untold, [untold]);
  assert.deepEqual(verdict.unexplained, [unexplained]);
  assert.match(explainVerdict(verdict), /the first of them .*, link (ready|down): gone/);
  assert.match(explainVerdict(verdict), /BROKEN: 1 acknowledged but absent \(1\); 1 applied twice \(2\)/);
});

test("a write in flight at a cut may be unknown, applied or not", () => {
  for (const applied of [new Map<number, number>(), new Map([[1, 1]])]) {
    const { ledger, id } = cutOnce();
    ledger.settle(id, "maybe-applied");
    const verdict = ledger.audit(applied);
    assert.equal(verdict.ok, true);
    assert.equal(verdict.unknownApplied, applied.size);
    assert.deepEqual(verdict.cuts, [{ label: "rst", inFlight: 1, unknown: 1 }]);
  }
});

test("a write that only waited while the link was down may not be called unknown", () => {
  const { ledger, id } = cutOnce();
  ledger.settle(id, "maybe-applied");
  ledger.settle(ledger.begin(), "maybe-applied");
  assert.deepEqual(ledger.audit(new Map()).unexplained, [2]);
});

test("what waited is in flight once the link is ready while the fault lasts, and not after it healed", () => {
  const { ledger } = cutOnce();
  const waited = ledger.begin();
  ledger.linkReady();
  ledger.settle(waited, "maybe-applied");
  ledger.healed();
  ledger.settle(ledger.begin(), "maybe-applied");
  const verdict = ledger.audit(new Map());
  assert.equal(verdict.cuts[0]?.inFlight, 2);
  assert.deepEqual(verdict.unexplained, [3]);
});

test("unknown never exceeds in flight at any cut of a ledger without unexplained writes", () => {
  const step = fc.constantFrom("begin", "ack", "unknown", "cut", "healed", "ready", "lost");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ledger = new Ledger();
      const open: number[] = [];
      for (const one of steps) {
        if (one === "begin") open.push(ledger.begin());
        else if (one === "ack" && open.length > 0) ledger.settle(open.shift()!, "acknowledged");
        else if (one === "unknown" && open.length > 0) ledger.settle(open.shift()!, "maybe-applied");
        else if (one === "cut") ledger.cut("x");
        else if (one === "healed") ledger.healed();
        else if (one === "ready") ledger.linkReady();
        else if (one === "lost") ledger.linkLost();
      }
      const { cuts, unknown, unexplained } = ledger.audit(new Map());
      for (const cut of cuts) assert.ok(cut.unknown <= cut.inFlight);
      const explained = cuts.reduce((sum, cut) => sum + cut.unknown, 0);
      assert.equal(explained + unexplained.length, unknown);
    }),
  );
});

test("only the first word on a write counts", () => {
  const ledger = new Ledger();
  ledger.settle(ledger.begin(), "acknowledged");
  assert.throws(() => ledger.settle(1, "maybe-applied"), /settled before/);
  assert.throws(() => ledger.settle(2, "acknowledged"), /never begun/);
});

test("a stretch without faults counts what was begun and acknowledged within it", () => {
  const ledger = new Ledger();
  const before = ledger.begin();
  ledger.calmBegins();
  ledger.settle(before, "acknowledged");
  ledger.settle(ledger.begin(), "acknowledged");
  const late = ledger.begin();
  ledger.calmCloses();
  ledger.settle(ledger.begin(), "acknowledged");
  ledger.settle(late, "acknowledged");
  ledger.begin();
  assert.deepEqual(ledger.calmEnds(), { begun: 2, settled: 2, acknowledged: 2 });
  assert.deepEqual(ledger.calmEnds(), { begun: 0, settled: 0, acknowledged: 0 });
});

test("what an error tells: its outcome, the server's answer, or nothing", () => {
  assert.equal(toldBy(new HoldfastError("HF_LOST", "x", { outcome: "maybe-applied" })), "maybe-applied");
  assert.equal(toldBy(new HoldfastError("HF_OUTBOX_FULL", "x", { outcome: "not-applied" })), "not-applied");
  assert.equal(toldBy(new HoldfastError("HF_LOST", "no outcome")), "untold");
  assert.equal(
    toldBy(new Error("ERR"), () => true),
    "answered",
  );
  assert.equal(toldBy(new Error("socket closed")), "untold");
});

test("the same seed gives the same storm, another seed another; every fault comes once before one comes again", () => {
  const script = stormScript({ seed: 7, durationMs: 30_000 });
  assert.deepEqual(script, stormScript({ seed: 7, durationMs: 30_000 }));
  assert.notDeepEqual(script, stormScript({ seed: 8, durationMs: 30_000 }));
  const first = script.slice(0, stormFaults.length).map(({ fault }) => fault);
  assert.deepEqual([...first].sort(), [...stormFaults].sort());
  assert.equal(stormScript({ seed: 1, durationMs: 0 }).length, 1);
});
