import { type Random, seededRandom } from "../time/index.ts";
import type { Backoff } from "./backoff.ts";
import { timeline } from "./timeline.ts";
import { isOpaque } from "./unfold.ts";
import { formatMs } from "./units.ts";

/** DataStax names 10 ms as saturating a cluster; measured herds (bench) put the knee below 50 ms. */
export const SAFE_DELAY_MS: number = 50;

/** How far ahead a backoff is looked at, and for how many clients. */
const ATTEMPTS = 16;
const CLIENTS = 40;
/** More clients than this share waiting exactly as long as one another come back as a herd. */
const HERD_SHARE = 0.25;

export interface Hazard {
  /** `too-fast`: delays that can saturate a server. `lockstep`: many clients wait exactly as long as one another. */
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
  const fast = tooFast(backoff);
  return [...(fast === undefined ? [] : [fast]), ...lockstep(backoff)];
}

/** The first of them alone, which takes one look ahead instead of a fleet's. */
export function tooFast(backoff: Backoff): Hazard | undefined {
  if (isOpaque(backoff)) return undefined;
  const middle = delays(backoff, { next: () => 0.5 });
  const shortest = Math.min(...(middle[0] === 0 ? middle.slice(1) : middle));
  if (shortest >= SAFE_DELAY_MS) return undefined;
  const message = `delay ${formatMs(shortest)}: below ${SAFE_DELAY_MS} ms a fleet can saturate the server`;
  return { code: "too-fast", message };
}

/** Plays a fleet that lost its server in the same instant and looks for the attempt at which most wait alike. */
function lockstep(backoff: Backoff): readonly Hazard[] {
  const random = seededRandom(1);
  const fleet = Array.from({ length: CLIENTS }, () => delays(backoff, random));
  let worst = { clients: 0, delayMs: 0, attempt: 0 };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const [delayMs, clients] of tally(fleet, attempt)) {
      if (delayMs > 0 && clients > worst.clients) worst = { clients, delayMs, attempt };
    }
  }
  if (worst.clients <= CLIENTS * HERD_SHARE) return [];
  const who =
    worst.clients === CLIENTS ? "all clients wait" : `${worst.clients} of ${CLIENTS} simulated clients wait`;
  const message = `${who} exactly ${formatMs(worst.delayMs)} before attempt ${worst.attempt + 1}: those that lose the server together come back together`;
  return [{ code: "lockstep", message }];
}

/** How many clients wait how long before one attempt. */
function tally(fleet: readonly (readonly number[])[], attempt: number): ReadonlyMap<number, number> {
  const clients = new Map<number, number>();
  for (const { [attempt]: delayMs } of fleet) {
    if (delayMs !== undefined) clients.set(delayMs, (clients.get(delayMs) ?? 0) + 1);
  }
  return clients;
}

function delays(backoff: Backoff, random: Random): readonly number[] {
  return timeline(backoff, ATTEMPTS, random).attempts.map((planned) => planned.delayMs);
}
