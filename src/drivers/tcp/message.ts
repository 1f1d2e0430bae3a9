import type { CallDescription } from "../../call/index.ts";
import { Entry, type Judge } from "../../link/index.ts";
import type { TcpConnection } from "./connection.ts";
import type { Item } from "./item.ts";

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
