/**
 * Durations as the peers write them. All functions return milliseconds (fractions kept), or undefined when the text is
 * not a duration: the caller knows the key and makes the error.
 */

/** What a number without a unit means: not allowed, milliseconds or seconds. */
export type BareNumber = "refused" | "ms" | "s";

const goUnitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5, micro sign
  μs: 1e-3, // U+03BC, Greek mu
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's time.Duration is a 64-bit count of nanoseconds: about 292 years. */
const goMaxMs = 2 ** 63 / 1e6;

/**
 * Go's `time.ParseDuration`: `"1h2m3.5s"`, `"100ms"`, `"-1.5h"`, `"0"`. No spaces; every number has a unit, except a
 * lone zero and what `bare` allows (integers only, as strconv.Atoi reads them).
 */
export function parseGoDuration(text: string, bare: BareNumber = "refused"): number | undefined {
  if (/^[+-]?\d+$/.test(text)) return bareNumber(text, bare);
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let totalMs = 0;
  for (const [, number, unit] of body.matchAll(/([\d.]+)([^\d.]+)/g)) {
    totalMs += Number(number) * goUnitMs[unit!]!;
  }
  return totalMs < goMaxMs ? sign * totalMs : undefined;
}

const hoconUnits: ReadonlyArray<readonly [unitMs: number, names: readonly string[]]> = [
  [1e-6, ["ns", "nano", "nanos", "nanosecond", "nanoseconds"]],
  [1e-3, ["us", "micro", "micros", "microsecond", "microseconds"]],
  [1, ["ms", "milli", "millis", "millisecond", "milliseconds"]],
  [1_000, ["s", "second", "seconds"]],
  [60_000, ["m", "minute", "minutes"]],
  [3_600_000, ["h", "hour", "hours"]],
  [86_400_000, ["d", "day", "days"]],
];

const hoconUnitMs: ReadonlyMap<string, number> = new Map(
  hoconUnits.flatMap(([unitMs, names]) => names.map((name) => [name, unitMs] as const)),
);

/**
 * HOCON's duration format: one number, optional space, one unit: `"1 second"`, `"10 seconds"`, `"0.5s"`, `"2 days"`.
 * Units are case-sensitive. HOCON reads a bare number as milliseconds.
 */
export function parseHoconDuration(text: string, bare: BareNumber = "ms"): number | undefined {
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*([a-z]*)\s*$/.exec(text);
  if (match === null) return undefined;
  const [, number, unit] = match;
  if (unit === "") return bareNumber(number!, bare);
  const unitMs = hoconUnitMs.get(unit!);
  if (unitMs === undefined) return undefined;
  const ms = Number(number) * unitMs;
  return Number.isFinite(ms) ? ms : undefined;
}

function bareNumber(text: string, bare: BareNumber): number | undefined {
  const value = Number(text);
  if (value === 0) return 0;
  if (bare === "refused" || !Number.isFinite(value)) return undefined;
  const ms = bare === "s" ? value * 1_000 : value;
  return Math.abs(ms) < goMaxMs ? ms : undefined;
}

/** A duration in words short enough for a message: `0 ms`, `250 ms`, `1.5 s`, `2 min`, `3 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "for ever";
  if (ms < 1_000) return `${trim(ms)} ms`;
  if (ms < 60_000) return `${trim(ms / 1_000)} s`;
  return ms < 3_600_000 ? `${trim(ms / 60_000)} min` : `${trim(ms / 3_600_000)} h`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 2 : 1)));
}
