/** The checks of the pool's options: an error names key, value and allowed range. */
import { type Backoff, suggestion, warnOfLowDelay } from "../backoff/index.ts";
import { HoldfastError } from "../call/index.ts";

export function refuse(key: string, value: unknown, allowed: string): never {
  const shown = typeof value === "string" ? JSON.stringify(value) : describe(value);
  throw new HoldfastError("HF_OPTION", `option "${key}" is ${shown}, but must be ${allowed}`, {
    details: { key, allowed },
  });
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Refuses a key that is none of `known`, with the nearest one. */
export function keys(options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const hint = suggestion(key, known);
    throw new HoldfastError("HF_OPTION", `unknown option "${key}"${hint}; known: ${known.join(", ")}`, {
      details: { key },
    });
  }
}

/** A whole number in the range, or Infinity when `max` is. */
export function count(
  key: string,
  value: number,
  min: number,
  max: number = Number.POSITIVE_INFINITY,
): number {
  const whole = Number.isSafeInteger(value) || (value === Number.POSITIVE_INFINITY && value <= max);
  if (whole && value >= min && value <= max) return value;
  return refuse(key, value, `a whole number ${range(min, max)}`);
}

/** Milliseconds in the range, or Infinity when `max` is. */
export function ms(key: string, value: number, min: number, max: number = Number.POSITIVE_INFINITY): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  return refuse(key, value, `milliseconds ${range(min, max)}`);
}

/** A part of a whole. */
export function fraction(key: string, value: number): number {
  if (typeof value === "number" && value >= 0 && value <= 0.5) return value;
  return refuse(key, value, "a number from 0 to 0.5");
}

function range(min: number, max: number): string {
  return max === Number.POSITIVE_INFINITY ? `of at least ${min}, or Infinity` : `from ${min} to ${max}`;
}

/** One that was given is warned of when its waits are very short (`HF_LOW_DELAY`). */
export function backoff(key: string, given: Backoff | undefined, standard: () => Backoff): Backoff {
  if (given === undefined) return standard();
  if (typeof (given as Partial<Backoff> | null)?.start !== "function")
    refuse(key, given, "a backoff (a value with `start`)");
  warnOfLowDelay(given);
  return given;
}
