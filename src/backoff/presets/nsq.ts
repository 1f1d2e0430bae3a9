import { uniform } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { constant, exponential } from "../curves.ts";
import { fullJitter } from "../jitter.ts";
import { byIndex, unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface NsqOptions {
  /** backoff_multiplier, ms. Default 1,000. */
  readonly multiplierMs?: number;
  /** max_backoff_duration, ms. Default 120,000. */
  readonly maxBackoffMs?: number;
}

const defaults = { multiplierMs: 1000, maxBackoffMs: 120_000 };
const reconnect = { lookupdPollIntervalMs: 60_000 };

/** multiplier · 2^level; a level whose delay would be above the maximum is never reached, so 64 s is the real cap. */
export function nsqBackoff(options: NsqOptions = {}): Backoff {
  const { multiplierMs, maxMs } = settings("nsqBackoff", options);
  const highest = Math.floor(Math.log2(maxMs / multiplierMs));
  if (highest < 1) return constant(0); // not even level 1: it never backs off
  return byIndex(
    `go-nsq exponential ${formatMs(multiplierMs)} ×2, below ${formatMs(maxMs)}`,
    (i) => multiplierMs * 2 ** Math.min(i + 1, highest),
  );
}

/** full_jitter as written: the climb to the next level is itself decided by a draw, so levels climb for ever. */
export function nsqFullJitterBackoff(options: NsqOptions = {}): Backoff {
  const { multiplierMs, maxMs } = settings("nsqFullJitterBackoff", options);
  const description = `go-nsq full jitter ${formatMs(multiplierMs)} ×2, at most ${formatMs(maxMs)}`;
  return unfold(description, 0, (level, random) => {
    const calculate = (at: number): number => uniform(random, 0, multiplierMs * 2 ** at);
    const state = calculate(level + 1) <= maxMs ? level + 1 : level;
    return { delayMs: state === 0 ? 0 : Math.min(calculate(state), maxMs), state };
  });
}

/** Full jitter with the curve capped before the draw. */
export function nsqFullJitterCorrected(options: NsqOptions = {}): Backoff {
  const { multiplierMs, maxMs } = settings("nsqFullJitterCorrected", options);
  return fullJitter(exponential({ baseMs: Math.min(2 * multiplierMs, maxMs), capMs: maxMs }));
}

function settings(what: string, options: NsqOptions) {
  check.keys(what, options, Object.keys(defaults));
  const multiplierMs = check.positiveDelay("multiplierMs", options.multiplierMs ?? defaults.multiplierMs);
  const maxMs = check.positiveDelay("maxBackoffMs", options.maxBackoffMs ?? defaults.maxBackoffMs);
  return { multiplierMs, maxMs };
}

const source = "nsqio/go-nsq consumer.go and config.go";

export const nsqPresets: readonly Preset[] = [
  preset({
    name: "go-nsq",
    describe:
      "after failed messages: 2, 4 … 64 s, then 64 s (level 7, 128 s, is above the 2 min maximum and refused)",
    source,
    constants: defaults,
    backoff: nsqBackoff(),
  }),
  preset({
    name: "go-nsq-full-jitter",
    describe: "backoff_strategy full_jitter: U[0, 2^level s), at most 2 min",
    source,
    constants: defaults,
    defects: [
      "whether the level may rise is decided by a draw of the next level, so it rises for ever, ever more slowly, and more and more delays are exactly 2 min",
    ],
    corrected: "go-nsq-full-jitter-corrected",
    backoff: nsqFullJitterBackoff(),
  }),
  preset({
    name: "go-nsq-full-jitter-corrected",
    describe: "go-nsq-full-jitter with the curve capped before the draw",
    source: "ours, after go-nsq",
    constants: defaults,
    backoff: nsqFullJitterCorrected(),
  }),
  preset({
    name: "go-nsq-reconnect",
    describe: "a lost nsqd given by address: every lookupd_poll_interval, no jitter, for ever",
    source,
    constants: reconnect,
    backoff: constant(reconnect.lookupdPollIntervalMs),
  }),
];
