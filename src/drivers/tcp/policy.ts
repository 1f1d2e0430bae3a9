/** From libhv's reconnect setting to the engine's policy. */
import { type Backoff, type Schedule, type Step, take, warnOfLowDelay } from "../../backoff/index.ts";
import type { LinkPolicy } from "../../link/index.ts";
import { type ResilienceOptions, refusedOptionError } from "../../options/index.ts";
import { fromReconnectSetting, type ReconnectRule, type ReconnectSetting } from "./reconnect-setting.ts";

/** libhv's `reconn_setting_t` in camel case. */
export interface CamelReconnectSetting {
  readonly minDelay?: number;
  readonly maxDelay?: number;
  readonly delayPolicy?: number;
  readonly maxRetryCnt?: number;
}

/** The fields of `reconn_setting_t`, as C or as TypeScript writes them. */
export type GivenReconnectSetting = ReconnectSetting & CamelReconnectSetting;

const camel: ReadonlyMap<string, keyof ReconnectSetting> = new Map([
  ["minDelay", "min_delay"],
  ["maxDelay", "max_delay"],
  ["delayPolicy", "delay_policy"],
  ["maxRetryCnt", "max_retry_cnt"],
] as const);

/** The setting in libhv's spelling, checked. Throws `HF_OPTION`, also when a field is given in both spellings. */
export function snakeSetting(given: GivenReconnectSetting, key: string): ReconnectSetting {
  const setting: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const snake = camel.get(name) ?? name;
    if (snake in setting) throw refusedOptionError(`${key}.${name}`, `it says the same as "${snake}"`);
    setting[snake] = value;
  }
  fromReconnectSetting(setting as ReconnectSetting, key);
  return setting as ReconnectSetting;
}

/** libhv's connect timeout. */
const libhvConnectTimeoutMs = 10_000;

/**
 * The policy in force. Without a setting: our own defaults. With one: its delays and its count; every failure waits,
 * the first connect is retried, and the connect timeout is libhv's. What `resilience` says outright goes before
 * libhv's defaults. `null` = never reconnect.
 */
export function policyFor(
  ours: LinkPolicy,
  given: ResilienceOptions,
  setting: ReconnectSetting | null | undefined,
  connectTimeoutMs: number | undefined,
): LinkPolicy {
  const wanted = connectTimeoutMs ?? given.connectTimeoutMs;
  if (setting === undefined) return connectTimeoutMs === undefined ? ours : { ...ours, connectTimeoutMs };
  if (setting === null)
    return {
      ...ours,
      reconnect: false,
      retryInitial: false,
      connectTimeoutMs: connectTimeoutMs ?? ours.connectTimeoutMs,
    };
  const rule = fromReconnectSetting(setting);
  warnOfLowDelay(rule.backoff);
  return {
    ...ours,
    backoff: retriesOnly(rule),
    delayPer: given.delayPer ?? "attempt",
    reconnect: true,
    retryInitial: given.retryInitial ?? true,
    connectTimeoutMs: wanted === undefined ? libhvConnectTimeoutMs : ours.connectTimeoutMs,
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
}

/**
 * libhv's delays come before retries only, and its count counts retries only: the first dial of a first connect (and
 * one that was asked for) is neither. Such a dial has no failure behind it.
 */
function retriesOnly({ backoff, maxAttempts }: ReconnectRule): Backoff {
  const retries = take(backoff, maxAttempts);
  return {
    description: retries.description,
    start(): Schedule {
      const first: Schedule = {
        next(random, context): Step {
          const free = context.attempt === 0 && context.cause === undefined;
          return free ? { delayMs: 0, schedule: first } : retries.start().next(random, context);
        },
      };
      return first;
    },
  };
}
