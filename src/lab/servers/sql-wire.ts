import { connect, type Socket } from "node:net";
import { systemClock } from "../../time/index.ts";

/** An administrator's question that takes longer has met a frozen server. */
const DIALOGUE_DEADLINE_MS = 5_000;

/** One row of an answer; values as the server writes them in text. */
export type SqlRow = Readonly<Record<string, string | null>>;

/** The messages of a byte stream, one at a time: what an administrator's dialogue is made of. */
export class MessageSocket {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const end = (error: Error): void => {
      this.#error ??= error;
      this.#wake?.();
    };
    socket.on("data", (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk as Buffer]);
      this.#wake?.();
    });
    socket.on("error", end);
    socket.on("close", () => end(new Error("the server ended the connection")));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next message: `sizeOf` says how long it is once it can be told, from the bytes received so far. */
  async read(sizeOf: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    for (;;) {
      const size = sizeOf(this.#bytes);
      if (size !== undefined && this.#bytes.length >= size) {
        const message = this.#bytes.subarray(0, size);
        this.#bytes = this.#bytes.subarray(size);
        return message;
      }
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Runs a dialogue over a connection to a Unix socket of its own; the connection is gone afterwards. */
export async function dialogue<T>(
  path: string,
  talk: (socket: MessageSocket) => Promise<T>,
  deadlineMs: number = DIALOGUE_DEADLINE_MS,
): Promise<T> {
  const socket = connect({ path });
  const timer = systemClock.setTimer(deadlineMs, () => {
    socket.destroy(new Error(`no answer within ${deadlineMs} ms`));
  });
  try {
    return await talk(new MessageSocket(socket));
  } finally {
    timer.cancel();
    socket.destroy();
  }
}
