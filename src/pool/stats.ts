import { type RetireReason, retireReasons } from "./connector.ts";

/** A pool at one moment, and what it counted since it was made. */
export interface PoolStats {
  /** The limit. */
  readonly max: number;
  /** Open connections, in any state. */
  readonly open: number;
  readonly inUse: number;
  readonly idle: number;
  /** Being validated or reset. */
  readonly busy: number;
  readonly dialing: number;
  readonly waiting: number;
  /** Callers that had to wait, ever. */
  readonly waitCount: number;
  /** How long those that were served waited in all. */
  readonly waitMs: number;
  readonly opened: number;
  readonly closed: Readonly<Record<RetireReason, number>>;
  readonly dialFailures: number;
  readonly timeouts: number;
  /** In use for longer than `leakThresholdMs`, now. */
  readonly leaked: number;
  readonly doubleReleases: number;
  /** The last failed dial or lost connection. */
  readonly lastError: unknown;
}

/** What a pool counts. */
export class Tally {
  waitCount = 0;
  waitMs = 0;
  opened = 0;
  dialFailures = 0;
  timeouts = 0;
  doubleReleases = 0;
  lastError: unknown = undefined;
  readonly closed: Record<RetireReason, number> = Object.fromEntries(
    retireReasons.map((reason) => [reason, 0]),
  ) as Record<RetireReason, number>;
}
