import type { Random } from "../time/index.ts";
import type { Backoff } from "./backoff.ts";
import { timeline } from "./timeline.ts";
import { isOpaque } from "./unfold.ts";
import { formatMs } from "./units.ts";

/** DataStax names 10 ms as saturating a cluster; measured herds (bench) put the knee below 50 ms. */
export const SAFE_DELAY_MS: number = 50;

/** How far ahead a backoff is looked at. */
const ATTEMPTS = 16;

export interface Hazard {
  /** `too-fast`: delays that can saturate a server. `lockstep`: every client waits exactly the same. */
  readonly code: "too-fast" | "lockstep";
  /** The sentence to print. */
  readonly message: string;
}

/**
 * What may go wrong at the server when a fleet uses this backoff. Pure, and silent: the caller prints the messages.
 * A delay counts as too short when the middle of its draw is below 50 ms; one immediate first try is not a hazard.
 * A function backoff is not asked (it may count its calls), so nothing is known about it.
 */
export function hazards(backoff: Backoff): readonly Hazard[] {
  if (isOpaque(backoff)) return [];
  const middle = delays(backoff, 0.5);
  const later = middle[0] === 0 ? middle.slice(1) : middle;
  const found: Hazard[] = [];
  const shortest = Math.min(...later);
  if (shortest < SAFE_DELAY_MS) {
    found.push({
      code: "too-fast",
      message: `delay ${formatMs(shortest)}: below ${SAFE_DELAY_MS} ms a fleet can saturate the server`,
    });
  }
  const [low, high] = [delays(backoff, 0), delays(backoff, 0.99)];
  if (later.length > 0 && low.length === high.length && low.every((delayMs, i) => delayMs === high[i])) {
    found.push({
      code: "lockstep",
      message: "no jitter: clients that lose the server together come back together, every time",
    });
  }
  return found;
}

function delays(backoff: Backoff, draw: number): readonly number[] {
  const always: Random = { next: () => draw };
  return timeline(backoff, ATTEMPTS, always).attempts.map((planned) => planned.delayMs);
}
