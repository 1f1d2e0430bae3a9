/** The queue of those who wait, against a plain array. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Waiter } from "../../src/pool/waiter.ts";
import { WaitQueue } from "../../src/pool/waiters.ts";
import { CoarseTimers, VirtualClock } from "../../src/time/index.ts";

interface Known {
  readonly waiter: Waiter<string>;
  readonly priority: number;
  readonly deadlineMs: number;
}

test("whatever comes, goes, is served or runs out of time, in any order: the queue does what an array does", () => {
  const priority = fc.constantFrom(0, 0, 0, 5, -10, 10);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("push" as const), priority, ms: fc.nat(400) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("shift" as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), at: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(200) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const clock = new VirtualClock();
      const timers = new CoarseTimers(clock);
      const expired: Waiter<string>[] = [];
      const queue = new WaitQueue<string>(timers, clock, (waiter) => expired.push(waiter));
      let known: Known[] = [];
      const first = (): Known | undefined => known.toSorted((a, b) => b.priority - a.priority)[0]; // a stable sort
      const gone = (served: Waiter<string> | undefined): void => {
        known = known.filter(({ waiter }) => waiter !== served);
      };
      for (const [i, each] of steps.entries()) {
        if (each.do === "push") {
          const waiter = new Waiter<string>(queue.terms(each.ms, each.priority, i), clock.nowMs(), undefined);
          queue.push(waiter);
          known.push({ waiter, priority: each.priority, deadlineMs: clock.nowMs() + each.ms });
        } else if (each.do === "shift") {
          const served = queue.shift();
          assert.equal(served, first()?.waiter);
          if (served !== undefined) assert.equal(queue.remove(served), false, "served, but still there");
          gone(served);
        } else if (each.do === "remove" && known.length > 0) {
          const { waiter } = known[each.at % known.length] as Known;
          assert.equal(queue.remove(waiter), true);
          assert.equal(queue.remove(waiter), false);
          gone(waiter);
        } else if (each.do === "wait") {
          clock.advance(each.ms);
          for (const waiter of expired.splice(0)) {
            const { deadlineMs } = known.find((one) => one.waiter === waiter) as Known;
            assert.ok(deadlineMs <= clock.nowMs(), "expired early");
            gone(waiter);
          }
          const late = known.filter(({ deadlineMs }) => deadlineMs + 25 < clock.nowMs());
          assert.deepEqual(late, [], "still waits, more than a tick after its deadline");
        }
        assert.equal(queue.size, known.length);
        assert.equal(
          queue.bytes,
          known.reduce((sum, { waiter }) => sum + waiter.terms.bytes, 0),
        );
      }
      queue.stop();
      assert.equal(timers.size, 0, "a timer is left");
    }),
  );
});
