import type { Lease } from "./lease.ts";

/** An executor runs before its promise is returned; one for all costs a waiting caller no closure of its own. */
let resolveOfLast: unknown;
let rejectOfLast: unknown;
const remember = (resolve: unknown, reject: unknown): void => {
  resolveOfLast = resolve;
  rejectOfLast = reject;
};

/** On which terms a caller waits. Those who gave no options share the pool's. */
export interface Terms<C> {
  readonly line: Line<C>;
  /** How long it may wait in all. */
  readonly limitMs: number;
  /** What it holds in memory meanwhile. */
  readonly bytes: number;
  /** Removes the listener on the caller's signal. */
  unhook: (() => void) | undefined;
}

/** A caller that waits for a connection, and its place in the line. */
export class Waiter<C> {
  // Declared only: what the constructor assigns needs not be defined before.
  /** Its neighbours; itself when it stands in no line: it was served, or is gone. */
  declare prev: Waiter<C>;
  declare next: Waiter<C>;
  declare readonly promise: Promise<Lease<C>>;
  declare readonly resolve: (lease: Lease<C>) => void;
  declare readonly reject: (error: unknown) => void;
  declare readonly terms: Terms<C>;
  declare readonly sinceMs: number;
  /** Where it was asked for, when leaks are watched. */
  declare readonly origin: Error | undefined;

  constructor(terms: Terms<C>, sinceMs: number, origin: Error | undefined) {
    this.prev = this;
    this.next = this;
    this.promise = new Promise<Lease<C>>(remember);
    this.resolve = resolveOfLast as (lease: Lease<C>) => void;
    this.reject = rejectOfLast as (error: unknown) => void;
    this.terms = terms;
    this.sinceMs = sinceMs;
    this.origin = origin;
  }

  get deadlineMs(): number {
    return this.sinceMs + this.terms.limitMs;
  }
}

/**
 * Those of one priority, in the order they came: a ring through a waiter who is none, and closes it. As long as there
 * is one of a kind V8 keeps the code compiled for it; without that one, every major collection that finds nobody
 * waiting would throw the pool's code away. (A list of its own, because a class shared by all lists of a process meets
 * so many kinds of items that each access has to look which one it is.)
 */
export class Line<C> {
  readonly priority: number;
  readonly #end: Waiter<C>;

  constructor(priority: number) {
    this.priority = priority;
    this.#end = new Waiter<C>({ line: this, limitMs: 0, bytes: 0, unhook: undefined }, 0.5, undefined);
  }

  get first(): Waiter<C> | undefined {
    const { next } = this.#end;
    return next === this.#end ? undefined : next;
  }

  /** The next one in line. */
  after(waiter: Waiter<C>): Waiter<C> | undefined {
    return waiter.next === this.#end ? undefined : waiter.next;
  }

  push(waiter: Waiter<C>): void {
    const end = this.#end;
    const last = end.prev;
    waiter.prev = last;
    waiter.next = end;
    last.next = waiter;
    end.prev = waiter;
  }
}
