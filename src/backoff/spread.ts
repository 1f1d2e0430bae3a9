import type { Backoff } from "./backoff.ts";
import * as check from "./check.ts";
import { exponential } from "./curves.ts";
import { proportionalJitter } from "./jitter.ts";

export interface SpreadExponentialOptions {
  /** No delay is shorter, ms. Default 50: below it a fleet can saturate its server. */
  readonly minMs?: number;
  /** Mean of the first delay, ms, above 0; each mean is 1.5 times the one before. Default 400. */
  readonly baseMs?: number;
  /** No delay is longer, ms; at least `minMs`. Default 7,500: the mean ends at two thirds of it. */
  readonly capMs?: number;
}

const FACTOR = 1.5;
const SPREAD = 0.5;

/**
 * Our own shape: U[d/2, 3d/2) with d = base · 1.5ⁿ, up to a mean of two thirds of the cap. Bounded on both sides and
 * as jittered at the cap as before it. Against full jitter of the same mean delay the wait that is left when a server
 * comes back is a fifth shorter, and the longest a quarter: full jitter draws nearly twice the mean now and then.
 */
export function spreadExponential(options: SpreadExponentialOptions = {}): Backoff {
  check.keys("spreadExponential", options, ["minMs", "baseMs", "capMs"]);
  const minMs = check.delay("minMs", options.minMs ?? 50);
  const baseMs = check.positiveDelay("baseMs", options.baseMs ?? 400);
  const capMs = check.delay("capMs", options.capMs ?? 7_500);
  check.ordered("minMs", minMs, "capMs", capMs);
  const meanCapMs = capMs / (1 + SPREAD);
  const means = exponential({ baseMs: Math.min(baseMs, meanCapMs), factor: FACTOR, capMs: meanCapMs });
  return proportionalJitter(means, { ratio: SPREAD, minMs, maxMs: capMs });
}
