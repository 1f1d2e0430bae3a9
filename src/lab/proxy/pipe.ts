/** One direction of a proxied connection: what comes out of `source` goes into `sink`, through the stages. */
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../time/index.ts";
import type { Ending } from "./fault.ts";
import { reset } from "./sockets.ts";
import type { Stage } from "./stages.ts";

/** A delayed line holds this much in flight before its sender feels it, as a TCP window would. */
const delayedWindowBytes = 4 * 1024 * 1024;
/** A narrow line holds little, so that its sender feels it soon. */
const pacedWindowBytes = 64 * 1024;

/**
 * A reset that ends a direction follows its last bytes after this time: libuv reports bytes and a reset that it finds
 * together as an orderly end, so a Node client would never see the reset.
 */
const resetGapMs = 20;

type Item =
  | { readonly kind: "data"; bytes: Buffer; dueMs: number }
  /** The source closed; or (`cut`) a stage ends the whole connection here. */
  | { readonly kind: "end"; readonly how: Ending; readonly cut: boolean; dueMs: number };

export class Pipe {
  /** Bytes read from the source, and bytes handed to the sink. */
  received = 0;
  delivered = 0;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #clock: Clock;
  readonly #cut: (how: Ending) => void;
  #stages: readonly Stage[] = [];
  #hole: "discard" | "stop-reading" | undefined;
  #queue: Item[] = [];
  #heldBytes = 0;
  #timer: Timer | undefined;
  #cutTimer: Timer | undefined;
  /** The sink takes nothing now: it is being dialled, or its buffer is full. */
  #blocked: boolean;
  /** Nothing more is to be delivered; the source is read dry. */
  #shut = false;
  /** How the source closed while nothing could be told. */
  #untold: Ending | undefined;

