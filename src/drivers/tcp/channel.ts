/** The application's view of one connection, as libhv's `SocketChannel`. */
import { HoldfastError } from "../../call/index.ts";
import { takenBack } from "../../link/index.ts";
import { type Check, number, optionError } from "../../options/index.ts";
import type { TcpConnection } from "./connection.ts";
import type { HeartbeatPayload, HeartbeatSettings } from "./heartbeat.ts";

/** What may be sent: text (UTF-8) or bytes, which must not change until the promise has settled. */
export type TcpData = string | Uint8Array;

/** How a heartbeat is answered, beside its interval and payload. */
export type HeartbeatReply = Pick<HeartbeatSettings, "isReply" | "timeoutMs">;

/** A time limit in milliseconds; 0 or Infinity switches it off. Returns Infinity for off. */
export function readTimeoutMs(ms: number, key: string): number {
  const read = timeout.read(ms, key);
  return read === 0 ? Infinity : read;
}

const timeout: Check<number> = number({ min: 0, max: Infinity });

export function bytesOf(data: TcpData, key: string): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  throw optionError(key, typeof data, "text or bytes");
}

/**
 * One connection, or one failed attempt to make one. What is set here holds for this connection only; the client's
 * methods of the same names hold for every connection.
 */
export class Channel {
  readonly #connection: TcpConnection | undefined;
  readonly #error: unknown;
  readonly #writeBufferBytes: number;

  constructor(connection: TcpConnection | undefined, error: unknown, writeBufferBytes: number) {
    this.#connection = connection;
    this.#error = error;
    this.#writeBufferBytes = writeBufferBytes;
  }

  /** Number of the connection, growing over the client's life; 0 for a failed attempt. */
  get id(): number {
    return this.#connection?.epoch ?? 0;
  }

  isConnected(): boolean {
    return this.#connection?.isOpen === true;
  }

  /** Why it is not connected: the system's own error (`ECONNREFUSED` for a refused connect) or ours. */
  get error(): unknown {
    return this.#error ?? this.#connection?.cause;
  }

  /** The peer, as `host:port`; `undefined` once it is gone. */
  get peeraddr(): string | undefined {
    const socket = this.#connection?.socket;
    return socket?.remoteAddress === undefined ? undefined : `${socket.remoteAddress}:${socket.remotePort}`;
  }

  /** Our own end, as `host:port`. */
  get localaddr(): string | undefined {
    const socket = this.#connection?.socket;
    return socket?.localAddress === undefined ? undefined : `${socket.localAddress}:${socket.localPort}`;
  }

  /** Bytes that the kernel has not taken. */
  get bufferedBytes(): number {
    return this.#connection?.bufferedBytes ?? 0;
  }

  isWriteComplete(): boolean {
    return this.bufferedBytes === 0;
  }

  /**
   * Sends on this very connection, never on another: for handshakes and replies. Resolves when the kernel took it.
   * @throws (as rejection) `HF_LOST` with an outcome, `HF_WRITE_BUFFER_FULL` (not applied)
   */
  write(data: TcpData): Promise<void> {
    const sent = this.#write(data);
    sent.catch(() => {}); // whoever does not look at the promise is not killed by it
    return sent;
  }

  async #write(data: TcpData): Promise<void> {
    const bytes = bytesOf(data, "data");
    const connection = this.#connection;
    if (connection?.isOpen !== true) throw lost("not-applied", this.error);
    const buffered = connection.bufferedBytes;
    if (buffered > 0 && buffered + bytes.length > this.#writeBufferBytes) {
      const message = `the peer has not taken ${buffered} bytes (at most ${this.#writeBufferBytes})`;
      throw new HoldfastError("HF_WRITE_BUFFER_FULL", message, { outcome: "not-applied", step: "write" });
    }
    try {
      await connection.write(bytes);
    } catch (error) {
      throw error === takenBack ? lost("not-applied", connection.cause) : lost("maybe-applied", error);
    }
  }

  /**
   * Closes the connection when no application data was exchanged for that long, which starts the reconnect. Reads
   * and writes of the application count; heartbeats and their replies don't. 0 = off.
   */
  setKeepaliveTimeout(ms: number): void {
    this.#connection?.setKeepaliveTimeout(readTimeoutMs(ms, "keepaliveTimeoutMs"));
  }

  /** Closes the connection when nothing at all was received for that long. 0 = off. */
  setReadTimeout(ms: number): void {
    this.#connection?.setReadTimeout(readTimeoutMs(ms, "readTimeoutMs"));
  }

  /** Closes the connection when the kernel took nothing of what waits for that long. 0 = off. */
  setWriteTimeout(ms: number): void {
    this.#connection?.setWriteTimeout(readTimeoutMs(ms, "writeTimeoutMs"));
  }

  /** How long `close()` waits for the kernel to take what was written. */
  setCloseTimeout(ms: number): void {
    if (this.#connection !== undefined) this.#connection.closeTimeoutMs = readTimeoutMs(ms, "closeTimeoutMs");
  }

  /** Sends `payload` every `intervalMs`; with `isReply` a missing reply ends the connection. */
  setHeartbeat(
    intervalMs: number,
    payload: HeartbeatPayload | (() => HeartbeatPayload),
    reply: HeartbeatReply = {},
  ): void {
    this.#connection?.setHeartbeat({ ...reply, intervalMs, payload });
  }

  /** Stops reading: the peer feels it as back-pressure. */
  pause(): void {
    if (this.isConnected()) this.#connection?.socket.pause();
  }

  resume(): void {
    if (this.isConnected()) this.#connection?.socket.resume();
  }

  /** What was sent so far is known to have arrived (its reply was seen): a later loss does not report it. */
  confirm(): void {
    this.#connection?.confirm();
  }

  /** Ends this connection after what waits was taken by the kernel; as with libhv, the client then reconnects. */
  close(): void {
    this.#connection?.end();
  }
}

function lost(outcome: "not-applied" | "maybe-applied", cause: unknown): HoldfastError {
  const what = outcome === "not-applied" ? "was not sent" : "may have been sent in part or whole";
  return new HoldfastError("HF_LOST", `the message ${what}: the connection is over`, {
    outcome,
    cause,
    step: "write",
  });
}
