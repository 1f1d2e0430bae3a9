import type { Clock, Timer } from "../time/index.ts";
import type { Entry } from "./entry.ts";

/** Calls that the server asked to repeat after a while: each waits for its own moment, and leaves at its deadline. */
export class Later<C> {
  readonly #clock: Clock;
  #timers: Map<Entry<C>, Timer> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#timers?.size ?? 0;
  }

  all(): Entry<C>[] {
    return [...(this.#timers?.keys() ?? [])];
  }

  add(entry: Entry<C>, afterMs: number, fire: () => void): void {
    this.#timers ??= new Map();
    this.#timers.set(entry, this.#clock.setTimer(afterMs, fire));
  }

  /** Takes a call out; `false` when it is not here. */
  remove(entry: Entry<C>): boolean {
    this.#timers?.get(entry)?.cancel();
    return this.#timers?.delete(entry) ?? false;
  }

  nextExpiryMs(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#timers?.keys() ?? []) soonest = Math.min(soonest, dueMs);
    return soonest;
  }

  /** Takes out every call whose deadline has passed. */
  expired(nowMs: number): Entry<C>[] {
    const over = this.all().filter((entry) => entry.dueMs <= nowMs);
    for (const entry of over) this.remove(entry);
    return over;
  }
}
