import type { Backoff } from "../backoff.ts";
import { exponential } from "../curves.ts";
import { proportionalJitter } from "../jitter.ts";
import { byIndex } from "../unfold.ts";
import { type Preset, preset } from "./preset.ts";

const defaults = { minMs: 1000, maxMs: 5000, factor: 2, jitter: 0.5 };

/** backo2's exact arithmetic: one draw gives the size of the deviation and, by its first decimal, the sign. */
export function socketIoBackoff(): Backoff {
  return byIndex("socket.io 1 s ×2; ±50 % from one draw; at most 5 s", (n, random) => {
    const pureMs = defaults.minMs * defaults.factor ** n;
    const draw = random.next();
    const deviationMs = Math.floor(draw * defaults.jitter * pureMs);
    const longer = Math.floor(draw * 10) % 2 === 1;
    const delayMs = Math.min(longer ? pureMs + deviationMs : pureMs - deviationMs, defaults.maxMs);
    return Math.max(0, delayMs | 0); // Infinity − Infinity is NaN, which this turns into 0; a timer takes ≤ 0 as 0
  });
}

const source = "socket.io-client 4.8.4 lib/contrib/backo2.ts";

export const socketIoPresets: readonly Preset[] = [
  preset({
    name: "socket.io",
    describe: "1 s doubled, ±50 %, at most 5 s; for ever",
    source,
    constants: defaults,
    defects: [
      "sign and size come from one draw: half of the range ±50 % is never drawn, and the largest cuts never are",
      "the curve is not capped before the jitter: from the fifth delay on everybody waits exactly 5 s",
      "after 1,014 delays (some 84 minutes) the curve is infinite, and Infinity − Infinity makes half of the delays 0 ms",
    ],
    corrected: "socket.io-corrected",
    backoff: socketIoBackoff(),
  }),
  preset({
    name: "socket.io-corrected",
    describe: "1 s doubled to 5 s, then ±50 % drawn below the cap: 2.5…5 s for ever",
    source: "ours, after socket.io",
    constants: defaults,
    backoff: proportionalJitter(exponential({ baseMs: defaults.minMs, capMs: defaults.maxMs }), {
      ratio: defaults.jitter,
      maxMs: defaults.maxMs,
    }),
  }),
];
