import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  mean,
  median,
  medianInterval,
  overallRatioOfMeans,
  pairedDifference,
  pairedRatio,
  quantile,
  ratioOfMeans,
  verdict,
} from "../../bench/statistics.ts";
import { type Random, seededRandom } from "../../src/time/index.ts";

const numbers = fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

/** Normal noise, by Box and Muller. */
function noise(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

test("quantiles are interpolated; the median of an even number of values is between the middle ones", () => {
  assert.equal(quantile([4, 1, 3, 2], 0), 1);
  assert.equal(quantile([4, 1, 3, 2], 1), 4);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([10, 9, 1]), 9);
  assert.throws(() => median([]), RangeError);
  assert.equal(mean([10, 9, 2]), 7);
  assert.throws(() => mean([]), RangeError);
});

test("an interval holds its estimate and stays within the measurements", () => {
  fc.assert(
    fc.property(numbers, fc.integer(), (values, seed) => {
      const { estimate, low, high } = medianInterval(values, seededRandom(seed));
      assert.ok(low <= estimate && estimate <= high);
      assert.ok(low >= Math.min(...values) && high <= Math.max(...values));
    }),
    { numRuns: 20 },
  );
});

test("what never varies has an interval of no width", () => {
  const twice = [2, 4, 6];
  assert.deepEqual(pairedRatio(twice, [1, 2, 3], seededRandom(1)), { estimate: 2, low: 2, high: 2 });
  assert.deepEqual(pairedDifference([5, 5], [3, 3], seededRandom(1)), { estimate: 2, low: 2, high: 2 });
  assert.deepEqual(ratioOfMeans([6, 6], [3, 3, 3], seededRandom(1)), { estimate: 2, low: 2, high: 2 });
  assert.throws(() => pairedRatio([1], [1, 2], seededRandom(1)), RangeError);
});

test("pairs see through a machine whose speed drifts", () => {
  const random = seededRandom(3);
  const drift = Array.from({ length: 40 }, (_, i) => 100 + 20 * i);
  const bare = drift.map((ns) => ns * (1 + 0.01 * noise(random)));
  const own = drift.map((ns) => ns * 1.1 * (1 + 0.01 * noise(random)));
  const paired = pairedRatio(own, bare, random);
  assert.ok(paired.low > 1.09 && paired.high < 1.11, JSON.stringify(paired));
  const unpaired = ratioOfMeans(own, bare, random);
  assert.ok(unpaired.high - unpaired.low > 0.2, "unpaired, the drift hides the difference");
});

test("about 95 of 100 intervals hold the true median", () => {
  const random = seededRandom(11);
  let held = 0;
  const runs = 200;
  for (let i = 0; i < runs; i++) {
    const { low, high } = medianInterval(
      Array.from({ length: 25 }, () => 10 + noise(random)),
      random,
    );
    if (low <= 10 && 10 <= high) held++;
  }
  assert.ok(held / runs > 0.9 && held / runs < 0.995, `${held} of ${runs}`);
});

test("a verdict needs the whole interval, and a wide one across the goal decides nothing", () => {
  const interval = (low: number, high: number) => ({ estimate: (low + high) / 2, low, high });
  const goal = { atLeast: 0.95 };
  assert.equal(verdict(interval(0.96, 1.0), goal, 0.1), "met");
  assert.equal(verdict(interval(0.94, 1.0), goal, 0.1), "not met");
  assert.equal(verdict(interval(0.96, 1.3), goal, 0.1), "met", "wholly above, however wide");
  assert.equal(verdict(interval(0.9, 1.3), goal, 0.1), "not measurable here");
  assert.equal(verdict(interval(0.5, 0.9), goal, 0.1), "not met", "wholly below, however wide");
  assert.equal(verdict(interval(300, 450), { atMost: 500 }, 200), "met");
  assert.equal(verdict(interval(450, 550), { atMost: 500 }, 200), "not met");
  assert.equal(verdict(interval(100, 650), { atMost: 500 }, 200), "not measurable here");
  assert.equal(verdict(interval(501, 900), { atMost: 500 }, 200), "not met");
  assert.equal(verdict(interval(Number.NaN, Number.NaN), goal, 0.1), "not measurable here");
});

test("the overall ratio of means weighs each ratio the same, and its interval holds the true one", () => {
  const random = seededRandom(5);
  const exact = overallRatioOfMeans(
    [
      [
        [2, 2],
        [1, 1],
      ],
      [[500], [1_000]],
    ],
    random,
  );
  assert.deepEqual(exact, { estimate: 1, low: 1, high: 1 });
  let held = 0;
  const runs = 200;
  for (let i = 0; i < runs; i++) {
    const about = (mean: number) => Array.from({ length: 24 }, () => mean * (1 + 0.3 * noise(random)));
    const { low, high } = overallRatioOfMeans(
      [
        [about(8), about(10)],
        [about(80), about(100)],
      ],
      random,
    );
    if (low <= 0.8 && 0.8 <= high) held++;
  }
  assert.ok(held / runs > 0.88 && held / runs < 0.995, `${held} of ${runs}`);
});
