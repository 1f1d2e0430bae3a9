import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  constant,
  decorrelated,
  exponential,
  fibonacci,
  fromFunction,
  LONGEST_DELAY_MS,
  linear,
  list,
  timeline,
} from "../../src/backoff/index.ts";
import { seededRandom, uniform } from "../../src/time/index.ts";
import { delays, draws } from "./helpers.ts";

test("the curves, as the textbooks write them", () => {
  assert.deepEqual(delays(constant(300), 4), [300, 300, 300, 300]);
  assert.deepEqual(delays(linear({ baseMs: 100, capMs: 350 }), 5), [100, 200, 300, 350, 350]);
  assert.deepEqual(delays(linear({ baseMs: 100, stepMs: 10 }), 3), [100, 110, 120]);
  assert.deepEqual(delays(exponential({ baseMs: 100, capMs: 1000 }), 6), [100, 200, 400, 800, 1000, 1000]);
  assert.deepEqual(delays(exponential({ baseMs: 100, factor: 3, capMs: 1000 }), 4), [100, 300, 900, 1000]);
  assert.deepEqual(delays(exponential({ baseMs: 1000, factor: 0.5 }), 4), [1000, 500, 250, 125]);
  assert.deepEqual(delays(fibonacci({ baseMs: 10, capMs: 100 }), 8), [10, 10, 20, 30, 50, 80, 100, 100]);
  assert.deepEqual(delays(list([5, 50, 500]), 5), [5, 50, 500, 500, 500]);
});

test("a list that stops says so", () => {
  const { attempts, exhausted } = timeline(list([5, 50], "stop"), 9, seededRandom(1));
  assert.equal(attempts.length, 2);
  assert.equal(exhausted, "the list of 2 delays is used up");
});

test("degenerate curves are constants", () => {
  assert.equal(exponential({ baseMs: 70, factor: 1 }).description, constant(70).description);
  assert.equal(exponential({ baseMs: 0 }).description, constant(0).description);
  assert.equal(exponential({ baseMs: 70, capMs: 70 }).description, constant(70).description);
  assert.equal(linear({ baseMs: 70, stepMs: 0 }).description, constant(70).description);
  assert.equal(fibonacci({ baseMs: 0 }).description, constant(0).description);
  assert.equal(list([70]).description, constant(70).description);
  assert.equal(decorrelated({ baseMs: 70, capMs: 70 }).description, constant(70).description);
});

test("[mariadb-redis 43] no curve is ever NaN, negative or infinite, up to 10,000 attempts, with or without a cap", () => {
  const anyCurve = fc
    .record({
      baseMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      factor: fc.double({ min: 0.01, max: 100, noNaN: true }),
      over: fc.double({ min: 0, max: 1e12, noNaN: true }),
      capped: fc.boolean(),
      kind: fc.constantFrom("linear", "exponential", "fibonacci", "decorrelated"),
    })
    .map(({ baseMs, factor, over, capped, kind }) => {
      const capMs = capped ? baseMs + over : Number.POSITIVE_INFINITY;
      if (kind === "linear") return { capMs, curve: linear({ baseMs, stepMs: factor, capMs }) };
      if (kind === "exponential") return { capMs, curve: exponential({ baseMs, factor, capMs }) };
      if (kind === "fibonacci") return { capMs, curve: fibonacci({ baseMs, capMs }) };
      return { capMs: baseMs + over, curve: decorrelated({ baseMs, capMs: baseMs + over }) };
    });
  fc.assert(
    fc.property(anyCurve, fc.integer(), ({ curve, capMs }, seed) => {
      for (const delayMs of delays(curve, 10_000, seededRandom(seed))) {
        assert.ok(delayMs >= 0 && delayMs <= Math.min(capMs, LONGEST_DELAY_MS), `${delayMs}`);
      }
    }),
    { numRuns: 40 },
  );
});

test("[mariadb-redis 43] exponential saturates: n = 63, 64, 1,023 and beyond stay at the cap, also above 2^31 ms", () => {
  const month = 30 * 86_400_000;
  const far = delays(exponential({ baseMs: 1, capMs: month }), 1100);
  for (const n of [31, 32, 63, 64, 1023, 1024, 1099]) assert.equal(far[n], n < 32 ? 2 ** n : month);
  assert.equal(delays(exponential({ baseMs: 1 }), 1100)[1099], LONGEST_DELAY_MS);
});

