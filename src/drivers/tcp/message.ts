/** What stands in a connection's write queue. */
import type { CallDescription } from "../../call/index.ts";
import { Entry, type Judge } from "../../link/index.ts";
import type { TcpConnection } from "./connection.ts";

/** One write. The writer tells it, once, how it ended. */
export interface Item {
  readonly data: Uint8Array;
  /** The application's, not a heartbeat. */
  readonly application: boolean;
  /** The kernel took all of it. */
  taken(): void;
  /** With `takenBack` when the kernel provably took nothing of it. */
  failed(error: unknown): void;
}

/**
 * A message of the client: the call as the gate knows it, its entry there and its place in the queue are one object,
 * the only one it costs.
 */
export class Message extends Entry<TcpConnection> implements Item, CallDescription {
  readonly data: Uint8Array;
  readonly bytes: number;
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** The connection that has it, and who hears what becomes of it. */
  #connection: TcpConnection | undefined = undefined;
  #judge: Judge<TcpConnection> | undefined = undefined;

  constructor(data: Uint8Array, deadlineMs: number | undefined, signal: AbortSignal | undefined) {
    super();
    this.data = data;
    this.bytes = data.length;
    this.deadlineMs = deadlineMs;
    this.signal = signal;
  }

  get call(): CallDescription {
    return this;
  }

  get effect(): "once" {
    return "once";
  }

  /** Nobody answers it: it waits for our own kernel. */
  get kind(): "cast" {
    return "cast";
  }

  get name(): string {
    return "the message";
  }

  get application(): boolean {
    return true;
  }

  transmit(connection: TcpConnection, judge: Judge<TcpConnection>): void {
    this.#connection = connection;
    this.#judge = judge;
    connection.put(this);
  }

  taken(): void {
    this.#judge?.done(this, undefined);
  }

  failed(error: unknown): void {
    this.#judge?.failed(this, this.epoch, error);
  }

  /** Its caller has left: takes it out of the queue, if it is still there. */
  withdraw(): void {
    this.#connection?.withdraw(this);
  }
}

/** A write whose end is a promise's. */
export class PromisedItem implements Item {
  readonly data: Uint8Array;
  readonly application: boolean = true;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(data: Uint8Array, resolve: () => void, reject: (error: unknown) => void) {
    this.data = data;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  taken(): void {
    this.#resolve();
  }

  failed(error: unknown): void {
    this.#reject(error);
  }
}

/** Nobody waits for a heartbeat: its loss shows as the missing reply. */
export class Beat implements Item {
  readonly data: Uint8Array;
  readonly application: boolean = false;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  taken(): void {}

  failed(): void {}
}
