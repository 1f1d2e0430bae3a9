/** A doubly linked list whose nodes are the items themselves: insert and remove cost a few writes and no memory. */
export interface Linked<T> {
  prev: T | undefined;
  next: T | undefined;
  /** The list it is in. */
  list: object | undefined;
}

export class LinkedList<T extends Linked<T>> {
  head: T | undefined;
  tail: T | undefined;
  size = 0;

  push(item: T): void {
    this.insertAfter(item, this.tail);
  }

  /** Inserts behind `after`; in front of all when it is `undefined`. */
  insertAfter(item: T, after: T | undefined): void {
    const before = after === undefined ? this.head : after.next;
    item.prev = after;
    item.next = before;
    item.list = this;
    if (after === undefined) this.head = item;
    else after.next = item;
    if (before === undefined) this.tail = item;
    else before.prev = item;
    this.size++;
  }

  remove(item: T): void {
    if (item.prev === undefined) this.head = item.next;
    else item.prev.next = item.next;
    if (item.next === undefined) this.tail = item.prev;
    else item.next.prev = item.prev;
    item.prev = undefined;
    item.next = undefined;
    item.list = undefined;
    this.size--;
  }
}
