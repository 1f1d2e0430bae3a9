import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Backoff,
  boundedExponential,
  cap,
  concat,
  constant,
  exponential,
  floor,
  fromFunction,
  fullJitter,
  hazards,
  immediately,
  list,
  minimum,
  take,
  timeline,
  within,
} from "../../src/backoff/index.ts";
import { seededRandom } from "../../src/time/index.ts";
import { delays, draws } from "./helpers.ts";

const doubling = exponential({ baseMs: 100 });

test("take ends after n attempts and says so", () => {
  const { attempts, exhausted } = timeline(take(doubling, 3), 9, seededRandom(1));
  assert.equal(attempts.length, 3);
  assert.equal(exhausted, "gave up after 3 attempts");
  assert.equal(timeline(take(doubling, 0), 9, seededRandom(1)).attempts.length, 0);
});

test("within starts no attempt at or after its limit", () => {
  const { attempts, exhausted } = timeline(within(constant(100), 350), 9, seededRandom(1));
  assert.deepEqual(
    attempts.map((planned) => planned.atMs),
    [100, 200, 300],
  );
  assert.match(exhausted ?? "", /350 ms or later after the loss/);
  assert.equal(delays(within(constant(100), 300), 9).length, 2);
});

test("cap and floor bound every delay", () => {
  assert.deepEqual(delays(floor(cap(doubling, 500), 150), 5), [150, 200, 400, 500, 500]);
});

test("immediately is slot 0; the curve then starts from its beginning", () => {
  assert.deepEqual(delays(immediately(doubling), 4), [0, 100, 200, 400]);
});

test("concat goes on with the next backoff; a limit outside counts across both", () => {
  const both = concat(take(constant(10), 2), doubling);
  assert.deepEqual(delays(both, 5), [10, 10, 100, 200, 400]);
  assert.deepEqual(delays(take(both, 3), 9), [10, 10, 100]);
  assert.deepEqual(delays(concat(take(constant(1), 0), take(constant(2), 0), constant(3)), 2), [3, 3]);
  const ended = timeline(concat(take(constant(1), 1), list([2], "stop")), 9, seededRandom(1));
  assert.equal(ended.exhausted, "the list of 1 delays is used up");
});

test("minimum takes the shortest; one that is used up drops out", () => {
  assert.deepEqual(delays(minimum(doubling, constant(250)), 4), [100, 200, 250, 250]);
  assert.deepEqual(delays(minimum(take(constant(1), 2), doubling), 4), [1, 1, 400, 800]);
  const ended = timeline(minimum(take(constant(1), 1), take(constant(2), 2)), 9, seededRandom(1));
  assert.equal(ended.attempts.length, 2);
  assert.equal(ended.exhausted, "gave up after 2 attempts");
});

test("limits that limit nothing are not there", () => {
  assert.equal(cap(doubling, Number.POSITIVE_INFINITY), doubling);
  assert.equal(take(doubling, Number.POSITIVE_INFINITY), doubling);
  assert.equal(within(doubling, Number.POSITIVE_INFINITY), doubling);
  assert.equal(floor(doubling, 0), doubling);
  assert.equal(concat(doubling), doubling);
  assert.equal(minimum(doubling), doubling);
});

test("limits out of range are named", () => {
  assert.throws(() => take(doubling, 1.5), /attempts must be a whole number of at least 0 .* got 1.5$/);
  assert.throws(() => take(doubling, -1), /attempts must be .* got -1$/);
  assert.throws(() => within(doubling, Number.NaN), /limitMs must be .* got NaN$/);
  assert.throws(() => cap(doubling, -1), /capMs must be .* got -1$/);
  assert.throws(() => floor(doubling, Number.POSITIVE_INFINITY), /floorMs must be .* finite; got Infinity$/);
  assert.throws(() => concat(), /concat needs at least one backoff/);
  assert.throws(() => minimum(), /minimum needs at least one backoff/);
});

