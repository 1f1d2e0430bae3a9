/** One physical connection: its socket, frames, write queue, timeouts, and how it ends. */
import type { Socket } from "node:net";
import { HoldfastError } from "../../call/index.ts";
import type { Dial, LinkClass, Sink } from "../../link/index.ts";
import type { Clock } from "../../time/index.ts";
import { createFramer, type Framer, type Framing, wholeChunks } from "./framing/index.ts";
import { createHeartbeat, type HeartbeatSettings } from "./heartbeat.ts";
import { Beat, type Item, PromisedItem } from "./item.ts";
import { Proof } from "./proof.ts";
import { type Expired, Watch, type WatchOwner } from "./watch.ts";
import { Writer, type WriterOwner } from "./writer.ts";

/** What holds for a connection from its first byte on; the channel can change it later. Milliseconds; Infinity = off. */
export interface ConnectionSettings {
  readonly framing: Framing;
  readonly keepaliveTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly heartbeat: HeartbeatSettings | undefined;
}

export interface ConnectionOwner {
  /** A whole frame, never empty. Its errors are caught by the connection. */
  message(connection: TcpConnection, frame: Buffer): void;
  /** The kernel took a batch of the application's messages. */
  written(connection: TcpConnection, bytes: number): void;
}

/** Its writer and its watch tell the connection itself: every connection has one of each, and closures weigh. */
export class TcpConnection implements WriterOwner, WatchOwner {
  readonly socket: Socket;
  readonly epoch: number;
  closeTimeoutMs: number;
  readonly #owner: ConnectionOwner;
  readonly #sink: Sink;
  readonly #clock: Clock;
  readonly #framer: Framer;
  readonly #writer: Writer;
  /** Made when something is to be watched: by default nothing is. */
  #watch: Watch | undefined;
  readonly #proof: Proof = new Proof();
  /** For the framer; made with the first chunk. */
  #deliver: ((frame: Buffer) => void) | undefined;
  #heartbeatReplies = false;
  #applicationFrames = 0;
  #heartbeatFrames = 0;
  #over = false;
  #cause: unknown;
  #closedInOrder = false;

  constructor(
    socket: Socket,
    dial: Dial,
    settings: ConnectionSettings,
    owner: ConnectionOwner,
    clock: Clock,
  ) {
    this.socket = socket;
    this.epoch = dial.epoch;
    this.closeTimeoutMs = settings.closeTimeoutMs;
    this.#owner = owner;
    this.#sink = dial.sink;
    this.#clock = clock;
    this.#framer = settings.framing.mode === "none" ? wholeChunks : createFramer(settings.framing);
    this.#writer = new Writer(socket, this);
    const { keepaliveTimeoutMs, readTimeoutMs, writeTimeoutMs } = settings;
    if (Math.min(keepaliveTimeoutMs, readTimeoutMs, writeTimeoutMs) < Infinity) {
      const watch = this.#watching();
      watch.keepaliveMs = keepaliveTimeoutMs;
      watch.readMs = readTimeoutMs;
      watch.writeMs = writeTimeoutMs;
    }
    if (settings.heartbeat !== undefined) this.setHeartbeat(settings.heartbeat);
  }

  /** Starts to read. Throws the socket's error when it died meanwhile. */
  begin(): void {
    const { socket } = this;
    if (socket.destroyed) throw socket.errored ?? peerClosed(0);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    const ended = (): void => this.#lost(peerClosed(this.#framer.pending));
    socket.on("end", ended);
    socket.on("error", (error) => this.#lost(error));
    socket.on("close", ended);
    this.#watch?.restart();
  }

  /** True until the connection is lost or closed. */
  get isOpen(): boolean {
    return !this.#over;
  }

  /** Why it ended. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Bytes that the kernel has not taken. */
  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  /** Resolves when the kernel took all of it; rejects with `takenBack` when it provably took nothing. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => this.put(new PromisedItem(bytes, resolve, reject)));
  }

  /** The item hears how it ended. */
  put(item: Item): void {
    this.#watch?.exchanged();
    this.#proof.submitted(item.data.length);
    this.#writer.put(item);
  }

  withdraw(item: Item): void {
    this.#writer.withdraw(item);
  }

  #watching(): Watch {
    if (this.#watch === undefined) {
      this.#watch = new Watch(this.#clock, this);
      if (this.#writer.bufferedBytes > 0) this.#watch.writing(true);
      if (this.#over) this.#watch.stop();
    }
    return this.#watch;
  }

  setKeepaliveTimeout(ms: number): void {
    const watch = this.#watching();
    watch.keepaliveMs = ms;
    watch.restart();
  }

  setReadTimeout(ms: number): void {
    const watch = this.#watching();
    watch.readMs = ms;
    watch.restart();
  }

  setWriteTimeout(ms: number): void {
    const watch = this.#watching();
    watch.writeMs = ms;
    watch.restart();
  }

  setHeartbeat(settings: HeartbeatSettings): void {
    const watch = this.#watching();
    watch.heartbeat = createHeartbeat(settings, this.#clock.nowMs());
    this.#heartbeatReplies = settings.isReply !== undefined;
    watch.restart();
  }

  /** The application says: what was sent so far has arrived. */
  confirm(): void {
    this.#proof.confirmed();
  }

  /** Ends this connection once the kernel took what waits, at the latest after the close timeout; the link goes on. */
  end(): void {
    if (this.#over) return;
    const closed = (): void =>
      this.#lost(new HoldfastError("HF_LOST", "the application closed the connection", { step: "close" }));
    if (this.bufferedBytes === 0) return closed();
    const timer = this.#clock.setTimer(this.closeTimeoutMs, closed, { unref: true });
    const whenEmpty = (): void => {
      timer.cancel();
      closed();
    };
    this.#writer.whenEmpty(whenEmpty);
  }

  /** Calls back once nothing is buffered any more: taken by the kernel, or given up. */
  whenEmpty(call: () => void): void {
    this.#writer.whenEmpty(call);
  }

  /** Before teardown: rejects what never reached the kernel with `takenBack`. */
  takeBack(): void {
    this.#writer.takeBack();
  }

  /** Called once by the engine. When it resolves the socket is gone, and what is unconfirmed was told. */
  async close(how: "graceful" | "abrupt", deadlineMs: number): Promise<void> {
    this.#over = true;
    this.#watch?.stop();
    if (how === "graceful" && !this.socket.destroyed) await this.#endInOrder(deadlineMs);
    this.#closeSocket();
    await this.#socketClosed();
    this.#writer.fail(this.#cause ?? new HoldfastError("HF_CLOSED", "the connection was closed"));
    const { count, bytes } = this.#proof.unconfirmed;
    if (count > 0 && !this.#closedInOrder) this.#sink.unconfirmed({ count, bytes });
  }

  /** Sends what the socket holds and FIN, and waits for the peer's: then it has read everything. */
  #endInOrder(deadlineMs: number): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.setTimer(deadlineMs, finish);
      socket.once("close", finish);
      socket.once("end", () => {
        this.#closedInOrder = true;
        finish();
      });
      socket.resume();
      socket.end();
    });
  }

  #closeSocket(): void {
    if (!this.socket.destroyed) this.socket.destroy();
  }

  #socketClosed(): Promise<void> {
    if (this.socket.closed) return Promise.resolve();
    return new Promise((resolve) => this.socket.once("close", () => resolve()));
  }

