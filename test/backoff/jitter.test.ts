import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  additiveJitter,
  boundedExponential,
  constant,
  equalJitter,
  exponential,
  fullJitter,
  type Jitter,
  proportionalJitter,
  withJitter,
} from "../../src/backoff/index.ts";
import { seededRandom } from "../../src/time/index.ts";
import { delays, draws, population, share } from "./helpers.ts";

const curve = exponential({ baseMs: 100, capMs: 800 });
const low = draws(0);
const middle = draws(0.5);

test("[mariadb-redis 43] the edges and the middle of each jitter", () => {
  assert.deepEqual(delays(fullJitter(curve), 3, low), [0, 0, 0]);
  assert.deepEqual(delays(fullJitter(curve), 3, middle), [50, 100, 200]);
  assert.deepEqual(delays(equalJitter(curve), 3, low), [50, 100, 200]);
  assert.deepEqual(delays(equalJitter(curve), 3, middle), [75, 150, 300]);
  assert.deepEqual(delays(proportionalJitter(curve, { ratio: 0.2 }), 2, low), [80, 160]);
  assert.deepEqual(delays(proportionalJitter(curve, { ratio: 0.2 }), 2, middle), [100, 200]);
  assert.deepEqual(delays(additiveJitter(curve, { jitterMs: 40 }), 2, middle), [120, 220]);
});

test("the additive jitter has its own width over TLS, and a cap on either", () => {
  const jitter = { jitterMs: 100, tlsJitterMs: 1000 };
  assert.deepEqual(delays(additiveJitter(constant(0), { ...jitter, tls: false }), 1, middle), [50]);
  assert.deepEqual(delays(additiveJitter(constant(0), { ...jitter, tls: true }), 1, middle), [500]);
  const capped = { ...jitter, tls: true, jitterMaxMs: 300 };
  assert.deepEqual(delays(additiveJitter(constant(0), capped), 1, middle), [150]);
});

test("[mariadb-redis 43] a twin generator of the same seed explains every delay", () => {
  const twin = seededRandom(42);
  const jittered = delays(equalJitter(curve), 30, seededRandom(42));
  const plain = delays(curve, 30);
  jittered.forEach((delayMs, n) => {
    assert.equal(delayMs, plain[n]! / 2 + (twin.next() * plain[n]!) / 2);
  });
});

test("bounds narrow a proportional draw instead of clamping its result: nobody meets at the bound", () => {
  const bounded = proportionalJitter(constant(1000), { ratio: 0.15, minMs: 1000, maxMs: 60_000 });
  const first = population(bounded, 0, 5000);
  assert.ok(first[0]! >= 1000 && first.at(-1)! < 1150);
  assert.ok(share(first, (delayMs) => delayMs === 1000) < 0.001);
  assert.ok(share(first, (delayMs) => delayMs < 1075) > 0.45);
});

test("degenerate jitters are no jitter", () => {
  assert.equal(withJitter(curve, "none"), curve);
  assert.equal(proportionalJitter(curve, { ratio: 0 }), curve);
  assert.equal(additiveJitter(curve, { jitterMs: 0 }), curve);
  assert.equal(additiveJitter(curve, { jitterMs: 5, jitterMaxMs: 0 }), curve);
});

test("jitter by name is the jitter", () => {
  const same = (jitter: Jitter, expected: readonly number[]): void =>
    assert.deepEqual(delays(withJitter(curve, jitter), 3), expected);
  same("full", delays(fullJitter(curve), 3));
  same("equal", delays(equalJitter(curve), 3));
  same({ kind: "proportional", ratio: 0.3 }, delays(proportionalJitter(curve, { ratio: 0.3 }), 3));
  same({ kind: "additive", jitterMs: 9 }, delays(additiveJitter(curve, { jitterMs: 9 }), 3));
  assert.throws(() => withJitter(curve, "fulll" as never), /jitter must be "none", "full", .* got "fulll"$/);
  assert.throws(() => withJitter(curve, { kind: "additive" } as never), /jitterMs must be .* got undefined$/);
});

test("jitter options out of range are named", () => {
  assert.throws(() => proportionalJitter(curve, { ratio: 1.5 }), /ratio must be .* at most 1; got 1.5$/);
  assert.throws(
    () => proportionalJitter(curve, { ratio: 0.1, minMs: 9, maxMs: 3 }),
    /minMs must be at most maxMs \(3\); got 9$/,
  );
  assert.throws(() => additiveJitter(curve, { jitterMs: -1 }), /jitterMs must be .* got -1$/);
  assert.throws(
    () => additiveJitter(curve, { jitterMs: 1, tlsJitter: 2 } as never),
    /no option "tlsJitter" \(did you mean "tlsJitterMs"\?\)/,
  );
});

test("our default shape: min + U[0, min(cap − min, base·2ⁿ)), by a twin", () => {
  const twin = seededRandom(3);
  delays(boundedExponential(), 100, seededRandom(3)).forEach((delayMs, n) => {
    const width = n < 6 ? [200, 400, 800, 1600, 3200, 6400][n]! : 9950;
    assert.equal(delayMs, 50 + twin.next() * width);
  });
});

test("our default shape is bounded on both sides and jittered at the cap, for any options, up to n = 10,000", () => {
  const options = fc
    .record({
      minMs: fc.integer({ min: 0, max: 1e6 }),
      baseMs: fc.integer({ min: 1, max: 1e9 }),
      over: fc.integer({ min: 1, max: 2 ** 40 }),
    })
    .map(({ minMs, baseMs, over }) => ({ minMs, baseMs, capMs: minMs + over }));
  fc.assert(
    fc.property(options, fc.integer(), (given, seed) => {
      const all = delays(boundedExponential(given), 10_000, seededRandom(seed));
      assert.ok(all.every((delayMs) => delayMs >= given.minMs && delayMs <= given.capMs));
      const late = all.slice(100);
      const width = given.capMs - given.minMs;
      assert.ok(late.some((delayMs) => delayMs < given.minMs + width / 10));
      assert.ok(late.some((delayMs) => delayMs > given.capMs - width / 10));
    }),
    { numRuns: 25 },
  );
});

test("our default shape without room is a constant; its rules have messages", () => {
  assert.equal(boundedExponential({ minMs: 70, capMs: 70 }).description, constant(70).description);
  assert.throws(() => boundedExponential({ baseMs: 0 }), /baseMs must be .* above 0 and finite; got 0$/);
  assert.throws(() => boundedExponential({ capMs: 10 }), /minMs must be at most capMs \(10\); got 50$/);
  assert.throws(() => boundedExponential({ maxMs: 1 } as never), /no option "maxMs"/);
});
