import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { constant, exponential } from "../curves.ts";
import { fullJitter } from "../jitter.ts";
import { take } from "../limits.ts";
import { byIndex } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface RedisPyOptions {
  /** base, ms. Default 10 (8.0). */
  readonly baseMs?: number;
  /** cap, ms. Default 1,000 (8.0). */
  readonly capMs?: number;
  /** retries; negative is for ever. Default 10 (8.0). */
  readonly retries?: number;
}

const v8 = { baseMs: 10, capMs: 1000, retries: 10 };
const v6 = { baseMs: 1000, capMs: 10_000, retries: 3 };

/** ExponentialWithJitterBackoff: min(cap, U[0,1) · base · 2^failures), failures from 1. */
export function redisPyBackoff(options: RedisPyOptions = {}): Backoff {
  const { baseMs, capMs, attempts } = settings("redisPyBackoff", options);
  const curve = byIndex(`redis-py ${formatMs(baseMs)}…${formatMs(capMs)}`, (i, random) => {
    const shareMs = random.next() * baseMs;
    return shareMs === 0 ? 0 : Math.min(capMs, shareMs * 2 ** (i + 1)); // 0 · Infinity would be NaN
  });
  return take(curve, attempts);
}

/** The same with the curve capped before the draw: its FullJitterBackoff. */
export function redisPyCorrected(options: RedisPyOptions = {}): Backoff {
  const { baseMs, capMs, attempts } = settings("redisPyCorrected", options);
  return take(fullJitter(exponential({ baseMs: Math.min(2 * baseMs, capMs), capMs })), attempts);
}

function settings(what: string, options: RedisPyOptions) {
  check.keys(what, options, Object.keys(v8));
  const { baseMs, capMs, retries } = { ...v8, ...options };
  check.delay("baseMs", baseMs);
  check.delay("capMs", capMs);
  return { baseMs, capMs, attempts: check.endlessWhenNegative("retries", retries) };
}

const defects = [
  "a draw above the cap becomes exactly the cap: 90 % of the tenth delays of 8.0 are exactly 1 s",
];
const source = "redis/redis-py redis/backoff.py and retry.py";

export const redisPyPresets: readonly Preset[] = [
  preset({
    name: "redis-py-3",
    describe:
      "3.x to 5.x with retry_on_timeout: disconnect, send once more at once. Without it there is no retry",
    source: `${source}; 5.x`,
    constants: { retries: 1 },
    backoff: take(constant(0), 1),
  }),
  preset({
    name: "redis-py-6",
    describe: "6.0 to 7.x: up to 2, 4, 8 s; three retries",
    source: `${source}; 7.x`,
    constants: v6,
    defects: ["a draw above the cap becomes exactly the cap, from the fourth delay on"],
    corrected: "redis-py-corrected",
    backoff: redisPyBackoff(v6),
  }),
  preset({
    name: "redis-py-8",
    describe: "8.0 on: up to 20 ms doubled, clamped at 1 s; ten retries",
    source: `${source}; 8.0`,
    constants: v8,
    defects,
    corrected: "redis-py-corrected",
    backoff: redisPyBackoff(v8),
  }),
  preset({
    name: "redis-py-corrected",
    describe: "redis-py-8 with the curve capped before the draw (its own FullJitterBackoff)",
    source: "ours, after redis-py",
    constants: v8,
    backoff: redisPyCorrected(v8),
  }),
];
