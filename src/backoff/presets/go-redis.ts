import { uniform } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import { boundedExponential } from "../bounded.ts";
import * as check from "../check.ts";
import { constant } from "../curves.ts";
import { take } from "../limits.ts";
import { byIndex } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface GoRedisOptions {
  /** MinRetryBackoff, ms; 0 retries without a delay. Default 8. */
  readonly minRetryBackoffMs?: number;
  /** MaxRetryBackoff, ms. Default 512. */
  readonly maxRetryBackoffMs?: number;
  /** MaxRetries. Default 3. */
  readonly maxRetries?: number;
}

const v8 = { minRetryBackoffMs: 8, maxRetryBackoffMs: 512, maxRetries: 3 };
const v922 = { minRetryBackoffMs: 10, maxRetryBackoffMs: 1000, maxRetries: 3 };
/** Beyond it Go's int64 nanoseconds overflow, and the delay is the maximum. */
const OVERFLOW_MS = 2 ** 63 / 1e6;

/** d = min + rand[0, min·2ⁿ), n from 1; anything above max, or an overflow, becomes max. */
export function goRedisBackoff(options: GoRedisOptions = {}): Backoff {
  const { minMs, maxMs, maxRetries } = settings("goRedisBackoff", options);
  if (minMs === 0) return take(constant(0), maxRetries);
  const curve = byIndex(`go-redis ${formatMs(minMs)}…${formatMs(maxMs)}`, (i, random) => {
    const widthMs = minMs * 2 ** (i + 1);
    return widthMs >= OVERFLOW_MS ? maxMs : Math.min(minMs + uniform(random, 0, widthMs), maxMs);
  });
  return take(curve, maxRetries);
}

/** The same with the width capped instead of the result. */
export function goRedisCorrected(options: GoRedisOptions = {}): Backoff {
  const { minMs, maxMs, maxRetries } = settings("goRedisCorrected", options);
  if (minMs === 0) return take(constant(0), maxRetries);
  return take(boundedExponential({ minMs, baseMs: 2 * minMs, capMs: maxMs }), maxRetries);
}

function settings(what: string, options: GoRedisOptions) {
  check.keys(what, options, Object.keys(v8));
  const minMs = check.delay("minRetryBackoffMs", options.minRetryBackoffMs ?? v8.minRetryBackoffMs);
  const maxMs = check.delay("maxRetryBackoffMs", options.maxRetryBackoffMs ?? v8.maxRetryBackoffMs);
  check.ordered("minRetryBackoffMs", minMs, "maxRetryBackoffMs", maxMs);
  return { minMs, maxMs, maxRetries: check.count("maxRetries", options.maxRetries ?? v8.maxRetries) };
}

const defects = [
  "a draw above the maximum becomes exactly the maximum: at 10 retries 94 % of clients wait exactly 512 ms",
];
const source = "redis/go-redis internal/internal.go RetryBackoff, options.go";

export const goRedisPresets: readonly Preset[] = [
  preset({
    name: "go-redis",
    describe:
      "v8 to v9.21: 8 ms + up to 16, 32, 64 ms: three retries within 0.14 s, which rides out no restart",
    source: `${source}; v8.11.5`,
    constants: v8,
    defects,
    corrected: "go-redis-corrected",
    backoff: goRedisBackoff(v8),
  }),
  preset({
    name: "go-redis-9.22",
    describe: "v9.22 on: 10 ms + up to 20, 40, 80 ms, capped at 1 s; three retries",
    source: `${source}; v9.22.0`,
    constants: v922,
    defects,
    corrected: "go-redis-corrected",
    backoff: goRedisBackoff(v922),
  }),
  preset({
    name: "go-redis-corrected",
    describe: "go-redis with the width of the draw capped instead of its result",
    source: "ours, after go-redis",
    constants: v8,
    backoff: goRedisCorrected(v8),
  }),
];
