import type { CoarseTimers } from "../time/index.ts";
import type { Entry } from "./entry.ts";
import type { PoolEvents } from "./events.ts";
import type { Moments } from "./moments.ts";
import type { Tally } from "./stats.ts";
import type { Waiter, WaitQueue } from "./waiters.ts";

/** What a stock has from its pool, and tells it. */
export interface StockOwner<C> {
  readonly timers: CoarseTimers;
  readonly waiters: WaitQueue<C>;
  readonly tally: Tally;
  readonly moments: Moments;
  lend(waiter: Waiter<C>, entry: Entry<C>, nowMs: number): void;
  /** It left the hands of its borrower, or was torn from them. */
  unlent(entry: Entry<C>): void;
  returnedTwice(origin: Error | undefined): void;
  emit<K extends keyof PoolEvents>(name: K, event: PoolEvents[K]): void;
  /** A connection has closed. */
  gone(): void;
}
