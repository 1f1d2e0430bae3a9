import type { CallDescription } from "../call/index.ts";
import type { Linked } from "./list.ts";

/** Who is told how a transmission ended: the gate. */
export interface Judge<C> {
  /** The server carried it out and replied. */
  done(entry: Entry<C>, value: unknown): void;
  /** @param epoch of the connection it was transmitted on: what an older one says changes nothing */
  failed(entry: Entry<C>, epoch: number, error: unknown): void;
}

/**
 * One call on its way through the gate. It is in at most one list: the outbox, or a list of calls in flight. A driver
 * whose calls are many makes its own kind, which is the only object a call costs beside the caller's promise.
 */
export abstract class Entry<C> implements Linked<Entry<C>> {
  prev: Entry<C> | undefined = undefined;
  next: Entry<C> | undefined = undefined;
  list: object | undefined = undefined;
  /** Order of arrival; a call that waits again goes back to its old place. */
  order = 0;
  /** Settle the caller's promise; set by the gate. */
  fulfil: ((value: unknown) => void) | undefined = undefined;
  refuse: ((error: unknown) => void) | undefined = undefined;
  dueMs: number = Number.POSITIVE_INFINITY;
  settled = false;
  sends = 0;
  /** An earlier send may have been applied. */
  maybeApplied = false;
  /** The connection of the last send. */
  epoch = -1;
  sentMs = 0;
  /** When its present wait began; kept when it was taken back unsent. */
  waitsSinceMs: number | undefined = undefined;
  removeAbort: (() => void) | undefined = undefined;
  /** Why it was sent again, for the message when it fails in the end. */
  lastCause: unknown = undefined;

  abstract readonly call: CallDescription;

  /** Hands it to a connection, at most once for each, and sees to it that the judge hears how it ended. */
  abstract transmit(connection: C, judge: Judge<C>): void;
}

/** A call whose library answers with a promise. */
export class PromisedCall<C> extends Entry<C> {
  readonly call: CallDescription;
  readonly #send: (connection: C) => Promise<unknown>;

  constructor(call: CallDescription, send: (connection: C) => Promise<unknown>) {
    super();
    this.call = call;
    this.#send = send;
  }

  transmit(connection: C, judge: Judge<C>): void {
    const { epoch } = this;
    this.#send(connection).then(
      (value) => judge.done(this, value),
      (error: unknown) => judge.failed(this, epoch, error),
    );
  }
}
