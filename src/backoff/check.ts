import { suggestion } from "./suggest.ts";

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** `min` itself is not allowed. */
  readonly aboveMin?: boolean;
  readonly integer?: boolean;
  /** Infinity is allowed, and means "no limit". */
  readonly orInfinite?: boolean;
  readonly unit?: string;
}

/**
 * A number within its range, or an error that names the key, the value and what is allowed.
 * @throws TypeError when it is not a number, RangeError when it is out of range.
 */
export function number(key: string, value: unknown, range: Range): number {
  const allowed = `${key} must be ${wording(range)}; got ${show(value)}`;
  if (typeof value !== "number") throw new TypeError(allowed);
  const { min = 0, max = Number.POSITIVE_INFINITY } = range;
  const infinite = value === Number.POSITIVE_INFINITY;
  const inside =
    (range.aboveMin ? value > min : value >= min) && value <= max && (!infinite || range.orInfinite);
  if (!inside || (range.integer && !infinite && !Number.isInteger(value))) throw new RangeError(allowed);
  return value;
}

/** A delay in milliseconds, 0 or more. */
export function delay(key: string, value: unknown): number {
  return number(key, value, { unit: "milliseconds" });
}

/** A delay in milliseconds above 0. */
export function positiveDelay(key: string, value: unknown): number {
  return number(key, value, { aboveMin: true, unit: "milliseconds" });
}

/** An upper limit in milliseconds; Infinity is none. */
export function limit(key: string, value: unknown): number {
  return number(key, value, { orInfinite: true, unit: "milliseconds" });
}

/** A count, 0 or more; Infinity is "no end". */
export function count(key: string, value: unknown): number {
  return number(key, value, { integer: true, orInfinite: true });
}

/** A whole number of which any negative one, or Infinity, means "no end"; as the count it stands for. */
export function endlessWhenNegative(key: string, value: unknown): number {
  const given = number(key, value, { min: Number.NEGATIVE_INFINITY, integer: true, orInfinite: true });
  return given < 0 ? Number.POSITIVE_INFINITY : given;
}

/** @throws RangeError when `low` is above `high`. */
export function ordered(lowKey: string, low: number, highKey: string, high: number): void {
  if (low > high) throw new RangeError(`${lowKey} must be at most ${highKey} (${high}); got ${low}`);
}

/** @throws RangeError on a key that is none of `known`, with the nearest one. */
export function keys(what: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new RangeError(
      `${what} has no option ${show(key)}${suggestion(key, known)}; allowed: ${known.join(", ")}`,
    );
  }
}

function wording(range: Range): string {
  const parts = [range.integer ? "a whole number" : "a number"];
  if (range.unit) parts.push(`of ${range.unit}`);
  const { min = 0, max } = range;
  if (min !== Number.NEGATIVE_INFINITY) parts.push(range.aboveMin ? `above ${min}` : `of at least ${min}`);
  if (max !== undefined) parts.push(`and at most ${max}`);
  if (range.orInfinite) parts.push("(Infinity = no limit)");
  else if (max === undefined) parts.push("and finite");
  return parts.join(" ");
}

export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}
