import { type Linked, LinkedList } from "../link/index.ts";
import type { RetireReason } from "./connector.ts";

/**
 * One open connection of a pool. It is `idle` (in the idle list), `leased` (a borrower has it), `busy` (being
 * validated or reset, in nobody's hands) or `retired`.
 */
export class Entry<C> implements Linked<Entry<C>> {
  prev: Entry<C> | undefined = undefined;
  next: Entry<C> | undefined = undefined;
  list: object | undefined = undefined;
  state: "idle" | "leased" | "busy" | "retired" = "busy";
  readonly connection: C;
  readonly openedAtMs: number;
  /** In [0, 1): which part of the fuzz this connection gets, so that those of one burst don't expire together. */
  readonly fuzz: number;
  expiresAtMs: number = Number.POSITIVE_INFINITY;
  /** When its last borrower returned it. */
  idleSinceMs: number;
  /** When it was last known to work. */
  provenAtMs: number;
  /** Less than the pool's suspicion: validate before use. */
  trust: number;
  /** Retire it when it comes back. */
  doomed: RetireReason | undefined = undefined;
  leasedAtMs = 0;
  origin: Error | undefined = undefined;
  leakReported = false;

  constructor(connection: C, nowMs: number, fuzz: number, trust: number) {
    this.connection = connection;
    this.openedAtMs = nowMs;
    this.idleSinceMs = nowMs;
    this.provenAtMs = nowMs;
    this.fuzz = fuzz;
    this.trust = trust;
  }
}

/** Idle connections, the longest idle at the head. */
export class IdleList<C> extends LinkedList<Entry<C>> {
  readonly #lifo: boolean;

  constructor(order: "lifo" | "fifo") {
    super();
    this.#lifo = order === "lifo";
  }

  /** The one to hand out next; it stays in the list. */
  peek(): Entry<C> | undefined {
    return this.#lifo ? this.tail : this.head;
  }

  /** In its place by `idleSinceMs`: a keepalive does not make a connection look used. */
  park(entry: Entry<C>): void {
    entry.state = "idle";
    let after = this.tail;
    while (after !== undefined && after.idleSinceMs > entry.idleSinceMs) after = after.prev;
    this.insertAfter(entry, after);
  }

  /** To be asked whether it still works. */
  take(entry: Entry<C>): void {
    this.remove(entry);
    entry.state = "busy";
  }
}
