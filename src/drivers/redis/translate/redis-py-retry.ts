/** redis-py's `Retry(backoff, retries)` and the older flags, as one canonical retry rule. */
import {
  type Check,
  either,
  integer,
  number,
  object,
  oneOf,
  optional,
  refusedOptionError,
} from "../../../options/index.ts";
import type { RedisBackoff, RedisBackoffName, RedisRetries } from "../options.ts";
import { noWait, type RedisPyVersion, redisPyDefaults } from "./redis-py-defaults.ts";

type BackoffClass =
  | "NoBackoff"
  | "ConstantBackoff"
  | "ExponentialBackoff"
  | "FullJitterBackoff"
  | "EqualJitterBackoff"
  | "DecorrelatedJitterBackoff"
  | "ExponentialWithJitterBackoff";

const backoffClasses: Readonly<Record<BackoffClass, RedisBackoffName>> = {
  NoBackoff: "none",
  ConstantBackoff: "constant",
  ExponentialBackoff: "exponential",
  FullJitterBackoff: "full-jitter",
  EqualJitterBackoff: "equal-jitter",
  DecorrelatedJitterBackoff: "decorrelated",
  ExponentialWithJitterBackoff: "exponential-with-jitter",
};

const backoffClass: Check<BackoffClass> = oneOf(Object.keys(backoffClasses) as BackoffClass[]);
const secondsFromZero = number({ min: 0, max: 1e9 });

/** redis-py's own defaults of every curve: 8 ms to 512 ms. */
const defaultBaseMs = 8;
const defaultCapMs = 512;

interface PyBackoff {
  readonly class: BackoffClass;
  /** Seconds; ConstantBackoff's only argument is called `backoff`. */
  readonly base?: number;
  readonly cap?: number;
  readonly backoff?: number;
}

export interface PyRetry {
  /** −1: for ever. */
  readonly retries: number;
  readonly backoff: BackoffClass | PyBackoff;
}

export const pyRetry: Check<PyRetry> = object({
  retries: integer({ min: -1, max: 0x7fffffff }),
  backoff: either(
    backoffClass,
    object({
      class: backoffClass,
      base: optional(secondsFromZero),
      cap: optional(secondsFromZero),
      backoff: optional(secondsFromZero),
    }),
  ),
});

export interface PyRetryFlags {
  readonly retryOnTimeout: boolean;
  readonly retryOnError: readonly ("ConnectionError" | "TimeoutError")[];
  readonly retry: PyRetry | undefined;
}

/** Which failures are sent again, how often and after what wait, by the version's own rule. */
export function retriesOf(flags: PyRetryFlags, version: RedisPyVersion, path: string): RedisRetries {
  const inherited = redisPyDefaults[version].retries;
  if (version === "3.1" || version === "3.2") {
    refuseNewerFlags(flags, version, path);
    if (version === "3.1") return { ...inherited, onTimeout: flags.retryOnTimeout };
    return flags.retryOnTimeout ? { ...inherited, max: 1, onTimeout: true } : inherited;
  }
  const onTimeout = flags.retryOnTimeout || flags.retryOnError.includes("TimeoutError");
  const onLoss = flags.retryOnError.includes("ConnectionError");
  if (flags.retry !== undefined) {
    // Retry's own list of supported errors holds both kinds; the flags can only add to it.
    return { ...limitsOf(flags.retry), onLoss: true, onTimeout: true };
  }
  if (version === "4" && (onTimeout || onLoss)) return { max: 1, backoff: noWait, onLoss, onTimeout };
  return inherited;
}

function refuseNewerFlags(flags: PyRetryFlags, version: RedisPyVersion, path: string): void {
  const dotted = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const why = `redis-py ${version} has no such argument; pass version "4", "6" or "8"`;
  if (flags.retry !== undefined) throw refusedOptionError(dotted("retry"), why);
  if (flags.retryOnError.length > 0) throw refusedOptionError(dotted("retry_on_error"), why);
}

function limitsOf(retry: PyRetry): { readonly max: number; readonly backoff: RedisBackoff } {
  return { max: retry.retries === -1 ? Infinity : retry.retries, backoff: backoffOf(retry.backoff) };
}

function backoffOf(given: BackoffClass | PyBackoff): RedisBackoff {
  const backoff: PyBackoff = typeof given === "string" ? { class: given } : given;
  const name = backoffClasses[backoff.class];
  if (name === "none") return noWait;
  if (name === "constant") {
    const ms = (backoff.backoff ?? backoff.base ?? 0) * 1_000;
    return { name, minMs: ms, maxMs: ms };
  }
  return {
    name,
    minMs: backoff.base === undefined ? defaultBaseMs : backoff.base * 1_000,
    maxMs: backoff.cap === undefined ? defaultCapMs : backoff.cap * 1_000,
  };
}
