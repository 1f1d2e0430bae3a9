import type { CoarseTimers } from "../time/index.ts";
import type { Entry } from "./entry.ts";
import type { PoolEvents } from "./events.ts";
import type { LeakWatch } from "./leaks.ts";
import type { Moments } from "./moments.ts";
import type { Tally } from "./stats.ts";
import type { WaitQueue } from "./waiters.ts";

/** What a stock has from its pool, and tells it. */
export interface StockOwner<C> {
  readonly timers: CoarseTimers;
  readonly waiters: WaitQueue<C>;
  readonly tally: Tally;
  readonly moments: Moments;
  readonly leaks: LeakWatch<C>;
  /** A reported leak left the hands of its borrower, or was torn from them. */
  leakReturned(entry: Entry<C>): void;
  returnedTwice(origin: Error | undefined): void;
  emit<K extends keyof PoolEvents>(name: K, event: PoolEvents[K]): void;
  /** A connection has closed. */
  gone(): void;
}
