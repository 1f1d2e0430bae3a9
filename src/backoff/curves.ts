import type { Backoff } from "./backoff.ts";
import * as check from "./check.ts";
import { byIndex, unfold } from "./unfold.ts";
import { formatMs } from "./units.ts";

/** The same delay every time; it never ends. `delayMs` ≥ 0. */
export function constant(delayMs: number): Backoff {
  check.delay("delayMs", delayMs);
  return unfold(`constant ${formatMs(delayMs)}`, undefined, (state) => ({ delayMs, state }));
}

export interface LinearOptions {
  /** The first delay, ms, ≥ 0. */
  readonly baseMs: number;
  /** Added after each attempt, ms, ≥ 0. Default: `baseMs`. */
  readonly stepMs?: number;
  /** No delay is longer, ms; at least `baseMs`. Default: none. */
  readonly capMs?: number;
}

/** base, base + step, base + 2·step … up to the cap. */
export function linear(options: LinearOptions): Backoff {
  check.keys("linear", options, ["baseMs", "stepMs", "capMs"]);
  const baseMs = check.delay("baseMs", options.baseMs);
  const stepMs = check.delay("stepMs", options.stepMs ?? baseMs);
  const capMs = capOf(options.capMs, baseMs);
  if (stepMs === 0 || capMs === baseMs) return constant(baseMs);
  const description = `linear ${formatMs(baseMs)} +${formatMs(stepMs)}${capText(capMs)}`;
  return byIndex(description, (n) => Math.min(capMs, baseMs + n * stepMs));
}

export interface ExponentialOptions {
  /** The first delay, ms, ≥ 0. */
  readonly baseMs: number;
  /** Each delay is this many times the one before; above 0. Default 2. */
  readonly factor?: number;
  /** No delay is longer, ms; at least `baseMs`. Default: none. */
  readonly capMs?: number;
}

/** base · factorⁿ up to the cap. Safe at any n: it saturates instead of overflowing. */
export function exponential(options: ExponentialOptions): Backoff {
  check.keys("exponential", options, ["baseMs", "factor", "capMs"]);
  const baseMs = check.delay("baseMs", options.baseMs);
  const factor = check.number("factor", options.factor ?? 2, { aboveMin: true });
  const capMs = capOf(options.capMs, baseMs);
  // base 0 must not meet factorⁿ = Infinity: their product is NaN
  if (baseMs === 0 || factor === 1 || (capMs === baseMs && factor > 1)) return constant(baseMs);
  const description = `exponential ${formatMs(baseMs)} ×${factor}${capText(capMs)}`;
  return byIndex(description, (n) => Math.min(capMs, baseMs * factor ** n));
}

export interface FibonacciOptions {
  /** The first and second delay, ms, ≥ 0. */
  readonly baseMs: number;
  /** No delay is longer, ms; at least `baseMs`. Default: none. */
  readonly capMs?: number;
}

/** base · 1, 1, 2, 3, 5, 8 … up to the cap. */
export function fibonacci(options: FibonacciOptions): Backoff {
  check.keys("fibonacci", options, ["baseMs", "capMs"]);
  const baseMs = check.delay("baseMs", options.baseMs);
  const capMs = capOf(options.capMs, baseMs);
  if (baseMs === 0 || capMs === baseMs) return constant(baseMs);
  const description = `fibonacci ${formatMs(baseMs)}${capText(capMs)}`;
  const first = { thisMs: baseMs, nextMs: baseMs };
  return unfold(description, first, (state) => {
    if (state.thisMs >= capMs) return { delayMs: capMs, state };
    return { delayMs: state.thisMs, state: { thisMs: state.nextMs, nextMs: state.thisMs + state.nextMs } };
  });
}

function capOf(capMs: number | undefined, baseMs: number): number {
  const cap = check.limit("capMs", capMs ?? Number.POSITIVE_INFINITY);
  check.ordered("baseMs", baseMs, "capMs", cap);
  return cap;
}

function capText(capMs: number): string {
  return capMs === Number.POSITIVE_INFINITY ? "" : `, cap ${formatMs(capMs)}`;
}
