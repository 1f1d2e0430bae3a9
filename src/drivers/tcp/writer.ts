import type { Socket } from "node:net";
import { takenBack } from "../../link/index.ts";

/** One write waiting for the kernel. */
interface Item {
  readonly bytes: Uint8Array;
  /** The application's, not a heartbeat. */
  readonly application: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a caller who may leave holds in hand. */
export interface Ticket {
  /** Takes the message out of the queue, if it is still there. */
  withdraw: (() => void) | undefined;
}

export interface WriterOwner {
  /** The kernel took a batch; `count` and `bytes` are the application's part of it. */
  taken(count: number, bytes: number): void;
  /** A batch was handed to the socket: the kernel owes us its taking. */
  begun(): void;
}

/** Bytes handed to the socket at once: enough to fill a packet train, few enough to leave little unknown. */
const batchBytes = 64 * 1024;

/**
 * The write queue of one connection. The socket holds one batch at a time, and the rest is here: so when the
 * connection dies it is known which messages never reached the kernel. Bounds are kept by whoever calls `write`.
 */
export class Writer {
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  #queue: Item[] = [];
  /** With the socket: the kernel may have taken some of it. */
  #batch: Item[] = [];
  #bufferedBytes = 0;
  #empty: (() => void)[] = [];
  #failure: { readonly cause: unknown } | undefined;

  constructor(socket: Socket, owner: WriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** Bytes the kernel has not taken, the batch under way included. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Resolves when the kernel took all of it; rejects with `takenBack` when it provably took nothing. */
  write(bytes: Uint8Array, application: boolean, ticket?: Ticket): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(takenBack);
      const item: Item = { bytes, application, resolve, reject };
      this.#queue.push(item);
      if (ticket !== undefined) ticket.withdraw = () => this.#withdraw(item);
      this.#bufferedBytes += bytes.length;
      if (this.#batch.length === 0) this.#flush();
    });
  }

  #withdraw(item: Item): void {
    const at = this.#queue.indexOf(item);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#bufferedBytes -= item.bytes.length;
    item.reject(takenBack);
    this.#tellEmpty();
  }

  /** Calls back once nothing waits any more: taken by the kernel, taken back, or failed. */
  whenEmpty(call: () => void): void {
    if (this.#bufferedBytes === 0) call();
    else this.#empty.push(call);
  }

  /** Rejects what was never handed to the socket with `takenBack`. */
  takeBack(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const item of queue) {
      this.#bufferedBytes -= item.bytes.length;
      item.reject(takenBack);
    }
    this.#tellEmpty();
  }

  /** The connection is over: rejects everything, and all that comes later. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { cause };
    this.takeBack();
    const batch = this.#batch;
    this.#batch = [];
    this.#bufferedBytes = 0;
    for (const item of batch) item.reject(cause);
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    if (this.#bufferedBytes > 0 || this.#empty.length === 0) return;
    const calls = this.#empty;
    this.#empty = [];
    for (const call of calls) call();
  }

  #flush(): void {
    let size = 0;
    let count = 0;
    for (const { bytes } of this.#queue) {
      if (count > 0 && size + bytes.length > batchBytes) break;
      size += bytes.length;
      count++;
    }
    if (count === 0) return;
    const batch = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    this.#batch = batch;
    this.#owner.begun();
    this.#handOver(batch, (error) => {
      // On an error the socket's own events end the connection; what the kernel took of the batch is then unknown.
      if (!error && this.#failure === undefined) this.#taken(batch);
    });
  }

  /** One write call of the kernel for the whole batch. */
  #handOver(batch: readonly Item[], done: (error?: Error | null) => void): void {
    const socket = this.#socket;
    if (batch.length === 1) {
      socket.write((batch[0] as Item).bytes, done);
      return;
    }
    socket.cork();
    for (const [i, { bytes }] of batch.entries()) {
      if (i === batch.length - 1) socket.write(bytes, done);
      else socket.write(bytes);
    }
    socket.uncork();
  }

  #taken(batch: readonly Item[]): void {
    this.#batch = [];
    let count = 0;
    let applicationBytes = 0;
    for (const { bytes, application } of batch) {
      this.#bufferedBytes -= bytes.length;
      if (!application) continue;
      count++;
      applicationBytes += bytes.length;
    }
    this.#flush();
    for (const item of batch) item.resolve();
    this.#owner.taken(count, applicationBytes);
    this.#tellEmpty();
  }
}
