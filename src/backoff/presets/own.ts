import type { Backoff } from "../backoff.ts";
import { exponential } from "../curves.ts";
import { proportionalJitter } from "../jitter.ts";
import { immediately } from "../sequence.ts";
import { spreadExponential } from "../spread.ts";
import { type Preset, preset } from "./preset.ts";

const holdfast = { minMs: 50, baseMs: 400, capMs: 7_500 };
const redis = { baseMs: 500, factor: 1.25, capMs: 2_050, ratio: 0.15 };
const sparing = { baseMs: 500, factor: 1.3, capMs: 5_100, ratio: 0.1 };

/** Growing, then steady, with the same jitter all along. */
function growing({ baseMs, factor, capMs, ratio }: typeof redis): Backoff {
  return proportionalJitter(exponential({ baseMs, factor, capMs }), { ratio });
}

export const ownPresets: readonly Preset[] = [
  preset({
    name: "holdfast",
    describe: "our default: at once, then 400 ms growing ×1.5 to 5 s, ±50 %; for ever",
    source: "src/options/defaults.ts",
    constants: holdfast,
    backoff: immediately(spreadExponential(holdfast)),
  }),
  preset({
    name: "holdfast-redis",
    describe: "default of holdfast/redis: at once, then 500 ms growing ×1.25 to 2.05 s, ±15 %; for ever",
    source: "docs/redis.md; chosen by test/backoff/recovery.test.ts",
    constants: redis,
    backoff: immediately(growing(redis)),
  }),
  preset({
    name: "holdfast-sparing",
    describe: "half the dials of node-redis in a long outage: 500 ms growing ×1.3 to 5.1 s, ±10 %; for ever",
    source: "docs/redis.md; chosen by test/backoff/recovery.test.ts",
    constants: sparing,
    backoff: growing(sparing),
  }),
];
