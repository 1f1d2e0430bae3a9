import type { Backoff, Schedule, Step } from "./backoff.ts";
import { derive } from "./unfold.ts";

/** The first attempt without a delay, then `inner` from its beginning. The immediate try *is* slot 0 of the schedule. */
export function immediately(inner: Backoff): Backoff {
  return derive([inner], `first at once; ${inner.description}`, () => ({
    next: (): Step => ({ delayMs: 0, schedule: inner.start() }),
  }));
}

/** One backoff after the other: the next begins when the one before is used up. */
export function concat(...backoffs: readonly Backoff[]): Backoff {
  if (backoffs.length === 0) throw new RangeError("concat needs at least one backoff; got none");
  if (backoffs.length === 1) return backoffs[0]!;
  const from = (schedule: Schedule, following: number): Schedule => ({
    next(random, context): Step {
      const step = schedule.next(random, context);
      if (!("exhausted" in step)) return { delayMs: step.delayMs, schedule: from(step.schedule, following) };
      const next = backoffs[following];
      return next === undefined ? step : from(next.start(), following + 1).next(random, context);
    },
  });
  const description = backoffs.map((b) => b.description).join("; then ");
  return derive(backoffs, description, () => from(backoffs[0]!.start(), 1));
}
