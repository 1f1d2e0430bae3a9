/** How exactly a pool knows the time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Moments } from "../../src/pool/moments.ts";
import { CoarseTimers, systemClock, VirtualClock } from "../../src/time/index.ts";

test("a recent reading is never later than now, and at most a tick old", () => {
  const clock = new VirtualClock();
  const timers = new CoarseTimers(clock);
  const moments = new Moments(clock, timers);
  clock.advance(1_000);
  assert.equal(moments.recent(), 1_000);
  for (let i = 0; i < 200; i++) {
    clock.advance(7);
    const ageMs = clock.nowMs() - moments.recent();
    assert.ok(ageMs >= 0 && ageMs <= 50, `${ageMs} ms`);
  }
  // Any exact reading is recent from then on.
  assert.equal(moments.now(), clock.nowMs());
  assert.equal(moments.recent(), clock.nowMs());
  moments.stop();
  assert.equal(timers.size, 0);
  clock.advance(100);
  assert.equal(moments.recent(), clock.nowMs());
  assert.equal(timers.size, 0, "no timer after the stop");
});

test("the machine's clock is read once in a run of microtasks, and anew in the next", async () => {
  const read = systemClock.turnMs as () => number;
  const firstMs = read();
  const exactMs = systemClock.nowMs();
  for (let nowMs = exactMs; nowMs < exactMs + 3; nowMs = systemClock.nowMs()); // work that takes time
  assert.equal(read(), firstMs);
  await undefined;
  assert.ok(read() >= exactMs + 3, "a turn's reading outlived its turn");
});