/** Any nesting of combinators over any curve. */
const anyBackoff: fc.Arbitrary<Backoff> = fc.letrec<{ backoff: Backoff }>((tie) => ({
  backoff: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.nat(1e6).map((ms) => constant(ms)),
    fc.integer({ min: 1, max: 1e6 }).map((baseMs) => exponential({ baseMs })),
    fc.nat(1e4).map((minMs) => boundedExponential({ minMs, capMs: minMs + 9 })),
    tie("backoff").map(fullJitter),
    tie("backoff").map(immediately),
    fc.tuple(tie("backoff"), fc.nat(20)).map(([inner, n]) => take(inner, n)),
    fc.tuple(tie("backoff"), fc.nat(1e6)).map(([inner, ms]) => within(inner, ms)),
    fc.tuple(tie("backoff"), tie("backoff")).map(([a, b]) => concat(a, b)),
    fc.tuple(tie("backoff"), tie("backoff")).map(([a, b]) => minimum(a, b)),
    fc.tuple(tie("backoff"), fc.nat(1e6)).map(([inner, ms]) => cap(inner, ms)),
  ),
})).backoff;

test("schedules are values: asking again, or two episodes at once, gives the same", () => {
  fc.assert(
    fc.property(anyBackoff, fc.integer(), (backoff, seed) => {
      const once = timeline(backoff, 60, seededRandom(seed));
      assert.deepEqual(timeline(backoff, 60, seededRandom(seed)), once);
      const schedule = backoff.start();
      const context = { attempt: 0, elapsedMs: 0 };
      const [first, again] = [draws(0.3), draws(0.3)].map((random) => schedule.next(random, context));
      assert.equal("delayMs" in first! && first.delayMs, "delayMs" in again! && again.delayMs);
      for (const { delayMs } of once.attempts) assert.ok(Number.isFinite(delayMs) && delayMs >= 0);
    }),
  );
});

test("a million steps, from one schedule", () => {
  const random = seededRandom(5);
  let schedule = immediately(fullJitter(exponential({ baseMs: 100, capMs: 10_000 }))).start();
  let longest = 0;
  for (let attempt = 0; attempt < 1_000_000; attempt++) {
    const step = schedule.next(random, { attempt, elapsedMs: 0 });
    assert.ok("delayMs" in step);
    longest = Math.max(longest, step.delayMs);
    schedule = step.schedule;
  }
  assert.ok(longest > 9_900 && longest < 10_000);
});

test("hazards: short delays and lockstep are told, with the number", () => {
  const messages = (backoff: Backoff): string[] => hazards(backoff).map((hazard) => hazard.message);
  assert.deepEqual(messages(constant(10)), [
    "delay 10 ms: below 50 ms a fleet can saturate the server",
    "all clients wait exactly 10 ms before attempt 1: those that lose the server together come back together",
  ]);
  assert.match(messages(fullJitter(constant(60)))[0]!, /^delay 30 ms: below 50 ms/);
  assert.match(messages(immediately(immediately(constant(100))))[0]!, /^delay 0 ms/);
  assert.deepEqual(messages(constant(50)).length, 1);
  assert.deepEqual(messages(immediately(boundedExponential())), []);
});

test("hazards: a jitter clamped at its cap is lockstep too, and the shape that keeps its jitter is not", () => {
  const clamped = hazards(cap(fullJitter(constant(15_000)), 10_000));
  assert.match(clamped[0]!.message, /^\d+ of 40 simulated clients wait exactly 10 s before attempt \d+: /);
  assert.deepEqual(hazards(fullJitter(exponential({ baseMs: 1000, capMs: 10_000 }))), []);
  assert.deepEqual(hazards(immediately(take(boundedExponential(), 3))), []);
});

test("hazards never calls a user's function, however deep it is wrapped", () => {
  const mine = fromFunction(() => assert.fail("asked ahead of time"));
  assert.deepEqual(hazards(take(concat(immediately(fullJitter(mine)), constant(1)), 5)), []);
});
