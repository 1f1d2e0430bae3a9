import type { Entry } from "./entry.ts";
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

/** Calls that wait for a connection, in order of arrival; bounded in bytes, count and age, never overshooting. */
export class Outbox<C> {
  readonly limits: OutboxLimits;
  readonly #list: LinkedList<Entry<C>> = new LinkedList();
  #bytes = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.#list.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): Entry<C> | undefined {
    return this.#list.head;
  }

  /** Whether one more of this size stays within the bounds. */
  fits(bytes: number): boolean {
    if (this.limits.bytes === 0) return false; // also a call of no bytes
    return this.#list.size < this.limits.entries && this.#bytes + bytes <= this.limits.bytes;
  }

  /** Puts a call at its place in the order of arrival. The caller has made sure that it fits. */
  add(entry: Entry<C>): void {
    let after = this.#list.tail;
    while (after !== undefined && after.order > entry.order) after = after.prev;
    this.#list.insertAfter(entry, after);
    this.#bytes += entry.call.bytes;
  }

  has(entry: Entry<C>): boolean {
    return entry.list === this.#list;
  }

  remove(entry: Entry<C>): void {
    this.#list.remove(entry);
    this.#bytes -= entry.call.bytes;
  }

  shift(): Entry<C> | undefined {
    const first = this.#list.head;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** The next moment at which a waiting call runs out of time. */
  nextExpiryMs(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (let e = this.#list.head; e !== undefined; e = e.next) soonest = Math.min(soonest, this.#expiry(e));
    return soonest;
  }

  /** Takes out every call whose time is over. */
  expired(nowMs: number): Entry<C>[] {
    const over: Entry<C>[] = [];
    for (let e = this.#list.head; e !== undefined; ) {
      const next: Entry<C> | undefined = e.next;
      if (this.#expiry(e) <= nowMs) {
        this.remove(e);
        over.push(e);
      }
      e = next;
    }
    return over;
  }

  #expiry(entry: Entry<C>): number {
    return Math.min(entry.dueMs, (entry.waitsSinceMs ?? 0) + this.limits.ageMs);
  }
}
