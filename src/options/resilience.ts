/** The canonical `resilience` options: what every driver takes, whatever its peer calls them. */
import {
  type Backoff,
  boundedExponential,
  immediately,
  presetNamed,
  presets,
  spreadExponential,
  warnOfLowDelay,
} from "../backoff/index.ts";
import type { RetryBudget, RetryPolicy } from "../call/index.ts";
import type { Chooser, DialPermits, LinkPolicy, LivenessOptions, OutboxLimits } from "../link/index.ts";
import { systemWorld, type World } from "../time/index.ts";
import * as check from "./check.ts";
import { type Defaults, defaults } from "./defaults.ts";
import { optionError } from "./error.ts";
import { didYouMean } from "./suggest.ts";

export interface BackoffShape {
  /** ms; default 50. */
  readonly minMs?: number;
  /** ms; default 400. */
  readonly baseMs?: number;
  /** ms; default 7,500. */
  readonly capMs?: number;
  /** First try at once. Default `true`. */
  readonly immediateFirst?: boolean;
}

/** All keys are optional; defaults and their reasons are in docs/defaults.md. */
export interface ResilienceOptions {
  /** For events, logs and metrics. Default: the driver's name and first endpoint. */
  readonly name?: string;
  /** A backoff value, the name of a preset (`holdfast plan --list`), or our own shape's figures. */
  readonly backoff?: Backoff | string | BackoffShape;
  readonly auth?: { readonly backoff?: Backoff; readonly maxFailures?: number };
  readonly limits?: {
    readonly maxAttempts?: number;
    readonly maxAttemptsPerEndpoint?: number;
    readonly maxElapsedMs?: number;
  };
  readonly delayPer?: "round" | "attempt";
  readonly order?: "shuffled" | "given";
  readonly reconnect?: boolean;
  readonly retryInitial?: boolean;
  readonly lazy?: boolean;
  readonly connectTimeoutMs?: number;
  readonly restoreTimeoutMs?: number;
  readonly stableAfterMs?: number;
  readonly minDialGapMs?: number;
  readonly closeTimeoutMs?: number;
  readonly drainTimeoutMs?: number;
  readonly liveness?: {
    /** `false` = never probe. */
    readonly idleProbeMs?: number | false;
    readonly probeTimeoutMs?: number;
    readonly tcpKeepAliveMs?: number | false;
  };
  readonly outbox?: {
    readonly bytes?: number;
    readonly entries?: number;
    readonly ageMs?: number;
    readonly whenFull?: "reject" | "drop-oldest";
  };
  readonly retry?: { readonly maxRetries?: number; readonly unsafeResendMaybeApplied?: boolean };
  readonly retryBudget?: RetryBudget;
  readonly writeBufferBytes?: number;
  readonly choose?: Chooser;
  /** Who may dial when; default: the process-wide governor. */
  readonly governor?: DialPermits;
  /** Time and randomness; for tests. */
  readonly world?: World;
}

/** The part of a link's configuration that comes from options; a driver adds itself and its endpoints. */
export interface ResolvedResilience {
  readonly name: string | undefined;
  readonly endpointOptions: { readonly order: "shuffled" | "given"; readonly maxAttemptsPerEndpoint: number };
  readonly policy: LinkPolicy;
  readonly outbox: OutboxLimits;
  readonly retry: RetryPolicy;
  readonly budget?: RetryBudget;
  readonly writeBufferBytes: number;
  readonly liveness: LivenessOptions;
  readonly tcpKeepAliveMs: number | false;
  readonly drainTimeoutMs: number;
  readonly permits?: DialPermits;
  readonly world: World;
}

const ms = check.duration({ min: 1, max: Number.POSITIVE_INFINITY });
const msOrZero = check.duration({ min: 0, max: Number.POSITIVE_INFINITY });
const count = check.number({ min: 0, max: Number.POSITIVE_INFINITY });
/** Read in a second step, by a function of its own. */
const anything: check.Check<unknown> = { allowed: "any value", read: (value) => value };

/** An object made elsewhere, known by its members. */
function having<T>(allowed: string, members: readonly (keyof T & string)[]): check.Check<T> {
  return {
    allowed,
    read(value, key) {
      const found = typeof value === "object" && value !== null && members.every((name) => name in value);
      if (!found) throw optionError(key, value, allowed);
      return value as T;
    },
  };
}

