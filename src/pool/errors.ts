import { HoldfastError, reasonOf } from "../call/index.ts";
import type { LinkClass } from "../link/index.ts";

/** How a pool stood when it failed a caller; in `details` of its errors. */
export interface PoolCounts {
  readonly total: number;
  readonly active: number;
  readonly idle: number;
  readonly dialing: number;
  readonly waiting: number;
}

/** Nothing was sent for any of these, so the outcome of the caller's work is always `not-applied`. */
const outcome = "not-applied";

function words({ total, active, idle, dialing, waiting }: PoolCounts): string {
  return `${total} open, ${active} in use, ${idle} idle, ${dialing} being dialled, ${waiting} waiting`;
}

/** `HF_DEADLINE`, step `acquire`: the last failed dial is its cause, the counts are its details. */
export function acquireTimeout(
  name: string,
  waitedMs: number,
  counts: PoolCounts,
  dialError: unknown,
): HoldfastError {
  const because = dialError === undefined ? "" : `; the last dial failed: ${reasonOf(dialError)}`;
  const message = `no connection of ${name} within ${Math.round(waitedMs)} ms (${words(counts)})${because}`;
  return new HoldfastError("HF_DEADLINE", message, {
    ...(dialError === undefined ? {} : { cause: dialError }),
    outcome,
    step: "acquire",
    details: { ...counts, waitedMs },
  });
}

/** `HF_POOL_FULL`: as many wait as may. */
export function queueFull(name: string, allowed: string, counts: PoolCounts): HoldfastError {
  const message = `${name} takes no more waiting callers: ${allowed} are allowed (${words(counts)})`;
  return new HoldfastError("HF_POOL_FULL", message, { outcome, step: "acquire", details: { ...counts } });
}

/** `HF_CLOSED`: the pool is closed or closing. */
export function poolClosed(name: string): HoldfastError {
  return new HoldfastError("HF_CLOSED", `${name} is closed`, { outcome, step: "acquire" });
}

/** A dial failed in a way that another try would not mend. */
export function refused(name: string, linkClass: LinkClass, cause: unknown): HoldfastError {
  const code = linkClass === "auth" ? "HF_AUTH" : "HF_CONNECT";
  const what = linkClass === "auth" ? "the server refused the credentials" : "no connection can be made";
  return new HoldfastError(code, `${name}: ${what}: ${reasonOf(cause)}`, {
    cause,
    outcome,
    step: "dial",
  });
}

/** `HF_CONNECT_TIMEOUT`: a dial, a validation or a reset took too long. */
export function tookTooLong(step: "dial" | "validate" | "reset", limitMs: number): HoldfastError {
  return new HoldfastError("HF_CONNECT_TIMEOUT", `${step} took longer than ${Math.round(limitMs)} ms`, {
    step,
  });
}
