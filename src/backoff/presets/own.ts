import { exponential } from "../curves.ts";
import { proportionalJitter } from "../jitter.ts";
import { immediately } from "../sequence.ts";
import { spreadExponential } from "../spread.ts";
import { type Preset, preset } from "./preset.ts";

const holdfast = { minMs: 50, baseMs: 400, capMs: 7_500 };
const redis = { baseMs: 400, factor: 1.35, capMs: 2_050, ratio: 0.2 };

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
    describe: "default of holdfast/redis: at once, then 400 ms growing ×1.35 to 2.05 s, ±20 %; for ever",
    source: "docs/redis.md; chosen by test/backoff/recovery.test.ts",
    constants: redis,
    backoff: immediately(
      proportionalJitter(exponential({ baseMs: redis.baseMs, factor: redis.factor, capMs: redis.capMs }), {
        ratio: redis.ratio,
      }),
    ),
  }),
];
