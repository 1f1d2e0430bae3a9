import type { Socket } from "node:net";
import type { Clock, Timer } from "../../time/index.ts";

/** How often one timeout is looked into: a stall is found at most that share of the timeout late. */
const looksPerTimeout = 4;

/** Node's stream handle, as far as its own `socket.setTimeout` looks into it to see a write's progress. */
interface Handle {
  readonly bytesWritten?: unknown;
  /** Bytes of those that the kernel has not taken. */
  readonly writeQueueSize?: unknown;
}

export interface WriteStallOwner {
  /** More may be given to the socket without another `entering`. */
  readonly isWriting: boolean;
  /** The kernel took nothing of what waits in the socket for that long. */
  stalled(): void;
}

/**
 * Finds a peer that takes nothing of what is written (`resilience.writeTimeoutMs`). One timer, only while something is
 * on its way out. It counts its looks and not the time: a process that was busy for longer than the timeout has let
 * nobody write, and finds progress at the first look after that.
 */
export class WriteStall {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #lookEveryMs: number;
  readonly #owner: WriteStallOwner;
  #timer: Timer | undefined;
  #taken = 0;
  #looksInVain = 0;
  #over = false;
  readonly #look = (): void => {
    this.#timer = undefined;
    const { taken, waiting } = progressOf(this.#socket);
    if (waiting === 0 && !this.#owner.isWriting) return;
    if (waiting === 0 || taken !== this.#taken) this.#looksInVain = 0;
    else if (++this.#looksInVain === looksPerTimeout) {
      this.stop();
      return this.#owner.stalled();
    }
    this.#taken = taken;
    this.#arm();
  };

  constructor(socket: Socket, clock: Clock, timeoutMs: number, owner: WriteStallOwner) {
    this.#socket = socket;
    this.#clock = clock;
    this.#lookEveryMs = timeoutMs / looksPerTimeout;
    this.#owner = owner;
  }

  /** Something is about to be written. */
  entering(): void {
    if (this.#timer !== undefined || this.#over) return;
    this.#taken = progressOf(this.#socket).taken;
    this.#looksInVain = 0;
    this.#arm();
  }

  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#lookEveryMs, this.#look, { unref: true });
  }
}

/**
 * Bytes that the kernel has taken, and bytes of the socket that it has not. The socket's public figures know only whole
 * chunks; a large one that moves slowly, and whatever TLS writes, is seen by the handle alone. A runtime without that
 * counts chunks of plain sockets.
 */
function progressOf(socket: Socket): { readonly taken: number; readonly waiting: number } {
  const { bytesWritten, writeQueueSize } =
    (socket as unknown as { readonly _handle?: Handle | null })._handle ?? {};
  if (typeof bytesWritten === "number" && typeof writeQueueSize === "number") {
    return { taken: bytesWritten - writeQueueSize, waiting: writeQueueSize };
  }
  const waiting = socket.writableLength;
  return { taken: socket.bytesWritten - waiting, waiting };
}
