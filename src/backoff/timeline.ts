import type { Random } from "../time/index.ts";
import type { Backoff } from "./backoff.ts";
import * as check from "./check.ts";

export interface PlannedAttempt {
  /** 0 for the first attempt after the loss. */
  readonly attempt: number;
  /** The delay before it, ms. */
  readonly delayMs: number;
  /** When it begins, ms after the loss, if every attempt before failed at once. */
  readonly atMs: number;
}

export interface Timeline {
  readonly attempts: readonly PlannedAttempt[];
  /** Why it ended, when it ended before the asked number of attempts. */
  readonly exhausted?: string;
}

/** Plays a backoff ahead of time: its first `attempts` delays, with attempts that take no time and always fail. */
export function timeline(backoff: Backoff, attempts: number, random: Random): Timeline {
  check.number("attempts", attempts, { integer: true });
  const planned: PlannedAttempt[] = [];
  let schedule = backoff.start();
  let atMs = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const step = schedule.next(random, { attempt, elapsedMs: atMs });
    if ("exhausted" in step) return { attempts: planned, exhausted: step.exhausted };
    atMs += step.delayMs;
    planned.push({ attempt, delayMs: step.delayMs, atMs });
    schedule = step.schedule;
  }
  return { attempts: planned };
}
