import type { Socket } from "node:net";
import { takenBack } from "../../link/index.ts";
import type { Item } from "./item.ts";

export interface WriterOwner {
  /** The kernel took a batch; `count` and `bytes` are the application's part of it. */
  taken(count: number, bytes: number): void;
  /** A batch was handed to the socket: the kernel owes us its taking. */
  begun(): void;
}

/** Bytes handed to the socket at once: enough to fill a packet train, few enough to leave little unknown. */
const batchBytes = 64 * 1024;

const none: readonly Item[] = [];
const nothing: Item[] = [];

/**
 * The write queue of one connection. The socket holds one batch at a time, and the rest is here: so when the
 * connection dies it is known which messages never reached the kernel. Bounds are kept by whoever calls `write`.
 */
export class Writer {
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  /** Never grown while it is `nothing`, which all idle connections share. */
  #queue: Item[] = nothing;
  /** With the socket: the kernel may have taken some of it. */
  #batch: readonly Item[] = none;
  #bufferedBytes = 0;
  #empty: (() => void)[] | undefined;
  /** For every batch the same, made with the first: there is one at a time. */
  #done: ((error?: Error | null) => void) | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(socket: Socket, owner: WriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** Bytes the kernel has not taken, the batch under way included. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** The item is told how it ended: never from within this call. */
  put(item: Item): void {
    if (this.#failure !== undefined) return queueMicrotask(() => item.failed(takenBack));
    this.#bufferedBytes += item.data.length;
    // The usual case: nothing waits, and no queue is needed.
    if (this.#batch.length === 0 && this.#queue.length === 0) return this.#handOver([item]);
    if (this.#queue === nothing) this.#queue = [item];
    else this.#queue.push(item);
    if (this.#batch.length === 0) this.#flush();
  }

  /** Takes an item out of the queue, if it is still there. */
  withdraw(item: Item): void {
    const at = this.#queue.indexOf(item);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#bufferedBytes -= item.data.length;
    item.failed(takenBack);
    this.#tellEmpty();
  }

  /** Calls back once nothing waits any more: taken by the kernel, taken back, or failed. */
  whenEmpty(call: () => void): void {
    if (this.#bufferedBytes === 0) return call();
    this.#empty ??= [];
    this.#empty.push(call);
  }

  /** Rejects what was never handed to the socket with `takenBack`. */
  takeBack(): void {
    const queue = this.#queue;
    this.#queue = nothing;
    for (const item of queue) {
      this.#bufferedBytes -= item.data.length;
      item.failed(takenBack);
    }
    this.#tellEmpty();
  }

  /** The connection is over: rejects everything, and all that comes later. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { cause };
    this.takeBack();
    const batch = this.#batch;
    this.#batch = none;
    this.#bufferedBytes = 0;
    for (const item of batch) item.failed(cause);
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    const calls = this.#empty;
    if (this.#bufferedBytes > 0 || calls === undefined) return;
    this.#empty = undefined;
    for (const call of calls) call();
  }

  #flush(): void {
    const queue = this.#queue;
    let size = 0;
    let count = 0;
    for (; count < queue.length; count++) {
      const { length } = (queue[count] as Item).data;
      if (count > 0 && size + length > batchBytes) break;
      size += length;
    }
    if (count === 0) return;
    const whole = count === queue.length;
    this.#queue = whole ? nothing : queue.slice(count);
    this.#handOver(whole ? queue : queue.slice(0, count));
  }

  /** One write call of the kernel for the whole batch. */
  #handOver(batch: readonly Item[]): void {
    this.#batch = batch;
    this.#owner.begun();
    const socket = this.#socket;
    const last = batch.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write((batch[i] as Item).data);
    this.#done ??= (error) => {
      // On an error the socket's own events end the connection; what the kernel took of the batch is then unknown.
      if (!error && this.#failure === undefined) this.#taken();
    };
    socket.write((batch[last] as Item).data, this.#done);
    if (last > 0) socket.uncork();
  }

  #taken(): void {
    const batch = this.#batch;
    this.#batch = none;
    let count = 0;
    let applicationBytes = 0;
    for (const { data, application } of batch) {
      this.#bufferedBytes -= data.length;
      if (!application) continue;
      count++;
      applicationBytes += data.length;
    }
    this.#flush();
    for (const item of batch) item.taken();
    this.#owner.taken(count, applicationBytes);
    if (this.#empty !== undefined) this.#tellEmpty();
  }
}
