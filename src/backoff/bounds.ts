import type { Backoff, Schedule, Step } from "./backoff.ts";
import * as check from "./check.ts";
import { derive, mapDelays } from "./unfold.ts";
import { formatMs } from "./units.ts";

/**
 * No delay longer than `capMs`; Infinity changes nothing. Over a jitter it makes clients meet at exactly the cap:
 * cap the curve first, then add the jitter.
 */
export function cap(inner: Backoff, capMs: number): Backoff {
  check.limit("capMs", capMs);
  if (capMs === Number.POSITIVE_INFINITY) return inner;
  return mapDelays(inner, `${inner.description}; at most ${formatMs(capMs)}`, (delayMs) =>
    Math.min(capMs, delayMs),
  );
}

/** No delay shorter than `floorMs`; 0 changes nothing. */
export function floor(inner: Backoff, floorMs: number): Backoff {
  check.delay("floorMs", floorMs);
  if (floorMs === 0) return inner;
  return mapDelays(inner, `${inner.description}; at least ${formatMs(floorMs)}`, (delayMs) =>
    Math.max(floorMs, delayMs),
  );
}

/** The shortest of the given backoffs' delays at each attempt. One that is used up drops out; it ends with the last. */
export function minimum(...backoffs: readonly Backoff[]): Backoff {
  if (backoffs.length === 0) throw new RangeError("minimum needs at least one backoff; got none");
  if (backoffs.length === 1) return backoffs[0]!;
  const of = (schedules: readonly Schedule[]): Schedule => ({
    next(random, context): Step {
      const left: Schedule[] = [];
      let delayMs = Number.POSITIVE_INFINITY;
      let exhausted = "";
      for (const schedule of schedules) {
        const step = schedule.next(random, context);
        if ("exhausted" in step) {
          exhausted = step.exhausted;
          continue;
        }
        left.push(step.schedule);
        delayMs = Math.min(delayMs, step.delayMs);
      }
      return left.length === 0 ? { exhausted } : { delayMs, schedule: of(left) };
    },
  });
  const description = `the shortest of (${backoffs.map((b) => b.description).join(") and (")})`;
  return derive(backoffs, description, () => of(backoffs.map((b) => b.start())));
}
