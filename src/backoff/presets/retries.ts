import { boundedExponential } from "../bounded.ts";
import { exponential } from "../curves.ts";
import { proportionalJitter } from "../jitter.ts";
import { take } from "../limits.ts";
import { byIndex } from "../unfold.ts";
import { type Preset, preset } from "./preset.ts";

const pRetry = { retries: 10, factor: 2, minTimeoutMs: 1000 };
const tigerbeetle = { minMs: 50, maxMs: 1000 };
const effect = { baseMs: 1000, factor: 2, jitter: 0.2 };

export const retryPresets: readonly Preset[] = [
  preset({
    name: "p-retry",
    describe: "1 s doubled without a cap, no jitter, ten retries (17 minutes)",
    source: "p-retry 7.1.1 index.js; retry 0.13.1 lib/retry.js alike",
    constants: pRetry,
    backoff: take(exponential({ baseMs: pRetry.minTimeoutMs }), pRetry.retries),
  }),
  preset({
    name: "p-retry-randomized",
    describe: "p-retry with randomize: each delay times U[1, 2), in whole milliseconds",
    source: "p-retry 7.1.1 index.js; retry 0.13.1 lib/retry.js alike",
    constants: pRetry,
    backoff: take(
      byIndex("p-retry 1 s ×2; × U[1, 2)", (n, random) =>
        Math.round((random.next() + 1) * pRetry.minTimeoutMs * pRetry.factor ** n),
      ),
      pRetry.retries,
    ),
  }),
  preset({
    name: "tigerbeetle",
    describe: "50 ms + U[0, min(950 ms, 50 ms·2ⁿ)): bounded on both sides, jittered at the cap; for ever",
    source:
      "tigerbeetle/tigerbeetle src/config.zig connection_delay_min_ms, connection_delay_max_ms; src/vsr.zig",
    constants: tigerbeetle,
    backoff: boundedExponential({
      minMs: tigerbeetle.minMs,
      baseMs: tigerbeetle.minMs,
      capMs: tigerbeetle.maxMs,
    }),
  }),
  preset({
    name: "effect",
    describe:
      'Schedule.exponential("1 second").jittered: doubled without a cap, ±20 %; for ever (the base is the caller\'s; 1 s here)',
    source: "effect 4.1.0 src/Schedule.ts",
    constants: effect,
    backoff: proportionalJitter(exponential({ baseMs: effect.baseMs }), { ratio: effect.jitter }),
  }),
];
