import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { exponential } from "../curves.ts";
import { proportionalJitter } from "../jitter.ts";
import { immediately } from "../sequence.ts";
import { unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import type { DatastaxOptions } from "./datastax-java.ts";
import { type Preset, preset } from "./preset.ts";

export interface DatastaxNodeOptions extends DatastaxOptions {
  /** The first attempt without a delay. Default false. */
  readonly startWithNoDelay?: boolean;
}

const defaults = { baseDelayMs: 1000, maxDelayMs: 600_000 };

/** cassandra-driver's ExponentialReconnectionPolicy: ±15 %, one-sided only when the curve meets a bound exactly. */
export function datastaxNodeBackoff(options: DatastaxNodeOptions = {}): Backoff {
  const { baseMs, maxMs, startWithNoDelay } = settings("datastaxNodeBackoff", options);
  const range = (pureMs: number): readonly [from: number, width: number] => {
    if (!startWithNoDelay && pureMs === baseMs) return [1, 0.15];
    return pureMs === maxMs ? [0.85, 0.15] : [0.85, 0.3];
  };
  const description = `DataStax Node exponential ${formatMs(baseMs)}…${formatMs(maxMs)}`;
  const jittered = unfold(description, 0, (i, random) => {
    const pureMs = Math.min(2 ** i * baseMs, maxMs);
    const [from, width] = range(pureMs);
    return { delayMs: Math.floor(pureMs * (random.next() * width + from)), state: i + 1 };
  });
  return startWithNoDelay ? immediately(jittered) : jittered;
}

/** The same curve with the draw narrowed to [base, max]. */
export function datastaxNodeCorrected(options: DatastaxNodeOptions = {}): Backoff {
  const { baseMs, maxMs, startWithNoDelay } = settings("datastaxNodeCorrected", options);
  const curve = exponential({ baseMs, capMs: maxMs });
  const jittered = proportionalJitter(curve, { ratio: 0.15, minMs: baseMs, maxMs });
  return startWithNoDelay ? immediately(jittered) : jittered;
}

function settings(what: string, options: DatastaxNodeOptions) {
  check.keys(what, options, ["baseDelayMs", "maxDelayMs", "startWithNoDelay"]);
  const baseMs = check.positiveDelay("baseDelayMs", options.baseDelayMs ?? defaults.baseDelayMs);
  const maxMs = check.positiveDelay("maxDelayMs", options.maxDelayMs ?? defaults.maxDelayMs);
  check.ordered("baseDelayMs", baseMs, "maxDelayMs", maxMs);
  return { baseMs, maxMs, startWithNoDelay: options.startWithNoDelay ?? false };
}

export const datastaxNodePresets: readonly Preset[] = [
  preset({
    name: "datastax-node",
    describe: "1 s doubled to 10 min (Java: 60 s), ±15 %, one-sided when the curve meets a bound; for ever",
    source: "cassandra-driver 4.10.0 lib/policies/reconnection.js",
    constants: defaults,
    defects: [
      "the jitter leaks over its own bounds where the curve does not meet them exactly: base 1 s, max 33 s gives up to 36.8 s",
      "equal base and max exceed the max nearly always; startWithNoDelay makes half of the second delays shorter than the base",
    ],
    corrected: "datastax-node-corrected",
    backoff: datastaxNodeBackoff(),
  }),
  preset({
    name: "datastax-node-corrected",
    describe: "datastax-node with the draw narrowed to its bounds",
    source: "ours, after datastax-node",
    constants: defaults,
    backoff: datastaxNodeCorrected(),
  }),
];
