import type { Clock, CoarseTimers } from "../time/index.ts";
import { Fifo } from "./fifo.ts";
import type { Lease } from "./lease.ts";

/** An executor runs before its promise is returned; one for all costs a waiting caller no closure of its own. */
let resolveOfLast: unknown;
let rejectOfLast: unknown;
const remember = (resolve: unknown, reject: unknown): void => {
  resolveOfLast = resolve;
  rejectOfLast = reject;
};

/** A promise and its two ends. */
export function openPromise<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  const promise = new Promise<T>(remember);
  return {
    promise,
    resolve: resolveOfLast as (value: T) => void,
    reject: rejectOfLast as (error: unknown) => void,
  };
}

/** A caller that waits for a connection. */
export class Waiter<C> {
  // Declared only: what the constructor assigns needs not be defined before.
  declare readonly resolve: (lease: Lease<C>) => void;
  declare readonly reject: (error: unknown) => void;
  declare readonly priority: number;
  declare readonly sinceMs: number;
  /** How long it may wait in all. */
  declare readonly limitMs: number;
  /** Where it was asked for, when leaks are watched. */
  declare readonly origin: Error | undefined;
  /** What it holds in memory meanwhile. */
  declare bytes: number;
  /** In the queue: neither served nor gone. */
  declare waits: boolean;
  /** Removes the listener on the caller's signal. */
  declare unhook: (() => void) | undefined;

  constructor(
    resolve: (lease: Lease<C>) => void,
    reject: (error: unknown) => void,
    priority: number,
    sinceMs: number,
    limitMs: number,
    origin: Error | undefined,
  ) {
    this.resolve = resolve;
    this.reject = reject;
    this.priority = priority;
    this.sinceMs = sinceMs;
    this.limitMs = limitMs;
    this.origin = origin;
    this.bytes = 0;
    this.waits = true;
    this.unhook = undefined;
  }

  get deadlineMs(): number {
    return this.sinceMs + this.limitMs;
  }
}

interface Level<C> {
  readonly priority: number;
  readonly line: Fifo<Waiter<C>>;
  /** Waiters in the line that have left it otherwise than by its head. */
  left: number;
}

/**
 * First come, first served within a priority; a higher priority goes first. One shared timer watches the earliest
 * deadline; a caller that is served in time costs no timer at all. (A timer each would be most of what `acquire` costs.)
 */
export class WaitQueue<C> {
  size = 0;
  /** What those who wait hold in memory. */
  bytes = 0;
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
    this.#levelOf(waiter.priority).line.push(waiter);
    this.size++;
    this.bytes += waiter.bytes;
    if (waiter.deadlineMs < this.#armedForMs) this.#arm(waiter.deadlineMs);
  }

  /** The next to be served, removed; `undefined` when nobody waits. */
  shift(): Waiter<C> | undefined {
    if (this.size === 0) return undefined;
    for (let at = 0; at < this.#levels.length; at++) {
      const level = this.#levels[at] as Level<C>;
      for (let first = level.line.shift(); first !== undefined; first = level.line.shift()) {
        if (!first.waits) {
          level.left--;
          continue;
        }
        this.#leave(first);
        return first;
      }
    }
    return undefined;
  }

  /** False when it had left before. */
  remove(waiter: Waiter<C>): boolean {
    if (!waiter.waits) return false;
    this.#leave(waiter);
    const level = this.#levelOf(waiter.priority);
    level.left++;
    // Callers who come and give up, while no connection comes free, must not fill the line for ever.
    if (level.left > level.line.size / 2) {
      level.line.keep((each) => each.waits);
      level.left = 0;
    }
    return true;
  }

  #leave(waiter: Waiter<C>): void {
    waiter.waits = false;
    this.size--;
    this.bytes -= waiter.bytes;
    waiter.unhook?.();
  }

  stop(): void {
    this.#disarm();
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  #levelOf(priority: number): Level<C> {
    const levels = this.#levels;
    let at = 0;
    for (; at < levels.length; at++) {
      const level = levels[at] as Level<C>;
      if (level.priority === priority) return level;
      if (level.priority < priority) break;
    }
    const level: Level<C> = { priority, line: new Fifo<Waiter<C>>(), left: 0 };
    levels.splice(at, 0, level);
    return level;
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
    for (const { line } of this.#levels) {
      line.each((waiter) => {
        if (!waiter.waits) return;
        if (waiter.deadlineMs <= nowMs) due.push(waiter);
        else if (waiter.deadlineMs < earliestMs) earliestMs = waiter.deadlineMs;
      });
    }
    if (earliestMs < Number.POSITIVE_INFINITY) this.#arm(earliestMs);
    for (const waiter of due) if (this.remove(waiter)) this.#expired(waiter, nowMs);
  }
}
