/** Room `backoff`: when to try again. */
export type { Backoff, Schedule, Step, StepContext } from "./backoff.ts";
