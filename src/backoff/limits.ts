import type { Backoff, Schedule, Step } from "./backoff.ts";
import * as check from "./check.ts";
import { derive } from "./unfold.ts";
import { formatMs } from "./units.ts";

/** At most this many delays, so at most this many attempts; Infinity is no limit, 0 gives up at once. */
export function take(inner: Backoff, attempts: number): Backoff {
  check.count("attempts", attempts);
  if (attempts === Number.POSITIVE_INFINITY) return inner;
  const from = (schedule: Schedule, left: number): Schedule => ({
    next(random, context): Step {
      if (left === 0) return { exhausted: `gave up after ${attempts} attempts`, limit: "attempts" };
      const step = schedule.next(random, context);
      return "exhausted" in step ? step : { delayMs: step.delayMs, schedule: from(step.schedule, left - 1) };
    },
  });
  return derive([inner], `${inner.description}; at most ${attempts} attempts`, () =>
    from(inner.start(), attempts),
  );
}

/**
 * No attempt begins `limitMs` or later after the episode began: a delay that would end there is not waited for.
 * Infinity is no limit.
 */
export function within(inner: Backoff, limitMs: number): Backoff {
  check.limit("limitMs", limitMs);
  if (limitMs === Number.POSITIVE_INFINITY) return inner;
  const over = (schedule: Schedule): Schedule => ({
    next(random, context): Step {
      const step = schedule.next(random, context);
      if ("exhausted" in step) return step;
      if (context.elapsedMs + step.delayMs >= limitMs) {
        return {
          exhausted: `gave up: the next attempt would begin ${formatMs(limitMs)} or later after the loss`,
          limit: "time",
        };
      }
      return { delayMs: step.delayMs, schedule: over(step.schedule) };
    },
  });
  return derive([inner], `${inner.description}; within ${formatMs(limitMs)}`, () => over(inner.start()));
}
