import {
  type Check,
  callback,
  either,
  integer,
  object,
  optional,
  optionError,
  string,
  withDefault,
} from "../../options/index.ts";

export type HeartbeatPayload = string | Uint8Array;

/** Asks the peer's application for a sign of life in its own language. */
export interface HeartbeatSettings {
  /** Time between two heartbeats, in milliseconds. Default 10,000, libhv's constant. */
  readonly intervalMs?: number;
  /** What is sent: text (UTF-8), bytes, or a function that makes them for each heartbeat. No default. */
  readonly payload: HeartbeatPayload | (() => HeartbeatPayload);
  /**
   * True for a frame that answers a heartbeat. With it, only such a frame counts as a sign of life: a peer that
   * streams but no longer answers is suspect. Without it any byte counts.
   */
  readonly isReply?: (frame: Buffer) => boolean;
  /**
   * How long a heartbeat may stay unanswered, in milliseconds, before the connection is suspect. Default 5,000 with
   * `isReply`. Without it the default is never: as with libhv a heartbeat is then only sent, for the sake of middle
   * boxes or the peer's own timeout, because not every protocol answers.
   */
  readonly timeoutMs?: number;
}

export type HeartbeatAction =
  /** Write this to the socket. It is not the application's traffic: it feeds no idle timeout. */
  | { readonly do: "send"; readonly payload: Buffer }
  /** The peer is to be taken for dead. Said once. */
  | { readonly do: "suspect"; readonly unansweredMs: number }
  /** Too early, or over. */
  | { readonly do: "wait" };

/**
 * The heartbeat of one connection: a pure machine, told the time. The driver sets a timer for `dueMs`, calls `onTick`
 * when it fires, does as told, and sets the next one.
 */
export interface Heartbeat {
  /** When `onTick` wants to be called next, on the same clock as `nowMs`. Infinity once suspect. */
  readonly dueMs: number;
  onTick(nowMs: number): HeartbeatAction;
  /** Bytes were received. */
  onRead(): void;
  /** A frame was received. True when it answers a heartbeat, which then need not be delivered to the application. */
  onFrame(frame: Buffer): boolean;
}

const defaultIntervalMs = 10_000;
const defaultTimeoutMs = 5_000;

const payloadBytes: Check<Uint8Array> = {
  allowed: "bytes, at least 1",
  read(value, key) {
    if (value instanceof Uint8Array && value.length > 0) return value;
    throw optionError(key, value, this.allowed);
  },
};
const fixedPayload = either(string(), payloadBytes);

const shape = object({
  intervalMs: withDefault(integer({ min: 1 }), defaultIntervalMs),
  payload: either(fixedPayload, callback<() => HeartbeatPayload>()),
  isReply: optional(callback<(frame: Buffer) => boolean>()),
  timeoutMs: optional(integer({ min: 1 })),
});

/**
 * A heartbeat for one connection; the first is due one interval after `nowMs`. Throws `HF_OPTION` for wrong settings.
 * `onTick` throws `HF_OPTION` too when the payload function returns neither text nor bytes; what that function or
 * `isReply` throw passes through.
 */
export function createHeartbeat(settings: HeartbeatSettings, nowMs: number, key = "heartbeat"): Heartbeat {
  const { intervalMs, payload, isReply, timeoutMs } = shape.read(settings, key);
  const limitMs = timeoutMs ?? (isReply === undefined ? Infinity : defaultTimeoutMs);
  return new PacedHeartbeat(intervalMs, limitMs, payloadSource(payload, `${key}.payload`), isReply, nowMs);
}

function payloadSource(payload: HeartbeatPayload | (() => HeartbeatPayload), key: string): () => Buffer {
  if (typeof payload === "function")
    return () => Buffer.from(fixedPayload.read(payload(), key) as Uint8Array);
  const bytes = Buffer.from(payload as Uint8Array);
  return () => bytes;
}

class PacedHeartbeat implements Heartbeat {
  readonly #intervalMs: number;
  readonly #limitMs: number;
  readonly #payload: () => Buffer;
  readonly #isReply: ((frame: Buffer) => boolean) | undefined;
  #sendAtMs: number;
  /** When the oldest unanswered heartbeat was sent; Infinity when none is. */
  #unansweredSinceMs = Infinity;
  #suspect = false;

  constructor(
    intervalMs: number,
    limitMs: number,
    payload: () => Buffer,
    isReply: ((frame: Buffer) => boolean) | undefined,
    nowMs: number,
  ) {
    this.#intervalMs = intervalMs;
    this.#limitMs = limitMs;
    this.#payload = payload;
    this.#isReply = isReply;
    this.#sendAtMs = nowMs + intervalMs;
  }

  get dueMs(): number {
    return this.#suspect ? Infinity : Math.min(this.#sendAtMs, this.#unansweredSinceMs + this.#limitMs);
  }

  onTick(nowMs: number): HeartbeatAction {
    if (nowMs < this.dueMs) return { do: "wait" };
    const deadlineMs = this.#unansweredSinceMs + this.#limitMs;
    if (nowMs < deadlineMs) return this.#send(nowMs, this.#unansweredSinceMs);
    // A tick this late means that we slept, not the peer: its answer may lie unread in the kernel. Ask again.
    if (nowMs - deadlineMs >= this.#limitMs) return this.#send(nowMs, Infinity);
    this.#suspect = true;
    return { do: "suspect", unansweredMs: nowMs - this.#unansweredSinceMs };
  }

  #send(nowMs: number, unansweredSinceMs: number): HeartbeatAction {
    const payload = this.#payload();
    this.#unansweredSinceMs = Math.min(unansweredSinceMs, nowMs);
    this.#sendAtMs = nowMs + this.#intervalMs;
    return { do: "send", payload };
  }

  onRead(): void {
    if (this.#isReply === undefined) this.#unansweredSinceMs = Infinity;
  }

  onFrame(frame: Buffer): boolean {
    if (this.#isReply?.(frame) !== true) return false;
    this.#unansweredSinceMs = Infinity;
    return true;
  }
}
