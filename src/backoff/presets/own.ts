import { boundedExponential } from "../bounded.ts";
import { immediately } from "../sequence.ts";
import { type Preset, preset } from "./preset.ts";

const holdfast = { minMs: 50, baseMs: 200, capMs: 10_000 };

export const ownPresets: readonly Preset[] = [
  preset({
    name: "holdfast",
    describe: "our default: at once, then 50 ms + U[0, min(9.95 s, 200 ms·2ⁿ)); for ever",
    source: "src/options/defaults.ts",
    constants: holdfast,
    backoff: immediately(boundedExponential(holdfast)),
  }),
];
