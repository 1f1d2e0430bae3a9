import type { Clock, CoarseTimers } from "../time/index.ts";
import { Line, type Terms, type Waiter } from "./waiter.ts";

/**
 * First come, first served within a priority; a higher priority goes first. One shared timer watches the earliest
 * deadline; a caller that is served in time costs no timer at all. (A timer each would be most of what `acquire` costs.)
 */
export class WaitQueue<C> {
  size = 0;
  /** What those who wait hold in memory. */
  bytes = 0;
  /** The highest priority first; there are at most as many as there are priorities. */
  readonly #lines: Line<C>[] = [];
  readonly #timers: CoarseTimers;
  readonly #clock: Clock;
  readonly #expired: (waiter: Waiter<C>, nowMs: number) => void;
  #armedForMs = Number.POSITIVE_INFINITY;
  #disarm: () => void = () => {};

  constructor(timers: CoarseTimers, clock: Clock, expired: (waiter: Waiter<C>, nowMs: number) => void) {
    this.#timers = timers;
    this.#clock = clock;
    this.#expired = expired;
  }

  terms(limitMs: number, priority: number, bytes: number): Terms<C> {
    return { line: this.#lineOf(priority), limitMs, bytes, unhook: undefined };
  }

  push(waiter: Waiter<C>): void {
    const { line, bytes, limitMs } = waiter.terms;
    line.push(waiter);
    this.size++;
    this.bytes += bytes;
    if (waiter.sinceMs + limitMs < this.#armedForMs) this.#arm(waiter.deadlineMs);
  }

  /** The next to be served, removed; `undefined` when nobody waits. */
  shift(): Waiter<C> | undefined {
    const lines = this.#lines;
    for (let at = 0; at < lines.length; at++) {
      const { first } = lines[at] as Line<C>;
      if (first === undefined) continue;
      this.remove(first);
      return first;
    }
    return undefined;
  }

  /** False when it had left before. */
  remove(waiter: Waiter<C>): boolean {
    const { prev, next, terms } = waiter;
    if (next === waiter) return false;
    prev.next = next;
    next.prev = prev;
    waiter.prev = waiter;
    waiter.next = waiter;
    this.size--;
    this.bytes -= terms.bytes;
    if (terms.unhook !== undefined) terms.unhook();
    return true;
  }

  stop(): void {
    this.#disarm();
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  #lineOf(priority: number): Line<C> {
    const lines = this.#lines;
    const at = lines.findIndex((line) => line.priority <= priority);
    const found = lines[at];
    if (found?.priority === priority) return found;
    const line = new Line<C>(priority);
    lines.splice(at < 0 ? lines.length : at, 0, line);
    return line;
  }

  #arm(deadlineMs: number): void {
    this.#disarm();
    this.#armedForMs = deadlineMs;
    this.#disarm = this.#timers.after(deadlineMs - this.#clock.nowMs(), () => this.#expire());
  }

  #expire(): void {
    this.#armedForMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    const due: Waiter<C>[] = [];
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      for (let waiter = line.first; waiter !== undefined; waiter = line.after(waiter)) {
        if (waiter.deadlineMs <= nowMs) due.push(waiter);
        else if (waiter.deadlineMs < earliestMs) earliestMs = waiter.deadlineMs;
      }
    }
    if (earliestMs < Number.POSITIVE_INFINITY) this.#arm(earliestMs);
    for (const waiter of due) if (this.remove(waiter)) this.#expired(waiter, nowMs);
  }
}