const aBackoff = having<Backoff>("a backoff (a value with `start`)", ["start"]);
const off = <T>(inner: check.Check<T>): check.Check<T | false> =>
  check.either(inner, check.oneOf([false] as const));

const shape = check.object({
  name: check.optional(check.string()),
  backoff: check.optional(anything),
  auth: check.optional(
    check.object({ backoff: check.optional(aBackoff), maxFailures: check.optional(count) }),
  ),
  limits: check.optional(
    check.object({
      maxAttempts: check.optional(count),
      maxAttemptsPerEndpoint: check.optional(count),
      maxElapsedMs: check.optional(msOrZero),
    }),
  ),
  delayPer: check.optional(check.oneOf(["round", "attempt"] as const)),
  order: check.optional(check.oneOf(["shuffled", "given"] as const)),
  reconnect: check.optional(check.boolean()),
  retryInitial: check.optional(check.boolean()),
  lazy: check.optional(check.boolean()),
  connectTimeoutMs: check.optional(ms),
  restoreTimeoutMs: check.optional(ms),
  stableAfterMs: check.optional(msOrZero),
  minDialGapMs: check.optional(msOrZero),
  closeTimeoutMs: check.optional(ms),
  drainTimeoutMs: check.optional(msOrZero),
  liveness: check.optional(
    check.object({
      idleProbeMs: check.optional(off(ms)),
      probeTimeoutMs: check.optional(ms),
      tcpKeepAliveMs: check.optional(off(ms)),
    }),
  ),
  outbox: check.optional(
    check.object({
      bytes: check.optional(count),
      entries: check.optional(count),
      ageMs: check.optional(ms),
      whenFull: check.optional(check.oneOf(["reject", "drop-oldest"] as const)),
    }),
  ),
  retry: check.optional(
    check.object({
      maxRetries: check.optional(count),
      unsafeResendMaybeApplied: check.optional(check.boolean()),
    }),
  ),
  retryBudget: check.optional(having<RetryBudget>("a RetryBudget", ["deposit", "withdraw"])),
  writeBufferBytes: check.optional(count),
  choose: check.optional(check.callback<Chooser>()),
  governor: check.optional(having<DialPermits>("a governor (a value with `request`)", ["request"])),
  world: check.optional(
    having<World>("a world with clock, random and detach", ["clock", "random", "detach"]),
  ),
});

/**
 * Validates `resilience` and fills in the defaults; nothing is dialled.
 * @throws `HF_OPTION` naming key, value and what is allowed; an unknown key with "did you mean"
 */
export function resolveResilience(options: ResilienceOptions = {}): ResolvedResilience {
  const untouched = options !== null && typeof options === "object" && Object.keys(options).length === 0;
  if (!untouched) return resolve(options);
  resolvedDefaults ??= frozen(resolve({}));
  return resolvedDefaults;
}

/** One for all links whose owners say nothing: a link of a large fleet keeps no settings of its own. */
let resolvedDefaults: ResolvedResilience | undefined;

function frozen(resolved: ResolvedResilience): ResolvedResilience {
  const { endpointOptions, policy, outbox, retry, liveness } = resolved;
  for (const part of [endpointOptions, policy, outbox, retry, liveness, resolved]) Object.freeze(part);
  return resolved;
}

