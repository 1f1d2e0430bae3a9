import type { Backoff, Schedule, StepContext } from "./backoff.ts";
import * as check from "./check.ts";
import { constant } from "./curves.ts";
import { opaque, unfold } from "./unfold.ts";
import { formatMs } from "./units.ts";

/**
 * The given delays in order, ms each; then the last one for ever (`"repeat-last"`, the default) or nothing more
 * (`"stop"`). At least one.
 */
export function list(delaysMs: readonly number[], end: "repeat-last" | "stop" = "repeat-last"): Backoff {
  if (!Array.isArray(delaysMs)) throw new TypeError(`delaysMs must be an array; got ${check.show(delaysMs)}`);
  if (delaysMs.length === 0)
    throw new RangeError("delaysMs must hold at least one delay; got an empty array");
  if (end !== "repeat-last" && end !== "stop") {
    throw new RangeError(`end must be "repeat-last" or "stop"; got ${check.show(end)}`);
  }
  const delays = delaysMs.map((delayMs, i) => check.delay(`delaysMs[${i}]`, delayMs));
  if (delays.length === 1 && end === "repeat-last") return constant(delays[0]!);
  const description = `list ${delays.map(formatMs).join(", ")}${end === "stop" ? ", then stop" : ", …"}`;
  const last = delays.length - 1;
  return unfold(description, 0, (i) =>
    i > last
      ? { exhausted: `the list of ${delays.length} delays is used up` }
      : { delayMs: delays[i]!, state: end === "repeat-last" ? Math.min(i + 1, last) : i + 1 },
  );
}

/**
 * Your own rule: milliseconds (≥ 0) for this attempt, or `false` to stop. It is called once per delay and never
 * ahead of time.
 * @throws from `next`: TypeError or RangeError when `delayOf` answers anything else; whatever `delayOf` throws.
 */
export function fromFunction(delayOf: (context: StepContext) => number | false, name?: string): Backoff {
  if (typeof delayOf !== "function") {
    throw new TypeError(`delayOf must be a function; got ${check.show(delayOf)}`);
  }
  const label = name ?? delayOf.name;
  const description = label ? `function ${label}` : "function";
  const schedule: Schedule = {
    next(_random, context) {
      const answer: unknown = delayOf(context);
      if (answer === false) return { exhausted: `the ${description} stopped at attempt ${context.attempt}` };
      const key = `the delay from the backoff ${description} (attempt ${context.attempt})`;
      return { delayMs: check.delay(key, answer), schedule };
    },
  };
  return opaque(description, () => schedule);
}
