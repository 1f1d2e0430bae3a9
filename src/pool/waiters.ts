import { type Linked, LinkedList } from "../link/index.ts";
import type { Clock, CoarseTimers } from "../time/index.ts";
import type { Lease } from "./lease.ts";

/** A caller that waits for a connection. */
export class Waiter<C> implements Linked<Waiter<C>> {
  prev: Waiter<C> | undefined = undefined;
  next: Waiter<C> | undefined = undefined;
  list: object | undefined = undefined;
  readonly resolve: (lease: Lease<C>) => void;
  readonly reject: (error: unknown) => void;
  readonly priority: number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  /** Where it was asked for, when leaks are watched. */
  readonly origin: Error | undefined;
  /** Removes the listener on the caller's signal. */
  unhook: (() => void) | undefined = undefined;

  constructor(
    resolve: (lease: Lease<C>) => void,
    reject: (error: unknown) => void,
    priority: number,
    sinceMs: number,
    deadlineMs: number,
    origin: Error | undefined,
  ) {
    this.resolve = resolve;
    this.reject = reject;
    this.priority = priority;
    this.sinceMs = sinceMs;
    this.deadlineMs = deadlineMs;
    this.origin = origin;
  }
}

interface Level<C> {
  readonly priority: number;
  readonly list: LinkedList<Waiter<C>>;
}

/**
 * First come, first served within a priority; a higher priority goes first. One shared timer watches the earliest
 * deadline; a caller that is served in time costs no timer at all. (A timer each would be most of what `acquire` costs.)
 */
export class WaitQueue<C> {
  size = 0;
  readonly #levels: Level<C>[] = [];
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

  push(waiter: Waiter<C>): void {
    this.#listOf(waiter.priority).push(waiter);
    this.size++;
    if (waiter.deadlineMs < this.#armedForMs) this.#arm(waiter.deadlineMs);
  }

  /** The next to be served, removed; `undefined` when nobody waits. */
  shift(): Waiter<C> | undefined {
    if (this.size === 0) return undefined;
    for (const { list } of this.#levels) {
      const first = list.head;
      if (first === undefined) continue;
      list.remove(first);
      this.size--;
      first.unhook?.();
      return first;
    }
    return undefined;
  }

  /** False when it had left before. */
  remove(waiter: Waiter<C>): boolean {
    const list = waiter.list as LinkedList<Waiter<C>> | undefined;
    if (list === undefined) return false;
    list.remove(waiter);
    this.size--;
    waiter.unhook?.();
    return true;
  }

  stop(): void {
    this.#disarm();
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  #listOf(priority: number): LinkedList<Waiter<C>> {
    const levels = this.#levels;
    let at = 0;
    for (; at < levels.length; at++) {
      const level = levels[at] as Level<C>;
      if (level.priority === priority) return level.list;
      if (level.priority < priority) break;
    }
    const list = new LinkedList<Waiter<C>>();
    levels.splice(at, 0, { priority, list });
    return list;
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
    for (const { list } of this.#levels) {
      for (let waiter = list.head; waiter !== undefined; waiter = waiter.next) {
        if (waiter.deadlineMs <= nowMs) due.push(waiter);
        else if (waiter.deadlineMs < earliestMs) earliestMs = waiter.deadlineMs;
      }
    }
    if (earliestMs < Number.POSITIVE_INFINITY) this.#arm(earliestMs);
    for (const waiter of due) if (this.remove(waiter)) this.#expired(waiter, nowMs);
  }
}
