import { type Random, uniform } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { constant } from "../curves.ts";
import { take } from "../limits.ts";
import { unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface DecorrelatedV2Options {
  /** Near the median of the first and second delay, ms, above 0. */
  readonly baseMs: number;
  /** The longest delay, ms. Default: none. */
  readonly maxMs?: number;
}

/** Smooths the first delay. */
const P_FACTOR = 4;
/** Puts the medians near base, base, 2·base, 4·base … instead of 1.4 times that. */
const SCALE = 1 / 1.4;

/** Polly's decorrelated jitter V2: differences of 2^t · tanh √(4t) at t = n + U[0,1); a delay above max is max. */
export function decorrelatedV2Backoff(options: DecorrelatedV2Options): Backoff {
  return v2("decorrelatedV2Backoff", options, (_random, maxMs) => maxMs);
}

/** The same with an equal jitter wherever the formula would exceed the maximum. */
export function decorrelatedV2Corrected(options: DecorrelatedV2Options): Backoff {
  return v2("decorrelatedV2Corrected", options, (random, maxMs) => uniform(random, maxMs / 2, maxMs));
}

function v2(
  what: string,
  options: DecorrelatedV2Options,
  atCap: (random: Random, maxMs: number) => number,
): Backoff {
  check.keys(what, options, ["baseMs", "maxMs"]);
  const baseMs = check.positiveDelay("baseMs", options.baseMs);
  const maxMs = check.limit("maxMs", options.maxMs ?? Number.POSITIVE_INFINITY);
  const description = `decorrelated V2 ${formatMs(baseMs)}, cap ${formatMs(maxMs)}`;
  return unfold(description, { n: 0, last: 0 }, ({ n, last }, random) => {
    const t = n + random.next();
    const value = 2 ** t * Math.tanh(Math.sqrt(P_FACTOR * t));
    // past 2^1024 the difference of two infinities would be NaN
    const delayMs = Number.isFinite(value)
      ? Math.max(0, value - last) * SCALE * baseMs
      : Number.POSITIVE_INFINITY;
    return { delayMs: delayMs > maxMs ? atCap(random, maxMs) : delayMs, state: { n: n + 1, last: value } };
  });
}

const polly = { delayMs: 2000, maxRetryAttempts: 3 };
const cockatiel = { initialDelayMs: 128, maxDelayMs: 30_000 };
const cockatielOptions = { baseMs: cockatiel.initialDelayMs, maxMs: cockatiel.maxDelayMs };

export const pollyPresets: readonly Preset[] = [
  preset({
    name: "polly",
    describe: "v8's defaults: 2 s every time, no jitter, three retries",
    source: "App-vNext/Polly v8 src/Polly.Core/Retry",
    constants: polly,
    backoff: take(constant(polly.delayMs), polly.maxRetryAttempts),
  }),
  preset({
    name: "polly-jitter",
    describe: "v8 with BackoffType Exponential and UseJitter: decorrelated V2 from 2 s, three retries",
    source: "App-vNext/Polly v8 src/Polly.Core/Retry/RetryHelper.cs",
    constants: polly,
    backoff: take(decorrelatedV2Backoff({ baseMs: polly.delayMs }), polly.maxRetryAttempts),
  }),
  preset({
    name: "cockatiel",
    describe: "Polly's decorrelated V2 from 128 ms, clamped at 30 s; for ever",
    source: "cockatiel 3.2.1 dist/backoff/ExponentialBackoffGenerators.js",
    constants: cockatiel,
    defects: [
      "a delay above the maximum becomes exactly the maximum: over 97 % of the 12th delays are identical",
    ],
    corrected: "cockatiel-corrected",
    backoff: decorrelatedV2Backoff(cockatielOptions),
  }),
  preset({
    name: "cockatiel-corrected",
    describe: "cockatiel with 15…30 s drawn where it clamps to 30 s",
    source: "ours, after cockatiel",
    constants: cockatiel,
    backoff: decorrelatedV2Corrected(cockatielOptions),
  }),
];
