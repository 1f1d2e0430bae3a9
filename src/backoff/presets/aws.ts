import { uniform } from "../../time/index.ts";
import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { exponential } from "../curves.ts";
import { decorrelated } from "../decorrelated.ts";
import { equalJitter, fullJitter } from "../jitter.ts";
import { take } from "../limits.ts";
import { byIndex, unfold } from "../unfold.ts";
import { formatMs } from "../units.ts";
import { type Preset, preset } from "./preset.ts";

export interface AwsOptions {
  /** ms. Default 100. */
  readonly baseMs?: number;
  /** ms, at least the base. Default 20,000. */
  readonly capMs?: number;
}

/** AWS publishes formulas without constants; these are its JavaScript SDK's. */
const defaults = { baseMs: 100, capMs: 20_000 };
const smithy = { ...defaults, maxAttempts: 3 };

/** min(cap, U[base, 3 · previous)), as published: the result is clamped, not the draw. */
export function awsDecorrelatedBackoff(options: AwsOptions = {}): Backoff {
  check.keys("awsDecorrelatedBackoff", options, Object.keys(defaults));
  const { baseMs, capMs } = { ...defaults, ...options };
  check.delay("baseMs", baseMs);
  check.delay("capMs", capMs);
  check.ordered("baseMs", baseMs, "capMs", capMs);
  return unfold(`AWS decorrelated ${formatMs(baseMs)}…${formatMs(capMs)}`, baseMs, (previousMs, random) => {
    const delayMs = Math.min(capMs, uniform(random, baseMs, 3 * previousMs));
    return { delayMs, state: delayMs };
  });
}

const curve = exponential(defaults);
const source = "AWS Architecture Blog, Exponential Backoff and Jitter (2015)";

export const awsPresets: readonly Preset[] = [
  preset({
    name: "aws-full",
    describe: "U[0, min(cap, base·2ⁿ)); for ever",
    source,
    constants: defaults,
    backoff: fullJitter(curve),
  }),
  preset({
    name: "aws-equal",
    describe: "half of min(cap, base·2ⁿ), plus up to the other half; for ever",
    source,
    constants: defaults,
    backoff: equalJitter(curve),
  }),
  preset({
    name: "aws-decorrelated",
    describe: "min(cap, U[base, 3 · previous)); for ever",
    source,
    constants: defaults,
    defects: ["the result is clamped: in the long run 29 % of all delays are exactly the cap"],
    corrected: "aws-decorrelated-corrected",
    backoff: awsDecorrelatedBackoff(),
  }),
  preset({
    name: "aws-decorrelated-corrected",
    describe: "aws-decorrelated with the draw bounded by the cap instead of clamped to it",
    source: "ours, after aws-decorrelated",
    constants: defaults,
    backoff: decorrelated(defaults),
  }),
  preset({
    name: "smithy",
    describe: "the AWS SDK for JavaScript: a whole min(20 s, U[0,1)·100 ms·2ⁿ), two retries",
    source: "@smithy/util-retry, default backoff strategy",
    constants: smithy,
    defects: [
      "with more attempts allowed the clamped draw converges on exactly 20 s (99 % of the 15th delays)",
    ],
    corrected: "smithy-corrected",
    backoff: take(smithyBackoff(), smithy.maxAttempts - 1),
  }),
  preset({
    name: "smithy-corrected",
    describe: "full jitter over the capped curve, as AWS's own article has it; two retries",
    source: "ours, after smithy",
    constants: smithy,
    backoff: take(fullJitter(curve), smithy.maxAttempts - 1),
  }),
];

/** The SDK's delays without its limit of attempts. */
export function smithyBackoff(): Backoff {
  return byIndex("smithy 100 ms ×2, at most 20 s", (n, random) => {
    const shareMs = random.next() * defaults.baseMs;
    return shareMs === 0 ? 0 : Math.floor(Math.min(defaults.capMs, shareMs * 2 ** n)); // 0 · Infinity would be NaN
  });
}