  constructor(source: Socket, sink: Socket, clock: Clock, cut: (how: Ending) => void) {
    this.#source = source;
    this.#sink = sink;
    this.#clock = clock;
    this.#cut = cut;
    this.#blocked = sink.connecting;
    source.on("data", (chunk: Buffer) => this.#arrived(chunk));
    source.on("end", () => this.#sourceEnded("fin"));
    source.on("error", () => this.#sourceEnded("rst"));
    sink.on("drain", () => this.#unblock());
    if (sink.connecting) sink.once("connect", () => this.#unblock());
    sink.once("close", () => this.close());
  }

  /** Sets the stages in force, in the order in which they are passed. */
  set stages(stages: readonly Stage[]) {
    const stillDelayed = stages.some((stage) => stage.delayMs);
    this.#stages = stages;
    this.#hole = undefined;
    for (const { hole } of stages) if (hole) this.#hole = this.#hole === "discard" ? "discard" : hole;
    if (!stillDelayed) for (const item of this.#queue) item.dueMs = 0;
    if (this.#hole === "discard") this.#discardHeld();
    if (this.#untold && this.#hole !== "discard") {
      const how = this.#untold;
      this.#untold = undefined;
      this.#sourceEnded(how);
    }
    this.#pump();
  }

  /** Sends FIN to the sink now; what still comes is read and thrown away. */
  halfClose(): void {
    this.close();
    this.#endSink("fin");
  }

  /** Delivers nothing any more, and reads the source dry. Ends no socket. */
  close(): void {
    this.#shut = true;
    this.#queue = [];
    this.#heldBytes = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#cutTimer?.cancel();
    this.#regulate();
  }

  #arrived(chunk: Buffer): void {
    this.received += chunk.length;
    if (this.#shut) return;
    if (this.#hole === "discard") {
      this.#swallow(chunk.length);
      return;
    }
    let bytes = chunk;
    let cut: Ending | undefined;
    for (const stage of this.#stages) {
      if (stage.alter) bytes = stage.alter(bytes);
      const { limit } = stage;
      if (!limit) continue;
      if (bytes.length >= limit.remainingBytes) {
        bytes = bytes.subarray(0, limit.remainingBytes);
        cut = limit.how;
        stage.act(bytes.length);
      }
      limit.remainingBytes -= bytes.length;
    }
    const dueMs = this.#dueMs(bytes.length);
    if (bytes.length > 0) {
      this.#heldBytes += bytes.length;
      this.#queue.push({ kind: "data", bytes, dueMs });
    }
    if (cut) this.#queue.push({ kind: "end", how: cut, cut: true, dueMs });
    this.#pump();
  }

  #sourceEnded(how: Ending): void {
    if (this.#shut) return;
    if (this.#hole === "discard") {
      this.#untold = how;
      this.#swallow(0);
      return;
    }
    this.#queue.push({ kind: "end", how, cut: false, dueMs: this.#dueMs(0) });
    this.#pump();
  }

  #dueMs(bytes: number): number {
    let delayMs = 0;
    for (const stage of this.#stages) {
      if (!stage.delayMs) continue;
      const mineMs = stage.delayMs();
      if (mineMs > 0) stage.act(bytes);
      delayMs += mineMs;
    }
    return delayMs > 0 ? this.#clock.nowMs() + delayMs : 0;
  }

  /** Delivers what may leave now, and arms the timer for what may leave later. */
  #pump(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#queue.length > 0 && this.#hole === undefined) {
      const item = this.#queue[0] as Item;
      const waitMs = this.#dueInMs(item);
      if (waitMs > 0) {
        this.#timer = this.#clock.setTimer(waitMs, () => this.#pump());
        break;
      }
      if (item.kind === "end") {
        this.#queue.shift();
        this.#deliverEnd(item.how, item.cut);
      } else if (!this.#blocked) this.#deliver(item);
      else if (this.#resetIsDue()) this.#deliverEnd("rst", false);
      else break;
    }
    this.#regulate();
  }

  #dueInMs(item: Item): number {
    const nowMs = this.#clock.nowMs();
    let dueMs = item.dueMs;
    if (item.kind === "data")
      for (const { pace } of this.#stages) if (pace) dueMs = Math.max(dueMs, pace.freeAtMs);
    return dueMs - nowMs;
  }

  #deliver(item: Item & { kind: "data" }): void {
    const nowMs = this.#clock.nowMs();
    let count = item.bytes.length;
    for (const { pace } of this.#stages) if (pace) count = Math.min(count, pace.pieceBytes);
    for (const { pace, act } of this.#stages) {
      if (!pace) continue;
      pace.take(nowMs, count);
      act(count);
    }
    const piece = item.bytes.subarray(0, count);
    if (count === item.bytes.length) this.#queue.shift();
    else item.bytes = item.bytes.subarray(count);
    this.#heldBytes -= count;
    if (!this.#sink.writable) return;
    this.delivered += count;
    if (!this.#sink.write(piece)) this.#blocked = true;
  }

  /** A reset overtakes bytes that the sink does not take, as it does in TCP; else they would hold it for ever. */
  #resetIsDue(): boolean {
    return this.#queue.some((item) => item.kind === "end" && item.how === "rst" && this.#dueInMs(item) <= 0);
  }

  #deliverEnd(how: Ending, cut: boolean): void {
    if (how === "rst" || cut) this.close();
    if (!cut) this.#endSink(how);
    else if (how === "fin") this.#cut(how);
    else
      this.#whenTaken(() => {
        // And a turn of the loop later: a client of this process may have had no chance to read since the timer was set.
        this.#cutTimer = this.#clock.setTimer(resetGapMs, () => setImmediate(() => this.#cut(how)));
      });
  }

  /** Calls back when the kernel has taken everything that was written to the sink. */
  #whenTaken(taken: () => void): void {
    if (this.#sink.writable) this.#sink.write(Buffer.alloc(0), () => taken());
    else taken();
  }

  #endSink(how: Ending): void {
    if (how === "rst") reset(this.#sink);
    else if (!this.#sink.writableEnded) this.#sink.end();
  }

  #unblock(): void {
    this.#blocked = false;
    this.#pump();
  }

  #discardHeld(): void {
    for (const item of this.#queue) {
      if (item.kind === "data") this.#swallow(item.bytes.length);
      else this.#untold = item.how;
    }
    this.#queue = [];
    this.#heldBytes = 0;
  }

  #swallow(bytes: number): void {
    for (const stage of this.#stages) if (stage.hole === "discard") stage.act(bytes);
  }

  #regulate(): void {
    const paced = this.#stages.some((stage) => stage.pace);
    const windowBytes = paced ? pacedWindowBytes : delayedWindowBytes;
    const full = this.#blocked || this.#heldBytes >= windowBytes;
    const stop = this.#hole === "stop-reading" || (full && !this.#shut && this.#hole !== "discard");
    if (stop) this.#source.pause();
    else this.#source.resume();
  }
}
