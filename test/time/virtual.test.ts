import assert from "node:assert/strict";
import { test } from "node:test";
import { type Due, DueHeap } from "../../src/time/heap.ts";
import { CoarseTimers, seededRandom, systemClock, VirtualClock } from "../../src/time/index.ts";

test("virtual timers fire in order of time, then of creation", () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push("c"));
  clock.setTimer(10, () => fired.push("a"));
  clock.setTimer(10, () => fired.push("b"));
  clock.advance(15);
  assert.deepEqual(fired, ["a", "b"]);
  clock.advance(5);
  assert.deepEqual(fired, ["a", "b", "c"]);
  assert.equal(clock.pendingTimers, 0);
});

test("a timer set while another fires runs in the same advance", () => {
  const clock = new VirtualClock();
  let count = 0;
  const again = (): void => {
    if (++count < 5) clock.setTimer(10, again);
  };
  clock.setTimer(10, again);
  clock.advance(50);
  assert.equal(count, 5);
});

test("a cancelled timer never fires and is not counted", () => {
  const clock = new VirtualClock();
  const timer = clock.setTimer(10, () => assert.fail("fired"));
  timer.cancel();
  timer.cancel();
  clock.advance(100);
  assert.equal(clock.pendingTimers, 0);
  assert.equal(clock.nextDueMs, undefined);
});

test("100,000 virtual timers run in order", () => {
  const clock = new VirtualClock();
  const random = seededRandom(7);
  let last = -1;
  let count = 0;
  for (let i = 0; i < 100_000; i++) {
    clock.setTimer(random.next() * 1000, () => {
      assert.ok(clock.nowMs() >= last);
      last = clock.nowMs();
      count++;
    });
  }
  clock.advance(1000);
  assert.equal(count, 100_000);
});

test("100,000 timers cost a heap's comparisons, set and fired: some 25 readings of a time each", () => {
  let readings = 0;
  class Counted implements Due {
    readonly order: number;
    readonly #atMs: number;
    constructor(atMs: number, order: number) {
      this.#atMs = atMs;
      this.order = order;
    }
    get atMs(): number {
      readings++;
      return this.#atMs;
    }
  }
  const heap = new DueHeap<Counted>();
  const random = seededRandom(7);
  for (let order = 0; order < 100_000; order++) heap.push(new Counted(random.next() * 1000, order));
  for (let last = -1; heap.size > 0; ) {
    const { atMs } = heap.pop() as Counted;
    assert.ok(atMs >= last);
    last = atMs;
  }
  // A list kept in order would read ten thousand times as many.
  assert.ok(readings < 100_000 * 100, `${readings / 100_000} readings for each timer`);
});

test("a delay above 2^31 ms does not fire early on the system clock", async () => {
  let fired = false;
  const timer = systemClock.setTimer(2 ** 31 + 10, () => {
    fired = true;
  });
  await new Promise<void>((resolve) => systemClock.setTimer(20, resolve));
  timer.cancel();
  assert.equal(fired, false);
});

test("the same seed replays the same numbers; another seed does not", () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 50 }, () => random.next());
  };
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  assert.ok(draw(5).every((x) => x >= 0 && x < 1));
});

test("coarse timers: never early, at most a tick late, one real timer for all", () => {
  const clock = new VirtualClock();
  const coarse = new CoarseTimers(clock, 25);
  const fired: number[] = [];
  for (let i = 0; i < 1000; i++) coarse.after(100 + (i % 10), () => fired.push(clock.nowMs()));
  assert.equal(clock.pendingTimers, 1);
  clock.advance(99);
  assert.equal(fired.length, 0);
  clock.advance(40);
  assert.equal(fired.length, 1000);
  assert.equal(clock.pendingTimers, 0);
});

test("coarse timers: cancelled ones leave nothing behind; an earlier one re-arms", () => {
  const clock = new VirtualClock();
  const coarse = new CoarseTimers(clock, 25);
  let early = 0;
  const cancel = coarse.after(1000, () => assert.fail("fired"));
  coarse.after(50, () => early++);
  cancel();
  clock.advance(60);
  clock.advance(60);
  assert.equal(early, 1);
  assert.equal(coarse.size, 0);
  assert.equal(clock.pendingTimers, 0);
});
