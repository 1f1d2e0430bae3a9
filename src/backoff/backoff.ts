import type { Random } from "../time/index.ts";

/** What a function-shaped backoff may look at. */
export interface StepContext {
  /** 0 for the first delay of the episode. */
  readonly attempt: number;
  /** Milliseconds since the episode began. */
  readonly elapsedMs: number;
  /** Why the last attempt failed, when it is known. */
  readonly cause?: unknown;
}

/** One draw: a delay and what is left of the schedule, or nothing more to try (and which limit was reached). */
export type Step =
  | { readonly delayMs: number; readonly schedule: Schedule }
  | { readonly exhausted: string; readonly limit?: "attempts" | "time" };

/**
 * A backoff's state for one episode. Immutable: `next` returns the rest and changes nothing, so a state machine
 * that holds one stays pure. Delays are finite and ≥ 0.
 */
export interface Schedule {
  next(random: Random, context: StepContext): Step;
}

/** An immutable description of delays; `start` opens a fresh, independent schedule. */
export interface Backoff {
  /** One line for people: curve, constants, jitter, limits. */
  readonly description: string;
  start(): Schedule;
}
