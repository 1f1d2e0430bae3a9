import { uniform } from "../time/index.ts";
import type { Backoff } from "./backoff.ts";
import * as check from "./check.ts";
import { constant } from "./curves.ts";
import { byIndex } from "./unfold.ts";
import { formatMs } from "./units.ts";

export interface BoundedExponentialOptions {
  /** No delay is shorter, ms. Default 50: below it a fleet can saturate its server. */
  readonly minMs?: number;
  /** Width of the first draw, ms, above 0; it doubles each time. Default 200. */
  readonly baseMs?: number;
  /** No delay is longer, ms; at least `minMs`. Default 10,000. */
  readonly capMs?: number;
}

/**
 * min + U[0, min(cap − min, base·2ⁿ)). Bounded on both sides, as wide as full jitter, and still
 * jittered at the cap. (TigerBeetle's, with a base of its own.)
 */
export function boundedExponential(options: BoundedExponentialOptions = {}): Backoff {
  check.keys("boundedExponential", options, ["minMs", "baseMs", "capMs"]);
  const minMs = check.delay("minMs", options.minMs ?? 50);
  const baseMs = check.positiveDelay("baseMs", options.baseMs ?? 200);
  const capMs = check.delay("capMs", options.capMs ?? 10_000);
  check.ordered("minMs", minMs, "capMs", capMs);
  if (minMs === capMs) return constant(minMs);
  const description = `${formatMs(minMs)} + up to ${formatMs(baseMs)} ×2ⁿ, cap ${formatMs(capMs)}`;
  return byIndex(
    description,
    (n, random) => minMs + uniform(random, 0, Math.min(capMs - minMs, baseMs * 2 ** n)),
  );
}
