/**
 * Writes commands through the library's queue in our own way: what was issued in one turn goes out as one string and
 * one write. (The library makes a promise for each command, and one write for each of its parts.) Until a command is
 * in the library's queue it is here, where it can be taken back, and forgotten when its caller has left.
 */

import { tracingChannel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { LibraryQueue, QueueItem } from "./library.ts";

const trace = tracingChannel("node-redis:command");

/** Somebody listens to the library's own tracing, so its own way is taken. */
export function isTraced(): boolean {
  return trace.hasSubscribers !== false;
}

/** Text of that length is handed to the socket before more is encoded. */
const textLength = 16_384;
/** Commands enter the library's queue in portions of about that size: what the socket does not want yet stays here. */
const portionBytes = 65_536;

export interface WriterOwner {
  /** So many bytes enter the library's queue now. */
  entering(bytes: number): void;
  /** The socket refused what was written. */
  broken(error: unknown): void;
}

type Taken = Parameters<LibraryQueue["prependCommandsToWrite"]>[0];

export class Writer {
  readonly #queue: LibraryQueue;
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  #waiting: QueueItem[] = [];
  /** Where in `#waiting` the next portion begins. */
  #from = 0;
  #waitingBytes = 0;
  #scheduled = false;
  readonly #flush = (): void => {
    this.#scheduled = false;
    try {
      this.#write();
    } catch (error) {
      this.#owner.broken(error);
    }
  };

  constructor(queue: LibraryQueue, socket: Socket, owner: WriterOwner) {
    this.#queue = queue;
    this.#socket = socket;
    this.#owner = owner;
    socket.on("drain", this.#flush);
  }

  /** Bytes of commands that have not entered the library's queue. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Sends at the end of this turn, with whatever else is posted until then. */
  post(item: QueueItem): void {
    this.#waiting.push(item);
    this.#waitingBytes += item.bytes;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  /** Everything enters the library's queue now, so that what the library adds itself comes behind. */
  stage(): void {
    if (this.#waiting.length > 0) this.#enter(Number.POSITIVE_INFINITY);
  }

  takeBack(error: unknown): void {
    const items = this.#waiting.slice(this.#from);
    this.#forget();
    for (const item of items) item.reject(error);
  }

  #write(): void {
    const socket = this.#socket;
    while (socket.writable && !socket.writableNeedDrain) {
      if (this.#waiting.length > 0) this.#enter(portionBytes);
      if (!this.#queue.isWaitingToWrite()) return;
      this.#send();
    }
  }

  /** Moves commands into the library's queue, behind what is there. */
  #enter(atMostBytes: number): void {
    const portion: QueueItem[] = [];
    let bytes = 0;
    while (this.#from < this.#waiting.length && bytes < atMostBytes) {
      const item = this.#waiting[this.#from++] as QueueItem;
      this.#waitingBytes -= item.bytes;
      if (item.settled) continue; // its caller has left
      portion.push(item);
      bytes += item.bytes;
    }
    if (this.#from === this.#waiting.length) this.#forget();
    this.#owner.entering(bytes);
    const before = this.#queue.isWaitingToWrite() ? this.#queue.extractAllCommands() : [];
    this.#queue.prependCommandsToWrite([...before, ...(portion as unknown as Taken)]);
  }

  #forget(): void {
    this.#waiting = [];
    this.#from = 0;
    this.#waitingBytes = 0;
  }

  /** As the library does it, except that text is joined. */
  #send(): void {
    const socket = this.#socket;
    let text = "";
    let corked = false;
    try {
      for (const parts of this.#queue.commandsToWrite()) {
        for (const part of parts as readonly (string | Buffer)[]) {
          if (typeof part === "string") {
            text += part;
            continue;
          }
          if (!corked) socket.cork();
          corked = true;
          socket.write(text);
          socket.write(part);
          text = "";
        }
        if (text.length >= textLength) {
          socket.write(text);
          text = "";
        }
        if (socket.writableNeedDrain) break;
      }
      if (text !== "") socket.write(text);
    } finally {
      if (corked) socket.uncork();
    }
  }
}