  #onData(chunk: Buffer): void {
    if (this.#over) return;
    this.#sink.alive();
    this.#watch?.received();
    this.#applicationFrames = 0;
    this.#heartbeatFrames = 0;
    try {
      if (this.#framer === wholeChunks) this.#onFrame(chunk);
      else {
        this.#deliver ??= (frame) => this.#onFrame(frame);
        this.#framer.push(chunk, this.#deliver);
      }
    } catch (error) {
      return this.#lost(error);
    }
    // A part of a frame is the application's data too; a chunk of nothing but replies to heartbeats is not.
    if (this.#applicationFrames > 0 || this.#heartbeatFrames === 0 || this.#framer.pending > 0)
      this.#watch?.exchanged();
  }

  #onFrame(frame: Buffer): void {
    if (this.#over) return; // ended by the application in the middle of a chunk
    try {
      if (this.#watch?.heartbeat?.onFrame(frame) === true) {
        this.#heartbeatFrames++;
        this.#proof.heartbeatAnswered();
        return;
      }
      this.#applicationFrames++;
      this.#owner.message(this, frame);
    } catch (error) {
      // The application's own failure is no reason to lose the connection.
      this.#sink.asyncError(error);
    }
  }

  begun(): void {
    this.#watch?.writing(true);
  }

  taken(count: number, bytes: number): void {
    if (this.#writer.bufferedBytes === 0) this.#watch?.writing(false);
    if (count === 0) return;
    this.#proof.taken(count, bytes);
    try {
      this.#owner.written(this, bytes);
    } catch (error) {
      this.#sink.asyncError(error);
    }
  }

  sendHeartbeat(payload: Buffer): void {
    if (this.#heartbeatReplies) this.#proof.heartbeatSent();
    this.#writer.put(new Beat(payload));
  }

  expired(what: Expired, silentMs: number): void {
    this.#lost(expiry(what, silentMs));
  }

  heartbeatFailed(error: unknown): void {
    this.#lost(error, "fatal");
  }

  #lost(cause: unknown, linkClass?: LinkClass): void {
    if (this.#over) return;
    this.#over = true;
    this.#cause = cause;
    this.#watch?.stop();
    this.#sink.lost(cause, linkClass);
  }
}

function peerClosed(pendingBytes: number): HoldfastError {
  const half = pendingBytes > 0 ? ` in the middle of a frame; its ${pendingBytes} bytes are dropped` : "";
  return new HoldfastError("HF_LOST", `the peer closed the connection${half}`, { step: "read" });
}

const expiries: Readonly<Record<Expired, (ms: number) => string>> = {
  keepalive: (ms) => `nothing was exchanged for ${ms} ms (keepalive timeout)`,
  read: (ms) => `nothing was received for ${ms} ms (read timeout)`,
  write: (ms) => `the peer took nothing of what was written for ${ms} ms (write timeout)`,
  heartbeat: (ms) => `no reply to a heartbeat for ${ms} ms`,
};

/** An idle cut is our own doing; the other three mean that the peer looks alive and is not. */
function expiry(what: Expired, silentMs: number): HoldfastError {
  const code = what === "keepalive" ? "HF_LOST" : "HF_HALF_OPEN";
  return new HoldfastError(code, expiries[what](Math.round(silentMs)), { step: what, details: { silentMs } });
}
