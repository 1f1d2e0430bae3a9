import type { LinkClass } from "../link/index.ts";
import type { RetireReason } from "./connector.ts";

/** Told after the pool has done its work, in order; a listener that throws unwinds nothing. */
export interface PoolEvents {
  opened: { readonly open: number };
  retired: { readonly reason: RetireReason; readonly error?: unknown; readonly open: number };
  dialFailed: {
    readonly error: unknown;
    readonly linkClass: LinkClass;
    /** Failures in a row. */
    readonly attempt: number;
    /** Until the next dial, at the earliest. */
    readonly delayMs: number;
  };
  /** A connection is in use for longer than `leakThresholdMs`; `stack` is where it was acquired. */
  leak: { readonly heldMs: number; readonly stack: string };
  /** A reported leak came back after all. */
  leakReturned: { readonly heldMs: number; readonly stack: string };
  /** A lease was released a second time; nothing happened. */
  doubleRelease: { readonly stack: string };
  suspended: Record<string, never>;
  resumed: Record<string, never>;
  closed: Record<string, never>;
}
