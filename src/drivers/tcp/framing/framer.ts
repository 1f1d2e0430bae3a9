import { HoldfastError } from "../../../call/index.ts";
import { type Cutter, DelimiterCutter, type Deliver, NoCutter, SizedCutter } from "./cutter.ts";
import { measureFixed, measureLengthField } from "./measure.ts";
import { type Framing, type FramingSettings, readFraming } from "./settings.ts";

/**
 * Turns the chunks of one connection into frames. Semantics: libhv's `unpack_setting_t`, without its wrapping of
 * lengths above 2^32 (they are over the limit here) and its wait for `body_offset` bytes before a shorter varint
 * frame is delivered.
 *
 * A framer belongs to one connection and dies with it: half a frame never meets the bytes of the next connection.
 */
export interface Framer {
  /**
   * Takes what the socket gave and delivers every frame that is complete, in order, before it returns.
   * A frame that came in one chunk shares the chunk's memory; the others are copied together once.
   *
   * Throws `HF_PROTOCOL` for a frame that is too long or has an invalid length, after the frames before it were
   * delivered; `details.reason` is `"over-limit"` or `"invalid-length"`. The connection must then be closed: every
   * later push throws the same error. If `deliver` throws, its error passes through and the framer is of no use
   * any more either, because the rest of the chunk was not looked at.
   */
  push(chunk: Uint8Array, deliver: Deliver): void;
  /** Bytes held of the unfinished frame; never above `maxFrameBytes`. */
  readonly pending: number;
  /** Bytes copied since the start: none for frames that came whole. */
  readonly copiedBytes: number;
}

/** A framer for one connection. Throws `HF_OPTION` for wrong settings. */
export function createFramer(settings: FramingSettings): Framer {
  return new GuardedFramer(cutterFor(readFraming(settings)));
}

/** Every chunk is a frame: keeps nothing, so one serves all connections without framing. */
export const wholeChunks: Framer = {
  pending: 0,
  copiedBytes: 0,
  push(chunk, deliver) {
    if (chunk.length > 0) deliver(asBuffer(chunk));
  },
};

function cutterFor(framing: Framing): Cutter {
  switch (framing.mode) {
    case "fixedLength":
      return new SizedCutter(measureFixed(framing), framing.maxFrameBytes);
    case "lengthField":
      return new SizedCutter(measureLengthField(framing), framing.maxFrameBytes);
    case "delimiter":
      return new DelimiterCutter(framing.delimiter, framing.maxFrameBytes);
    case "none":
      return new NoCutter();
  }
}

class GuardedFramer implements Framer {
  readonly #cutter: Cutter;
  #failure: HoldfastError | undefined;
  #cutting = false;

  constructor(cutter: Cutter) {
    this.#cutter = cutter;
  }

  get pending(): number {
    return this.#cutter.pending.length;
  }

  get copiedBytes(): number {
    return this.#cutter.pending.copiedBytes;
  }

  push(chunk: Uint8Array, deliver: Deliver): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#cutting) throw this.#fail(outOfStep());
    this.#cutting = true; // stays so when `deliver` throws: what the chunk still held is lost
    try {
      this.#cutter.cut(asBuffer(chunk), deliver);
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#failure !== undefined) throw this.#fail(this.#failure); // `deliver` pushed, and kept the error to itself
    this.#cutting = false;
  }

  #fail(error: unknown): unknown {
    this.#failure ??= error instanceof HoldfastError ? error : outOfStep();
    this.#cutter.pending.clear();
    return error;
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function outOfStep(): HoldfastError {
  return new HoldfastError(
    "HF_PROTOCOL",
    "the framer is out of step: a frame's receiver threw, or pushed into it",
    {
      details: { reason: "out-of-step" },
    },
  );
}
