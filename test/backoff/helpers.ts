import { type Backoff, timeline } from "../../src/backoff/index.ts";
import { type Random, seededRandom } from "../../src/time/index.ts";

/** A generator that answers the given numbers in turn, then starts again. */
export function draws(...numbers: readonly number[]): Random {
  let i = 0;
  return { next: () => numbers[i++ % numbers.length] ?? 0 };
}

/** The first delays, from a seeded generator unless another is given. */
export function delays(backoff: Backoff, attempts: number, random: Random = seededRandom(1)): number[] {
  return timeline(backoff, attempts, random).attempts.map((planned) => planned.delayMs);
}

/** The n-th delay (from 0) of `count` clients, sorted. */
export function population(backoff: Backoff, n: number, count: number, seed = 1): number[] {
  const random = seededRandom(seed);
  const all = Array.from({ length: count }, () => delays(backoff, n + 1, random)[n] ?? Number.NaN);
  return all.sort((a, b) => a - b);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The share of `values` for which `test` holds. */
export function share(values: readonly number[], test: (value: number) => boolean): number {
  return values.filter(test).length / values.length;
}
