import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Governor } from "../../src/governor/index.ts";
import type { Permit } from "../../src/link/index.ts";

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

test("no permit is lost and none is given twice, in any order of asking and leaving", () => {
  const acts = fc.array(fc.option(fc.nat(30)), { maxLength: 100 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), acts, (max, script) => {
      const governor = new Governor({ maxConcurrentDials: max });
      const all: { permit: Permit; grants: number; left: boolean }[] = [];
      for (const act of script) {
        if (act === null) {
          const one = { permit: undefined as unknown as Permit, grants: 0, left: false };
          all.push(one);
          one.permit = governor.request("a", () => void one.grants++);
        } else if (all[act] !== undefined) {
          all[act].permit.yield("up");
          all[act].left = true;
        }
        const holding = all.filter((one) => one.grants > 0 && !one.left).length;
        const waiting = all.filter((one) => one.grants === 0 && !one.left).length;
        assert.equal(governor.dialing, holding);
        assert.ok(holding <= max);
        assert.ok(waiting === 0 || holding === max, "nobody waits while there is room");
        assert.ok(all.every((one) => one.grants <= 1));
      }
    }),
  );
});
