import type { Clock } from "../time/index.ts";
import type { Entry } from "./entry.ts";
import { Held } from "./held.ts";
import { LinkedList } from "./list.ts";

export interface OutboxLimits {
  /** Bytes of all waiting calls together; 0 = nothing waits. */
  readonly bytes: number;
  readonly entries: number;
  /** How long one may wait. */
  readonly ageMs: number;
  /** When full: refuse the new call, or drop the oldest waiting one to make room. */
  readonly whenFull: "reject" | "drop-oldest";
}

/**
 * Calls that wait: for a connection, in order of arrival, or for the moment at which the server asked to have them
 * again. Bounded together in bytes, count and age, never overshooting.
 */
export class Outbox<C> {
  readonly limits: OutboxLimits;
  readonly #list: LinkedList<Entry<C>> = new LinkedList();
  /** Made with the first call that is held. */
  #held: Held<C> | undefined;
  #bytes = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.#list.size + (this.#held?.size ?? 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The one that has been here longest, held or not. */
  get oldest(): Entry<C> | undefined {
    const { head } = this.#list;
    const held = this.#held?.oldest;
    if (head === undefined || held === undefined) return head ?? held;
    return held.order < head.order ? held : head;
  }

  /** Whether one more of this size stays within the bounds. */
  fits(bytes: number): boolean {
    if (this.limits.bytes === 0) return false; // also a call of no bytes
    return this.size < this.limits.entries && this.#bytes + bytes <= this.limits.bytes;
  }

  /** Puts a call at its place in the order of arrival. The caller has made sure that it fits. */
  add(entry: Entry<C>): void {
    let after = this.#list.tail;
    while (after !== undefined && after.order > entry.order) after = after.prev;
    this.#list.insertAfter(entry, after);
    this.#bytes += entry.call.bytes;
  }

  /** Keeps a call for a while, whatever the connection does; `due` gets it back, out of here. It must fit. */
  hold(entry: Entry<C>, clock: Clock, afterMs: number, due: (entry: Entry<C>) => void): void {
    this.#held ??= new Held();
    this.#held.add(entry, clock, afterMs, () => this.remove(entry) && due(entry));
    this.#bytes += entry.call.bytes;
  }

  /** Takes a call out; `false` when it is not here. */
  remove(entry: Entry<C>): boolean {
    if (entry.list === this.#list) this.#list.remove(entry);
    else if (!this.#held?.remove(entry)) return false;
    this.#bytes -= entry.call.bytes;
    return true;
  }

  /** Takes out the next one to send. */
  shift(): Entry<C> | undefined {
    const first = this.#list.head;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out every one. */
  clear(): Entry<C>[] {
    return this.#takeOut(() => true);
  }

  /** Takes out every call whose time is over. */
  expired(nowMs: number): Entry<C>[] {
    return this.#takeOut((entry) => this.#expiry(entry) <= nowMs);
  }

  /** The next moment at which a waiting call runs out of time. */
  nextExpiryMs(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const entry of this.#all()) soonest = Math.min(soonest, this.#expiry(entry));
    return soonest;
  }

  #takeOut(goes: (entry: Entry<C>) => boolean): Entry<C>[] {
    const out = [...this.#all()].filter(goes);
    for (const entry of out) this.remove(entry);
    return out;
  }

  *#all(): Generator<Entry<C>> {
    for (let e = this.#list.head; e !== undefined; e = e.next) yield e;
    if (this.#held !== undefined) yield* this.#held.all();
  }

  #expiry(entry: Entry<C>): number {
    return Math.min(entry.dueMs, (entry.waitsSinceMs ?? 0) + this.limits.ageMs);
  }
}
