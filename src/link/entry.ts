import type { CallDescription } from "../call/index.ts";
import type { Linked } from "./list.ts";

/** One call on its way through the gate. It is in at most one list: the outbox, or a list of calls in flight. */
export class Entry<C> implements Linked<Entry<C>> {
  prev: Entry<C> | undefined = undefined;
  next: Entry<C> | undefined = undefined;
  list: object | undefined = undefined;
  /** Order of arrival; a call that waits again goes back to its old place. */
  readonly order: number;
  readonly call: CallDescription;
  readonly send: (connection: C) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly dueMs: number;
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

  constructor(
    order: number,
    call: CallDescription,
    send: (connection: C) => Promise<unknown>,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
    dueMs: number,
  ) {
    this.order = order;
    this.call = call;
    this.send = send;
    this.resolve = resolve;
    this.reject = reject;
    this.dueMs = dueMs;
  }
}
