import { HoldfastError } from "../call/index.ts";
import type { Entry } from "./entry.ts";

/** What a lease tells its pool. */
export interface LeaseOwner<C> {
  returned(entry: Entry<C>, how: "good" | "doubtful" | "discard" | "broken", error?: unknown): void;
  returnedTwice(origin: Error | undefined): void;
}

/**
 * The right to use one connection until it is released. `await using lease = await pool.acquire()` releases it at the
 * end of the block.
 */
export class Lease<C> {
  readonly #owner: LeaseOwner<C>;
  #entry: Entry<C> | undefined;
  readonly #origin: Error | undefined;

  /** @param origin where it was asked for, when leaks are watched */
  constructor(owner: LeaseOwner<C>, entry: Entry<C>, origin: Error | undefined) {
    this.#owner = owner;
    this.#entry = entry;
    this.#origin = origin;
  }

  /** @throws `HF_CLOSED` after the release: the connection may be another's by now */
  get connection(): C {
    if (this.#entry === undefined) {
      throw new HoldfastError("HF_CLOSED", "this lease was released; its connection may be in another's use");
    }
    return this.#entry.connection;
  }

  get released(): boolean {
    return this.#entry === undefined;
  }

  /**
   * Gives the connection back. With an error: the connection is of no use any more, it is closed, and the other idle
   * ones are validated before their next use. A second release changes nothing and is told by the event
   * `doubleRelease`.
   */
  release(error?: unknown): void {
    this.giveBack(error === undefined ? "good" : "broken", error);
  }

  /** Gives the connection back to be closed, without a doubt about the others: its session can't be cleaned. */
  discard(): void {
    this.giveBack("discard");
  }

  /** Gives the connection back to be validated before its next use. */
  doubt(): void {
    this.giveBack("doubtful");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#entry !== undefined) this.giveBack("good");
  }

  // Not a `#method`: each object of a class with one costs a mark, and each call a look at it.
  private giveBack(how: "good" | "doubtful" | "discard" | "broken", error?: unknown): void {
    const entry = this.#entry;
    if (entry === undefined) return this.#owner.returnedTwice(this.#origin);
    this.#entry = undefined;
    this.#owner.returned(entry, how, error);
  }
}
