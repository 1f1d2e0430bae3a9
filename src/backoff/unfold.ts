import type { Random } from "../time/index.ts";
import type { Backoff, Schedule, Step, StepContext } from "./backoff.ts";

/** Delays saturate here (some 285,000 years): above it milliseconds stop being exact, and a schedule stays finite. */
export const LONGEST_DELAY_MS: number = Number.MAX_SAFE_INTEGER;

/** What a step function answers: a delay and the state to go on with, or the reason there is nothing more. */
export type Draw<S> = { readonly delayMs: number; readonly state: S } | { readonly exhausted: string };

/**
 * A backoff whose delays come from the caller's own function. It must not be asked ahead of time (it may count its
 * calls), so whatever inspects a backoff without waiting leaves it, and everything built on it, alone.
 */
interface Opaque extends Backoff {
  readonly opaque: true;
}

export function isOpaque(backoff: Backoff): boolean {
  return (backoff as Partial<Opaque>).opaque === true;
}

/** A backoff that is opaque when one of the backoffs it is built on is. */
export function derive(parents: readonly Backoff[], description: string, start: () => Schedule): Backoff {
  if (parents.some(isOpaque)) return opaque(description, start);
  // A schedule is immutable: all links of a backoff share the first one.
  let first: Schedule | undefined;
  return {
    description,
    start: () => {
      first ??= start();
      return first;
    },
  };
}

export function opaque(description: string, start: () => Schedule): Backoff {
  const backoff: Opaque = { description, start, opaque: true };
  return backoff;
}

/** A backoff from a first state and a function that draws a delay and the next state. */
export function unfold<S>(
  description: string,
  initial: S,
  step: (state: S, random: Random, context: StepContext) => Draw<S>,
): Backoff {
  const at = (state: S): Schedule => ({
    next(random, context): Step {
      const draw = step(state, random, context);
      if ("exhausted" in draw) return draw;
      const schedule = draw.state === state ? this : at(draw.state); // a stateless curve allocates no schedule
      return { delayMs: saturate(draw.delayMs, description), schedule };
    },
  });
  const first = at(initial); // immutable, and therefore one for all links
  return { description, start: () => first };
}

/** A backoff whose n-th delay (from 0) is a function of n and a draw. */
export function byIndex(description: string, delayMs: (n: number, random: Random) => number): Backoff {
  return unfold(description, 0, (n, random) => ({ delayMs: delayMs(n, random), state: n + 1 }));
}

/** The same schedule with every delay passed through `change`. */
export function mapDelays(
  inner: Backoff,
  description: string,
  change: (delayMs: number, random: Random) => number,
): Backoff {
  const over = (schedule: Schedule): Schedule => ({
    next(random, context): Step {
      const step = schedule.next(random, context);
      if ("exhausted" in step) return step;
      return {
        delayMs: saturate(change(step.delayMs, random), description),
        schedule: step.schedule === schedule ? this : over(step.schedule),
      };
    },
  });
  return derive([inner], description, () => over(inner.start()));
}

function saturate(delayMs: number, description: string): number {
  if (delayMs >= 0) return Math.min(delayMs, LONGEST_DELAY_MS);
  throw new RangeError(`backoff "${description}" came to a delay of ${delayMs} ms; a delay is 0 ms or more`);
}
