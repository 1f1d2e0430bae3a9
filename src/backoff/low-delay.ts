/** Who asks for very short waits is told once what they do to a server. */
import type { Backoff } from "./backoff.ts";
import { tooFast } from "./hazards.ts";

/** A program that makes up a backoff for each link is told of so many, and then no more. */
const mostNames = 100;
const told: Set<string> = new Set();
/** One that a driver hands on to a pool is asked for once, whatever its name there. */
const seen: WeakSet<Backoff> = new WeakSet();

/**
 * Emits one process warning (`HF_LOW_DELAY`) per process and backoff name when a delay of it is below 50 ms; one
 * immediate first try is not meant. For what a user asked for, not for a library's own default. A function is never
 * asked ahead of time, so nothing is known about it. Never throws.
 *
 * @param name what the user calls it; by default its description
 */
export function warnOfLowDelay(backoff: Backoff, name: string = backoff.description): void {
  if (seen.has(backoff) || told.has(name) || told.size >= mostNames) return;
  seen.add(backoff);
  const hazard = hazardOf(backoff);
  if (hazard === undefined) return;
  told.add(name);
  const reason = "very short waits keep a server that comes back busy with dials instead of work";
  // Not everything that loads the engine is Node.
  globalThis.process?.emitWarning?.(`backoff "${name}": ${hazard}; ${reason}`, {
    type: "HoldfastWarning",
    code: "HF_LOW_DELAY",
  });
}

/** A backoff of the user's own making may throw; that is told when it is drawn from. */
function hazardOf(backoff: Backoff): string | undefined {
  try {
    return tooFast(backoff)?.message;
  } catch {
    return undefined;
  }
}
