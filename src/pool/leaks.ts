import { LinkedList } from "../link/index.ts";
import type { Clock, CoarseTimers } from "../time/index.ts";
import type { Entry } from "./entry.ts";

/** Watches for connections that are not given back. One timer for all: the first to be overdue is the first lent. */
export class LeakWatch<C> {
  readonly #clock: Clock;
  readonly #timers: CoarseTimers;
  readonly #report: (entry: Entry<C>, heldMs: number) => void;
  readonly #lent: LinkedList<Entry<C>> = new LinkedList<Entry<C>>();
  #thresholdMs = Number.POSITIVE_INFINITY;
  enabled = false;
  #disarm: (() => void) | undefined;
  /** Reported, and not returned yet. */
  leaked = 0;

  constructor(clock: Clock, timers: CoarseTimers, report: (entry: Entry<C>, heldMs: number) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#report = report;
  }

  set thresholdMs(value: number) {
    this.#thresholdMs = value;
    this.enabled = value < Number.POSITIVE_INFINITY;
    this.#rearm();
  }

  lent(entry: Entry<C>, nowMs: number, origin: Error | undefined): void {
    if (!this.enabled) return;
    entry.leasedAtMs = nowMs;
    entry.origin = origin;
    this.#lent.push(entry);
    if (this.#disarm === undefined) this.#rearm();
  }

  /** True when it had been reported. */
  returned(entry: Entry<C>): boolean {
    if (entry.list !== this.#lent) return false;
    this.#lent.remove(entry);
    const reported = entry.leakReported;
    if (reported) this.leaked--;
    entry.leakReported = false;
    return reported;
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  #rearm(): void {
    this.stop();
    let next = this.#lent.head;
    while (next?.leakReported) next = next.next;
    if (next === undefined || !this.enabled) return;
    const delayMs = next.leasedAtMs + this.#thresholdMs - this.#clock.nowMs();
    this.#disarm = this.#timers.after(delayMs, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    for (let entry = this.#lent.head; entry !== undefined; entry = entry.next) {
      if (entry.leakReported) continue;
      const heldMs = nowMs - entry.leasedAtMs;
      if (heldMs < this.#thresholdMs) break;
      entry.leakReported = true;
      this.leaked++;
      this.#report(entry, heldMs);
    }
    this.#rearm();
  }
}
