import { type Backoff, libhvBackoff } from "../../backoff/index.ts";
import {
  type Check,
  integer,
  object,
  optionError,
  refusedOptionError,
  withDefault,
} from "../../options/index.ts";

/** libhv's `reconn_setting_t` in its own words, with the defaults of its constructor. */
export interface ReconnectSetting {
  /** First delay and linear step, in milliseconds. Default 1,000. */
  readonly min_delay?: number;
  /** Longest delay, in milliseconds; wins over a larger `min_delay`. Default 60,000. */
  readonly max_delay?: number;
  /** 0 fixed, 1 linear, n ≥ 2 exponential with base n. Default 2. */
  readonly delay_policy?: number;
  /** Retries until it gives up; Infinity, or 4,294,967,295 as in C, for no limit. Default Infinity. */
  readonly max_retry_cnt?: number;
  /** State of libhv's struct, not a setting: only 0 is accepted. */
  readonly cur_delay?: number;
  /** State of libhv's struct, not a setting: only 0 is accepted. */
  readonly cur_retry_cnt?: number;
}

/** What the engine needs of a `ReconnectSetting`. */
export interface ReconnectRule {
  /** The delay before each retry. It always waits before the first one, as libhv does. */
  readonly backoff: Backoff;
  /** Dials after a loss before giving up; a first connect has one more, the one that is no retry. */
  readonly maxAttempts: number;
}

/** libhv's INFINITE: (uint32_t)-1. */
const infinite = 0xffff_ffff;
const uint32 = integer({ min: 0, max: infinite });

const retryCount: Check<number> = {
  allowed: `${uint32.allowed}, or Infinity`,
  read(value, key) {
    if (value === Infinity) return Infinity;
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > infinite) {
      throw optionError(key, value, retryCount.allowed);
    }
    return value === infinite ? Infinity : (value as number);
  },
};

const struct = object({
  min_delay: withDefault(uint32, 1_000),
  max_delay: withDefault(uint32, 60_000),
  delay_policy: withDefault(uint32, 2),
  max_retry_cnt: withDefault(retryCount, Infinity),
  cur_delay: withDefault(uint32, 0),
  cur_retry_cnt: withDefault(uint32, 0),
});

/**
 * Translates libhv's struct. Throws `HF_OPTION` for values out of range, unknown keys, and a struct that was used
 * before (each link keeps its own state here, so that two never share one).
 */
export function fromReconnectSetting(setting: ReconnectSetting = {}, key = "reconnect"): ReconnectRule {
  const read = struct.read(setting, key);
  for (const state of ["cur_delay", "cur_retry_cnt"] as const) {
    if (read[state] !== 0) {
      throw refusedOptionError(`${key}.${state}`, "it is libhv's running state, not a setting; leave it out");
    }
  }
  const { min_delay: minDelayMs, max_delay: maxDelayMs, delay_policy: delayPolicy } = read;
  return { backoff: libhvBackoff({ minDelayMs, maxDelayMs, delayPolicy }), maxAttempts: read.max_retry_cnt };
}
