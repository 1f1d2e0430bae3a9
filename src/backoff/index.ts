/** Room `backoff`: when to try again. */
export type { Backoff, Schedule, Step, StepContext } from "./backoff.ts";
export { type BoundedExponentialOptions, boundedExponential } from "./bounded.ts";
export { cap, floor, minimum } from "./bounds.ts";
export {
  constant,
  type ExponentialOptions,
  exponential,
  type FibonacciOptions,
  fibonacci,
  type LinearOptions,
  linear,
} from "./curves.ts";
export { type DecorrelatedOptions, decorrelated } from "./decorrelated.ts";
export { fromFunction, list } from "./given.ts";
export { type Hazard, hazards, SAFE_DELAY_MS } from "./hazards.ts";
export {
  type AdditiveOptions,
  additiveJitter,
  equalJitter,
  fullJitter,
  type Jitter,
  type ProportionalOptions,
  proportionalJitter,
  withJitter,
} from "./jitter.ts";
export { take, within } from "./limits.ts";
export { concat, immediately } from "./sequence.ts";
export { type PlannedAttempt, type Timeline, timeline } from "./timeline.ts";
export { LONGEST_DELAY_MS } from "./unfold.ts";
export { formatMs } from "./units.ts";