test("decorrelated: a twin generator gives U[base, min(cap, 3 · previous))", () => {
  const twin = seededRandom(9);
  let previous = 100;
  for (const delayMs of delays(decorrelated({ baseMs: 100, capMs: 5000 }), 50, seededRandom(9))) {
    previous = uniform(twin, 100, Math.min(5000, 3 * previous));
    assert.equal(delayMs, previous);
  }
});

test("decorrelated stays jittered at its cap", () => {
  const late = delays(decorrelated({ baseMs: 100, capMs: 5000 }), 2000).slice(10);
  assert.equal(late.filter((delayMs) => delayMs === 5000).length, 0);
  assert.ok(new Set(late).size > 1900);
});

test("a function sees attempt, elapsed time and cause, once per delay, and may stop", () => {
  const seen: unknown[] = [];
  const backoff = fromFunction((context) => {
    seen.push(context);
    return context.attempt === 2 ? false : 10 * context.attempt;
  }, "mine");
  const { attempts, exhausted } = timeline(backoff, 5, seededRandom(1));
  assert.deepEqual(
    attempts.map((planned) => planned.delayMs),
    [0, 10],
  );
  assert.equal(exhausted, "the function mine stopped at attempt 2");
  assert.deepEqual(seen, [
    { attempt: 0, elapsedMs: 0 },
    { attempt: 1, elapsedMs: 0 },
    { attempt: 2, elapsedMs: 10 },
  ]);
  const cause = new Error("refused");
  const open = fromFunction(({ cause: why }) => (why === cause ? 1 : 2)).start();
  assert.equal("delayMs" in open.next(draws(0), { attempt: 0, elapsedMs: 0, cause }), true);
});

test("what a function may not answer is named", () => {
  const answer = (value: unknown) => () =>
    delays(
      fromFunction(() => value as number, "mine"),
      1,
    );
  const key = "the delay from the backoff function mine (attempt 0)";
  const allowed = "must be a number of milliseconds of at least 0 and finite";
  assert.throws(answer(Number.NaN), new RangeError(`${key} ${allowed}; got NaN`));
  assert.throws(answer(-5), new RangeError(`${key} ${allowed}; got -5`));
  assert.throws(answer(Number.POSITIVE_INFINITY), new RangeError(`${key} ${allowed}; got Infinity`));
  assert.throws(answer("7"), new TypeError(`${key} ${allowed}; got "7"`));
  assert.throws(answer(undefined), new TypeError(`${key} ${allowed}; got undefined`));
});

test("every rule of construction has its message", () => {
  assert.throws(() => constant(-1), {
    name: "RangeError",
    message: "delayMs must be a number of milliseconds of at least 0 and finite; got -1",
  });
  assert.throws(() => constant("5" as unknown as number), {
    name: "TypeError",
    message: /delayMs .* got "5"$/,
  });
  assert.throws(
    () => exponential({ baseMs: 100, factor: 0 }),
    /factor must be a number above 0 and finite; got 0$/,
  );
  assert.throws(
    () => exponential({ baseMs: 100, capMs: 10 }),
    /baseMs must be at most capMs \(10\); got 100$/,
  );
  assert.throws(
    () => exponential({ baseMs: 100, capMS: 1000 } as never),
    /exponential has no option "capMS" \(did you mean "capMs"\?\); allowed: baseMs, factor, capMs$/,
  );
  assert.throws(() => decorrelated({ baseMs: 1, capMs: 9, factor: 0.5 }), /factor must be .* of at least 1/);
  assert.throws(() => list([]), /delaysMs must hold at least one delay/);
  assert.throws(() => list([1, Number.NaN]), /delaysMs\[1\] must be .* got NaN$/);
  assert.throws(() => list([1], "halt" as never), /end must be "repeat-last" or "stop"; got "halt"$/);
  assert.throws(() => fromFunction(5 as never), /delayOf must be a function; got 5$/);
});