function resolve(options: ResilienceOptions): ResolvedResilience {
  const o = shape.read(options, "resilience") as ResilienceOptions;
  const at = <K extends keyof Defaults>(name: K): Defaults[K]["value"] => defaults[name].value;
  const lazy = o.lazy ?? at("lazy");
  const backoff = readBackoff(options.backoff);
  if (options.backoff !== undefined)
    warnOfLowDelay(backoff, typeof options.backoff === "string" ? options.backoff : undefined);
  if (options.auth?.backoff !== undefined) warnOfLowDelay(options.auth.backoff);
  return {
    name: o.name,
    endpointOptions: {
      order: o.order ?? at("order"),
      maxAttemptsPerEndpoint: o.limits?.maxAttemptsPerEndpoint ?? at("limits.maxAttemptsPerEndpoint"),
    },
    policy: {
      backoff,
      authBackoff: options.auth?.backoff ?? defaultAuthBackoff,
      delayPer: o.delayPer ?? at("delayPer"),
      reconnect: o.reconnect ?? at("reconnect"),
      // A lazy link has no first connect to fail: its calls fail by their own deadlines.
      retryInitial: lazy || (o.retryInitial ?? at("retryInitial")),
      lazy,
      maxAttempts: o.limits?.maxAttempts ?? at("limits.maxAttempts"),
      maxElapsedMs: o.limits?.maxElapsedMs ?? at("limits.maxElapsedMs"),
      maxAuthFailures: o.auth?.maxFailures ?? at("auth.maxFailures"),
      connectTimeoutMs: o.connectTimeoutMs ?? at("connectTimeoutMs"),
      restoreTimeoutMs: o.restoreTimeoutMs ?? at("restoreTimeoutMs"),
      stableAfterMs: o.stableAfterMs ?? at("stableAfterMs"),
      minDialGapMs: o.minDialGapMs ?? at("minDialGapMs"),
      closeTimeoutMs: o.closeTimeoutMs ?? at("closeTimeoutMs"),
      ...(options.choose && { choose: options.choose }),
    },
    outbox: {
      bytes: o.outbox?.bytes ?? at("outbox.bytes"),
      entries: o.outbox?.entries ?? at("outbox.entries"),
      ageMs: o.outbox?.ageMs ?? at("outbox.ageMs"),
      whenFull: o.outbox?.whenFull ?? at("outbox.whenFull"),
    },
    retry: {
      maxRetries: o.retry?.maxRetries ?? at("retry.maxRetries"),
      unsafeResendMaybeApplied: o.retry?.unsafeResendMaybeApplied ?? false,
    },
    ...(options.retryBudget && { budget: options.retryBudget }),
    writeBufferBytes: o.writeBufferBytes ?? at("writeBufferBytes"),
    liveness: {
      idleProbeMs: (o.liveness?.idleProbeMs ?? at("liveness.idleProbeMs")) || Number.POSITIVE_INFINITY,
      probeTimeoutMs: o.liveness?.probeTimeoutMs ?? at("liveness.probeTimeoutMs"),
    },
    tcpKeepAliveMs: o.liveness?.tcpKeepAliveMs ?? at("liveness.tcpKeepAliveMs"),
    drainTimeoutMs: o.drainTimeoutMs ?? at("drainTimeoutMs"),
    ...(options.governor && { permits: options.governor }),
    world: options.world ?? systemWorld,
  };
}

/** Immutable, and therefore one for all links. */
const defaultAuthBackoff: Backoff = boundedExponential({
  minMs: defaults["auth.minMs"].value,
  baseMs: defaults["auth.baseMs"].value,
  capMs: defaults["auth.capMs"].value,
});

function named(name: string): Backoff {
  const known = Object.keys(presets);
  if (known.includes(name)) return presetNamed(name).backoff;
  const allowed = "the name of a preset (`holdfast plan --list` names them)";
  throw optionError("resilience.backoff", name, allowed, didYouMean(name, known));
}

/** A delay has an end: `Infinity` is not one. */
const LONGEST_MS = Number.MAX_SAFE_INTEGER;
const finiteMs = ({ min }: { min: number }): check.Check<number> => check.duration({ min, max: LONGEST_MS });

const backoffShape = check.object({
  minMs: check.optional(finiteMs({ min: 0 })),
  baseMs: check.optional(finiteMs({ min: 1 })),
  capMs: check.optional(finiteMs({ min: 1 })),
  immediateFirst: check.optional(check.boolean()),
});

function readBackoff(given: ResilienceOptions["backoff"] = defaultBackoff): Backoff {
  if (typeof given === "string") return named(given);
  if (typeof given !== "object" || given === null) {
    throw optionError(
      "resilience.backoff",
      given,
      "a backoff, the name of a preset, or { minMs, baseMs, capMs }",
    );
  }
  if ("start" in given) return given;
  const o = backoffShape.read(given, "resilience.backoff");
  const minMs = o.minMs ?? defaults["backoff.minMs"].value;
  const baseMs = o.baseMs ?? defaults["backoff.baseMs"].value;
  const capMs = o.capMs ?? defaults["backoff.capMs"].value;
  if (minMs > capMs) {
    const key = o.minMs === undefined ? "capMs" : "minMs";
    const allowed = key === "minMs" ? `at most capMs (${capMs} ms)` : `at least minMs (${minMs} ms)`;
    throw optionError(`resilience.backoff.${key}`, key === "minMs" ? minMs : capMs, allowed);
  }
  const curve = spreadExponential({ minMs, baseMs, capMs });
  return (o.immediateFirst ?? defaults["backoff.immediateFirst"].value) ? immediately(curve) : curve;
}

/** One for all links, too. */
const defaultBackoff: Backoff = readBackoff({});
