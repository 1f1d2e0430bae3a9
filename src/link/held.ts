import type { Clock, Timer } from "../time/index.ts";
import type { Entry } from "./entry.ts";

/** Calls that the server asked to repeat after a while: each waits for its own moment, its bytes count as waiting. */
export class Held<C> {
  readonly #timers: Map<Entry<C>, Timer> = new Map();

  get size(): number {
    return this.#timers.size;
  }

  all(): IterableIterator<Entry<C>> {
    return this.#timers.keys();
  }

  get oldest(): Entry<C> | undefined {
    let oldest: Entry<C> | undefined;
    for (const entry of this.#timers.keys())
      if (oldest === undefined || entry.order < oldest.order) oldest = entry;
    return oldest;
  }

  add(entry: Entry<C>, clock: Clock, afterMs: number, fire: () => void): void {
    this.#timers.set(entry, clock.setTimer(afterMs, fire));
  }

  /** Takes a call out; `false` when it is not here. */
  remove(entry: Entry<C>): boolean {
    this.#timers.get(entry)?.cancel();
    return this.#timers.delete(entry);
  }
}
