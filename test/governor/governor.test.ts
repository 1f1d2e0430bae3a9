import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Governor } from "../../src/governor/index.ts";
import type { Permit } from "../../src/link/index.ts";
import { VirtualClock } from "../../src/time/index.ts";

test("first come, first served, below the cap", () => {
  const governor = new Governor({ maxConcurrentDials: 2 });
  const granted: number[] = [];
  const permits = [0, 1, 2, 3].map((i) => governor.request("a", () => void granted.push(i)));
  assert.deepEqual(granted, [0, 1]);
  permits[0]?.yield("down");
  assert.deepEqual(granted, [0, 1, 2]);
  permits[0]?.yield("down"); // exactly once, whoever calls
  assert.deepEqual([governor.dialing, governor.parked], [2, 1]);
  permits[3]?.yield("unused"); // leaves the queue
  permits[1]?.yield("up");
  permits[2]?.yield("up");
  assert.deepEqual([granted, governor.dialing, governor.parked], [[0, 1, 2], 0, 0]);
});

test("the cap must be a number of at least one", () => {
  for (const maxConcurrentDials of [0, -1, Number.NaN])
    assert.throws(
      () => new Governor({ maxConcurrentDials }),
      /maxConcurrentDials is .*, but must be at least 1/,
    );
});

test("dials to one endpoint begin a gap apart, in order; other endpoints don't wait for it", () => {
  const clock = new VirtualClock();
  const governor = new Governor({ minDialGapMs: 100, clock });
  const granted: string[] = [];
  const ask = (id: string): Permit =>
    governor.request(id, () => void granted.push(`${id} at ${clock.nowMs()}`));
  const permits = ["a", "a", "b", "a", "b"].map(ask);
  assert.deepEqual(granted, ["a at 0", "b at 0"]);
  assert.equal(clock.pendingTimers, 1, "one timer for all who wait");
  permits[1]?.yield("unused"); // leaves the queue: the next one has its place
  clock.advance(99);
  assert.equal(granted.length, 2);
  clock.advance(1);
  assert.deepEqual(granted.slice(2), ["a at 100", "b at 100"]);
  assert.deepEqual([governor.dialing, governor.parked, clock.pendingTimers], [4, 0, 0]);
  clock.advance(1_000);
  ask("a");
  assert.equal(granted.at(-1), "a at 1100");
});

test("the gap and the cap hold together, and who leaves last leaves no timer", () => {
  const clock = new VirtualClock();
  const governor = new Governor({ maxConcurrentDials: 1, minDialGapMs: 100, clock });
  const granted: number[] = [];
  const permits = [0, 1, 2].map((i) => governor.request("a", () => void granted.push(i)));
  clock.advance(500);
  assert.deepEqual(granted, [0], "the cap, although the time has come");
  permits[0]?.yield("down");
  assert.deepEqual(granted, [0, 1], "nobody dialled for longer than the gap");
  permits[1]?.yield("down");
  assert.deepEqual([granted.length, governor.parked, clock.pendingTimers], [2, 1, 1]);
  permits[2]?.yield("unused");
  assert.deepEqual([governor.dialing, governor.parked, clock.pendingTimers], [0, 0, 0]);
});

test("the gap must be a number of milliseconds", () => {
  for (const minDialGapMs of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => new Governor({ minDialGapMs }), /minDialGapMs is .*, but must be a number of milli/);
});

test("no permit is lost and none is given twice, in any order of asking and leaving", () => {
  const acts = fc.array(fc.option(fc.nat(30)), { maxLength: 100 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 10),
      acts,
      (maxConcurrentDials, minDialGapMs, script) => {
        const clock = new VirtualClock();
        const governor = new Governor({ maxConcurrentDials, minDialGapMs, clock });
        const all: { permit: Permit; grants: number[]; left: boolean; endpoint: string }[] = [];
        const isDue = (endpoint: string): boolean =>
          !all.some(
            (one) => one.endpoint === endpoint && one.grants.some((ms) => clock.nowMs() - ms < minDialGapMs),
          );
        for (const act of script) {
          clock.advance(3);
          if (act === null) {
            const endpoint = `host-${all.length % 3}`;
            const one = {
              permit: undefined as unknown as Permit,
              grants: [] as number[],
              left: false,
              endpoint,
            };
            all.push(one);
            one.permit = governor.request(endpoint, () => {
              assert.ok(isDue(endpoint), "a gap apart");
              one.grants.push(clock.nowMs());
            });
          } else if (all[act] !== undefined) {
            all[act].permit.yield("up");
            all[act].left = true;
          }
          const holding = all.filter((one) => one.grants.length > 0 && !one.left).length;
          const waiting = all.filter((one) => one.grants.length === 0 && !one.left);
          assert.equal(governor.dialing, holding);
          assert.equal(governor.parked, waiting.length);
          assert.ok(holding <= maxConcurrentDials);
          assert.ok(
            holding === maxConcurrentDials || !waiting.some((one) => isDue(one.endpoint)),
            "nobody waits while there is room and the time has come",
          );
          assert.ok(all.every((one) => one.grants.length <= 1));
        }
      },
    ),
  );
});
