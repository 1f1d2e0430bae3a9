import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { take } from "../limits.ts";
import { unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface LibhvOptions {
  /** min_delay: the first delay and the linear step. uint32. */
  readonly minDelayMs?: number;
  /** max_delay: the cap; it wins over a larger min_delay. uint32. */
  readonly maxDelayMs?: number;
  /** delay_policy: 0 fixed, 1 linear, n ≥ 2 exponential with base n. uint32. */
  readonly delayPolicy?: number;
  /** max_retry_cnt: retries after the first attempt; Infinity is its default. */
  readonly maxRetries?: number;
}

const UINT32_MAX = 2 ** 32 - 1;
const defaults = {
  minDelayMs: 1000,
  maxDelayMs: 60_000,
  delayPolicy: 2,
  maxRetries: Number.POSITIVE_INFINITY,
};

/** libhv's reconn_setting_t, in its uint32 arithmetic: a product above 2^32 wraps before the cap is applied. */
export function libhvBackoff(options: LibhvOptions = {}): Backoff {
  check.keys("libhvBackoff", options, Object.keys(defaults));
  const { minDelayMs, maxDelayMs, delayPolicy, maxRetries } = { ...defaults, ...options };
  for (const [key, value] of Object.entries({ minDelayMs, maxDelayMs, delayPolicy })) {
    check.number(key, value, { integer: true, max: UINT32_MAX });
  }
  check.count("maxRetries", maxRetries);
  const grow = (currentMs: number): number => {
    if (delayPolicy === 0) return minDelayMs;
    return delayPolicy === 1 ? currentMs + minDelayMs : Math.imul(currentMs, delayPolicy);
  };
  const kind = delayPolicy === 0 ? "fixed" : delayPolicy === 1 ? "linear" : `exponential ×${delayPolicy}`;
  const description = `libhv ${kind} ${formatMs(minDelayMs)}…${formatMs(maxDelayMs)}`;
  const delays = unfold(description, 0, (currentMs) => {
    const delayMs = Math.min(Math.max(grow(currentMs) >>> 0, minDelayMs), maxDelayMs);
    return { delayMs, state: delayMs };
  });
  return take(delays, maxRetries);
}

const source = "ithewei/libhv 6bcfc50 (after v1.3.4) event/hloop.h, reconn_setting_t; delays measured";

function policy(name: string, delayPolicy: number, describe: string): Preset {
  return preset({
    name,
    describe,
    source,
    constants: { ...defaults, delayPolicy },
    backoff: libhvBackoff({ delayPolicy }),
  });
}

export const libhvPresets: readonly Preset[] = [
  policy("libhv-fixed", 0, "setReconnect with delay_policy 0: 1 s every time, no jitter, for ever"),
  policy("libhv-linear", 1, "setReconnect with delay_policy 1: 1 s, 2 s, 3 s … 60 s, no jitter, for ever"),
  policy(
    "libhv-exponential",
    2,
    "setReconnect with delay_policy 2 (its default): 1 s, 2 s, 4 s … 60 s, no jitter, for ever",
  ),
];
