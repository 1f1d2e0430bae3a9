import { uniform } from "../time/index.ts";
import type { Backoff } from "./backoff.ts";
import * as check from "./check.ts";
import { constant } from "./curves.ts";
import { unfold } from "./unfold.ts";
import { formatMs } from "./units.ts";

export interface DecorrelatedOptions {
  /** The shortest delay, ms, ≥ 0. */
  readonly baseMs: number;
  /** The longest delay, ms; at least `baseMs`. */
  readonly capMs: number;
  /** A delay is drawn below this many times the one before; at least 1. Default 3. */
  readonly factor?: number;
}

/**
 * U[base, min(cap, factor · previous)): each delay is drawn from the last one instead of from the attempt's number.
 * The cap bounds the draw, not its result, so delays stay spread there (AWS clamps the result: preset
 * `aws-decorrelated`).
 */
export function decorrelated(options: DecorrelatedOptions): Backoff {
  check.keys("decorrelated", options, ["baseMs", "capMs", "factor"]);
  const baseMs = check.delay("baseMs", options.baseMs);
  const capMs = check.delay("capMs", options.capMs);
  const factor = check.number("factor", options.factor ?? 3, { min: 1 });
  check.ordered("baseMs", baseMs, "capMs", capMs);
  if (baseMs === capMs || baseMs === 0 || factor === 1) return constant(baseMs);
  const description = `decorrelated ${formatMs(baseMs)}…${formatMs(capMs)} ×${factor}`;
  return unfold(description, baseMs, (previousMs, random) => {
    const delayMs = uniform(random, baseMs, Math.min(capMs, factor * previousMs));
    return { delayMs, state: delayMs };
  });
}
