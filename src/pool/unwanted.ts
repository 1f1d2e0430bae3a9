import type { RetireReason } from "./connector.ts";
import type { Entry } from "./entry.ts";
import type { ResolvedLimits } from "./options.ts";

/** What of a pool decides whether it goes on with a connection. */
export interface Circumstances {
  readonly closing: boolean;
  readonly open: number;
  readonly dialer: { readonly dialing: number };
  readonly limits: ResolvedLimits;
}

/** Why a connection must not be used again, if so. */
export function unwanted<C>(pool: Circumstances, entry: Entry<C>, nowMs: number): RetireReason | undefined {
  if (pool.closing) return "closed";
  if (entry.doomed !== undefined) return entry.doomed;
  if (pool.open + pool.dialer.dialing > pool.limits.max) return "resized";
  return nowMs >= entry.expiresAtMs ? "lifetime" : undefined;
}
