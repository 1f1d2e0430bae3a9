/** What stands in a connection's write queue. */
import type { CallDescription } from "../../call/index.ts";
import { Entry, type Judge } from "../../link/index.ts";
import type { TcpConnection } from "./connection.ts";

/** One write. The writer tells it, once, how it ended. */
export interface Item {
  readonly bytes: Uint8Array;
  /** The application's, not a heartbeat. */
  readonly application: boolean;
  /** The kernel took all of it. */
  taken(): void;
  /** With `takenBack` when the kernel provably took nothing of it. */
  failed(error: unknown): void;
}

/** A message of the client: its call and its place in the queue are one object, the only one it costs. */
export class Message extends Entry<TcpConnection> implements Item {
  readonly call: CallDescription;
  readonly bytes: Uint8Array;
  readonly application: boolean = true;
  /** The connection that has it, and who hears what becomes of it. */
  #connection: TcpConnection | undefined = undefined;
  #judge: Judge<TcpConnection> | undefined = undefined;

  constructor(call: CallDescription, bytes: Uint8Array) {
    super();
    this.call = call;
    this.bytes = bytes;
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
  readonly bytes: Uint8Array;
  readonly application: boolean = true;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(bytes: Uint8Array, resolve: () => void, reject: (error: unknown) => void) {
    this.bytes = bytes;
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
  readonly bytes: Uint8Array;
  readonly application: boolean = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  taken(): void {}

  failed(): void {}
}
