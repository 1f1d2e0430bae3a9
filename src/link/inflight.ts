import type { Entry } from "./entry.ts";
import { LinkedList } from "./list.ts";

/**
 * Calls on the wire. One list for each distinct deadline, so that each list is in order of expiry: finding what ran
 * out costs a look at the heads, and a call costs no timer.
 */
export class InFlight<C> {
  /** Made with the first call: an idle link has none. */
  #lists: Map<number, LinkedList<Entry<C>>> | undefined;
  #size = 0;
  /** The list used last: nearly all calls of a link have the same deadline. */
  #lastKey: number | undefined;
  #lastList: LinkedList<Entry<C>> | undefined;

  get size(): number {
    return this.#size;
  }

  add(entry: Entry<C>): void {
    const key = entry.call.deadlineMs ?? Number.POSITIVE_INFINITY;
    const list = this.#find(key) ?? this.#make(key);
    // A call that is sent again is due earlier than those sent meanwhile.
    let after = list.tail;
    while (after !== undefined && after.dueMs > entry.dueMs) after = after.prev;
    list.insertAfter(entry, after);
    this.#size++;
  }

  remove(entry: Entry<C>): void {
    const key = entry.call.deadlineMs ?? Number.POSITIVE_INFINITY;
    const list = this.#find(key);
    if (this.#lists === undefined || list === undefined || entry.list !== list) return;
    list.remove(entry);
    this.#size--;
    if (list.size > 0 || this.#lists.size <= 8) return;
    this.#lists.delete(key);
    this.#lastKey = undefined;
  }

  has(entry: Entry<C>): boolean {
    return (
      entry.list !== undefined && entry.list === this.#find(entry.call.deadlineMs ?? Number.POSITIVE_INFINITY)
    );
  }

  #find(key: number): LinkedList<Entry<C>> | undefined {
    if (key !== this.#lastKey) {
      const list = this.#lists?.get(key);
      if (list === undefined) return undefined;
      this.#lastKey = key;
      this.#lastList = list;
    }
    return this.#lastList;
  }

  #make(key: number): LinkedList<Entry<C>> {
    this.#lists ??= new Map();
    const list = new LinkedList<Entry<C>>();
    this.#lists.set(key, list);
    return list;
  }

  nextExpiryMs(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const list of this.#lists?.values() ?? [])
      if (list.head) soonest = Math.min(soonest, list.head.dueMs);
    return soonest;
  }

  /** Takes out every call whose deadline has passed. */
  expired(nowMs: number): Entry<C>[] {
    const over: Entry<C>[] = [];
    for (const list of this.#lists?.values() ?? []) {
      for (let e = list.head; e !== undefined && e.dueMs <= nowMs; e = e.next) over.push(e);
    }
    for (const entry of over) this.remove(entry);
    return over;
  }

  /** Every call on the wire, in order of arrival. */
  all(): Entry<C>[] {
    const entries: Entry<C>[] = [];
    for (const list of this.#lists?.values() ?? []) {
      for (let e = list.head; e !== undefined; e = e.next) entries.push(e);
    }
    return entries.sort((a, b) => a.order - b.order);
  }
}
