import type { Random } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { constant, exponential } from "../curves.ts";
import { proportionalJitter } from "../jitter.ts";
import { unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface DatastaxOptions {
  /** base-delay: the first delay, whole ms above 0. Default 1,000. */
  readonly baseDelayMs?: number;
  /** max-delay: whole ms, at least the base. Default 60,000 (Java), 600,000 (Node). */
  readonly maxDelayMs?: number;
}

const LONG_MAX = 2n ** 63n - 1n;
const defaults = { baseDelayMs: 1000, maxDelayMs: 60_000, jitterPercentMin: 85, jitterPercentMax: 115 };

/** The Java driver's ExponentialReconnectionPolicy in its own 64-bit integer arithmetic, defects included. */
export function datastaxJavaBackoff(options: DatastaxOptions = {}): Backoff {
  const { baseMs, maxMs } = bounds("datastaxJavaBackoff", options);
  const base = BigInt(baseMs);
  const max = BigInt(maxMs);
  const powerOfTwo = (base & (base - 1n)) === 0n;
  // the last index the driver computes; the guard is one too late for powers of two
  const last = (LONG_MAX / base).toString(2).length - (powerOfTwo ? 0 : 1);
  const delayAt = (i: number, random: Random): number => {
    const pure = smaller(long(base << BigInt(i)), max);
    const percent = 85n + BigInt(Math.floor(random.next() * 31));
    const jittered = long(percent * pure) / 100n;
    return Number(jittered < base ? base : smaller(jittered, max));
  };
  const description = `DataStax Java exponential ${formatMs(baseMs)}…${formatMs(maxMs)}`;
  return unfold(description, 0, (i, random) =>
    i > last ? { delayMs: maxMs, state: i } : { delayMs: delayAt(i, random), state: i + 1 },
  );
}

/** The same curve and ±15 %, drawn within [base, max] instead of clamped to it, jittered for ever. */
export function datastaxJavaCorrected(options: DatastaxOptions = {}): Backoff {
  const { baseMs, maxMs } = bounds("datastaxJavaCorrected", options);
  const curve = exponential({ baseMs, capMs: maxMs });
  return proportionalJitter(curve, { ratio: 0.15, minMs: baseMs, maxMs });
}

function bounds(what: string, options: DatastaxOptions): { baseMs: number; maxMs: number } {
  check.keys(what, options, ["baseDelayMs", "maxDelayMs"]);
  const { baseDelayMs, maxDelayMs } = { ...defaults, ...options };
  const whole = { aboveMin: true, integer: true, max: Number.MAX_SAFE_INTEGER, unit: "milliseconds" };
  check.number("baseDelayMs", baseDelayMs, whole);
  check.number("maxDelayMs", maxDelayMs, whole);
  check.ordered("baseDelayMs", baseDelayMs, "maxDelayMs", maxDelayMs);
  return { baseMs: baseDelayMs, maxMs: maxDelayMs };
}

/** What a Java long makes of it. */
function long(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

const source =
  "apache/cassandra-java-driver f98e343 (4.18.2) core/connection/ExponentialReconnectionPolicy.java";

export const datastaxJavaPresets: readonly Preset[] = [
  preset({
    name: "datastax-java",
    describe: "1 s doubled to 60 s, ±15 % in whole percents, clamped to 1…60 s; never immediate, for ever",
    source,
    constants: defaults,
    defects: [
      "the clamp undoes the jitter at both ends: 52 % of first delays are exactly 1,000 ms and 52 % of those at the cap exactly 60,000 ms",
      "no jitter at all after 54 delays (some 48 minutes): everybody waits exactly 60 s",
      "a power-of-two base overflows once, and that delay collapses to the base",
    ],
    corrected: "datastax-java-corrected",
    backoff: datastaxJavaBackoff(),
  }),
  preset({
    name: "datastax-java-corrected",
    describe:
      "datastax-java with the draw narrowed to the bounds instead of clamped: jittered at both ends, at any n",
    source: "ours, after datastax-java",
    constants: defaults,
    backoff: datastaxJavaCorrected(),
  }),
  preset({
    name: "datastax-java-constant",
    describe: "ConstantReconnectionPolicy: base-delay every time, no jitter, for ever",
    source: "apache/cassandra-java-driver f98e343 (4.18.2) core/connection/ConstantReconnectionPolicy.java",
    constants: { baseDelayMs: defaults.baseDelayMs },
    backoff: constant(defaults.baseDelayMs),
  }),
];
