/** What repeated measurements say, and how far they can be trusted. Pure. */
import { below, type Random } from "../src/time/index.ts";

/** An estimate and the interval that holds the true value with the given confidence. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export type Verdict = "met" | "not met" | "not measurable here";

const RESAMPLES = 2_000;
const CONFIDENCE = 0.95;

/** The value below which a share `q` (0 to 1) of the values lies, interpolated. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const lower = sorted[Math.floor(at)] as number;
  const upper = sorted[Math.ceil(at)] as number;
  return lower + (upper - lower) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Draws as many values as there are, with replacement. */
function resampled(values: readonly number[], random: Random): number[] {
  return values.map(() => values[below(random, values.length)] as number);
}

/** Percentile bootstrap: how the statistic varies when the measurements are drawn anew from themselves. */
function bootstrap(estimate: number, draw: () => number): Interval {
  const draws = Array.from({ length: RESAMPLES }, draw);
  const tail = (1 - CONFIDENCE) / 2;
  return { estimate, low: quantile(draws, tail), high: quantile(draws, 1 - tail) };
}

/** The median with its 95 % interval. */
export function medianInterval(values: readonly number[], random: Random): Interval {
  return bootstrap(median(values), () => median(resampled(values, random)));
}

/** The median of `of[i] / to[i]` over measurements made in pairs, side by side in time. */
export function pairedRatio(of: readonly number[], to: readonly number[], random: Random): Interval {
  return medianInterval(
    paired(of, to, (a, b) => a / b),
    random,
  );
}

/** The median of `of[i] - from[i]` over measurements made in pairs. */
export function pairedDifference(of: readonly number[], from: readonly number[], random: Random): Interval {
  return medianInterval(
    paired(of, from, (a, b) => a - b),
    random,
  );
}

/** The mean with its 95 % interval: where single values are as spread as what they measure. */
export function meanInterval(values: readonly number[], random: Random): Interval {
  return bootstrap(mean(values), () => mean(resampled(values, random)));
}

/** The ratio of two means whose measurements have nothing to do with each other. */
export function ratioOfMeans(of: readonly number[], to: readonly number[], random: Random): Interval {
  return bootstrap(mean(of) / mean(to), () => mean(resampled(of, random)) / mean(resampled(to, random)));
}

/**
 * The geometric mean of several ratios of means, each of measurements of its own. Each ratio weighs the same, whatever
 * the size of what was measured.
 */
export function overallRatioOfMeans(
  pairs: readonly (readonly [of: readonly number[], to: readonly number[]])[],
  random: Random,
): Interval {
  const overall = (draw: (values: readonly number[]) => readonly number[]): number => {
    const logs = pairs.map(([of, to]) => Math.log(mean(draw(of)) / mean(draw(to))));
    return Math.exp(mean(logs));
  };
  return bootstrap(
    overall((values) => values),
    () => overall((values) => resampled(values, random)),
  );
}

function paired(of: readonly number[], to: readonly number[], combine: (a: number, b: number) => number) {
  if (of.length !== to.length) throw new RangeError(`${of.length} measurements against ${to.length}`);
  return of.map((value, i) => combine(value, to[i] as number));
}

/**
 * Whether a goal is met by the whole interval. One that lies wholly on one side of the goal decides, however wide it
 * is; one that straddles it is a "not met", unless it is wider than `widest`: then it decides nothing.
 */
export function verdict(
  interval: Interval,
  goal: { readonly atLeast: number } | { readonly atMost: number },
  widest: number,
): Verdict {
  const [wholly, beyond] =
    "atLeast" in goal
      ? [interval.low >= goal.atLeast, interval.high < goal.atLeast]
      : [interval.high <= goal.atMost, interval.low > goal.atMost];
  if (wholly) return "met";
  if (beyond) return "not met";
  return interval.high - interval.low <= widest ? "not met" : "not measurable here";
}
