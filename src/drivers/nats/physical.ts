import type { Dial } from "../../link/index.ts";
import type { Wire } from "./wire.ts";

/** Messages and bytes so far, as a mark in the stream to the server. */
export interface Mark {
  readonly count: number;
  readonly bytes: number;
}

/** One physical connection: its transport, and what was published on it and is confirmed. */
export class Physical {
  readonly dial: Dial;
  readonly transport: Wire;
  /** The server's last -ERR on this connection: the reason of the close that follows it. */
  serverError: Error | undefined;
  /** Set once the connection is over. */
  lostCause: unknown;
  #count = 0;
  #bytes = 0;
  #confirmed: Mark = { count: 0, bytes: 0 };

  constructor(dial: Dial, transport: Wire) {
    this.dial = dial;
    this.transport = transport;
  }

  /** Notes published messages that were handed to the socket. */
  published(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
  }

  mark(): Mark {
    return { count: this.#count, bytes: this.#bytes };
  }

  /** A PONG came whose PING was sent at this mark: the server has read all before it. */
  confirmed(mark: Mark): void {
    if (mark.count > this.#confirmed.count) this.#confirmed = mark;
  }

  /** What was published and never confirmed. */
  get unconfirmed(): Mark {
    return {
      count: this.#count - this.#confirmed.count,
      bytes: this.#bytes - this.#confirmed.bytes,
    };
  }
}
