import type { Clock, CoarseTimers } from "../time/index.ts";
import type { RetireReason } from "./connector.ts";
import type { Entry, IdleList } from "./entry.ts";
import type { ResolvedLimits } from "./options.ts";

export interface UpkeepOwner<C> {
  readonly limits: ResolvedLimits;
  readonly open: number;
  readonly idle: IdleList<C>;
  retire(entry: Entry<C>, reason: RetireReason): void;
  keepAlive(entry: Entry<C>): void;
  /** Everything due was looked at: a warm minimum may have to be refilled. */
  pump(): void;
}

/**
 * Looks after idle connections: too old, idle for too long, or due for a sign of life. One timer, armed for the
 * earliest moment at which something could be due; a busy pool pays a comparison per release. Only the monotonic clock
 * is read, so that a change of the wall clock evicts nothing.
 */
export class Upkeep<C> {
  readonly #owner: UpkeepOwner<C>;
  readonly #clock: Clock;
  readonly #timers: CoarseTimers;
  #armedForMs = Number.POSITIVE_INFINITY;
  #disarm: () => void = () => {};

  constructor(owner: UpkeepOwner<C>, clock: Clock, timers: CoarseTimers) {
    this.#owner = owner;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Its age limit, with its share of the fuzz. */
  expiresAtMs(entry: Entry<C>): number {
    const { maxLifetimeMs, lifetimeFuzz } = this.#owner.limits;
    return entry.openedAtMs + maxLifetimeMs * (1 - lifetimeFuzz * entry.fuzz);
  }

  parked(entry: Entry<C>): void {
    const { maxIdleTimeMs, keepaliveMs } = this.#owner.limits;
    const soonestMs = Math.min(entry.idleSinceMs + maxIdleTimeMs, entry.provenAtMs + 0.9 * keepaliveMs);
    // Nearly always a look is planned that comes soon enough.
    if (this.#armedForMs <= soonestMs && this.#armedForMs <= entry.expiresAtMs) return;
    const dueMs = this.#dueMs(entry, true);
    if (dueMs < this.#armedForMs) this.#arm(dueMs);
  }

  /** The limits changed: every date is computed anew. */
  reconsider(entries: Iterable<Entry<C>>): void {
    for (const entry of entries) entry.expiresAtMs = this.expiresAtMs(entry);
    this.#tend();
  }

  stop(): void {
    this.#disarm();
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  #tend(): void {
    this.stop();
    const { idle, limits } = this.#owner;
    const nowMs = this.#clock.nowMs();
    for (let entry = idle.head; entry !== undefined; ) {
      const next = entry.next;
      if (nowMs >= entry.expiresAtMs) this.#owner.retire(entry, "lifetime");
      else if (nowMs >= entry.idleSinceMs + limits.maxIdleTimeMs && this.#owner.open > limits.min) {
        this.#owner.retire(entry, "idle-time");
      } else if (nowMs >= this.#keepAliveAtMs(entry)) this.#owner.keepAlive(entry);
      entry = next;
    }
    let earliestMs = Number.POSITIVE_INFINITY;
    for (let entry = idle.head; entry !== undefined; entry = entry.next) {
      earliestMs = Math.min(earliestMs, this.#dueMs(entry, this.#owner.open > limits.min));
    }
    if (earliestMs < Number.POSITIVE_INFINITY) this.#arm(earliestMs);
    this.#owner.pump();
  }

  /** @param surplus more are open than the minimum; without it, being idle for long is no reason to look */
  #dueMs(entry: Entry<C>, surplus: boolean): number {
    const idleMs = surplus ? entry.idleSinceMs + this.#owner.limits.maxIdleTimeMs : Number.POSITIVE_INFINITY;
    return Math.min(idleMs, entry.expiresAtMs, this.#keepAliveAtMs(entry));
  }

  #keepAliveAtMs(entry: Entry<C>): number {
    return entry.provenAtMs + this.#owner.limits.keepaliveMs * (1 - 0.1 * entry.fuzz);
  }

  #arm(dueMs: number): void {
    this.#disarm();
    this.#armedForMs = dueMs;
    this.#disarm = this.#timers.after(dueMs - this.#clock.nowMs(), () => this.#tend());
  }
}
