import { HoldfastError } from "../../../call/index.ts";
import { lengthReader } from "./length.ts";
import type { FixedLengthFraming, LengthFieldFraming } from "./settings.ts";

/** Says how long the frame is that begins at a place. */
export interface Measure {
  /** Bytes that must be there before `frameBytes` can say anything. */
  readonly headBytes: number;
  /**
   * Length of the frame that begins at `start`, at least 1; undefined while too little of it is there.
   * Throws `HF_PROTOCOL` for a length that is invalid or over the limit.
   */
  frameBytes(bytes: Uint8Array, start: number, end: number): number | undefined;
}

/** The error for a frame longer than allowed (libhv: ERR_OVER_LIMIT). */
export function overLimit(maxFrameBytes: number, frameBytes?: number): HoldfastError {
  const what = frameBytes === undefined ? "a frame" : `a frame of ${frameBytes} bytes`;
  return new HoldfastError("HF_PROTOCOL", `${what} is over the limit of ${maxFrameBytes} bytes`, {
    details: { reason: "over-limit", maxFrameBytes, ...(frameBytes === undefined ? {} : { frameBytes }) },
  });
}

/** The error for a length that no frame can have (libhv: ERR_INVALID_PARAM). */
export function invalidLength(why: string): HoldfastError {
  return new HoldfastError("HF_PROTOCOL", `invalid frame length: ${why}`, {
    details: { reason: "invalid-length" },
  });
}

export function measureFixed(framing: Required<FixedLengthFraming>): Measure {
  return { headBytes: 1, frameBytes: () => framing.frameBytes };
}

export function measureLengthField(framing: Required<LengthFieldFraming>): Measure {
  const { bodyOffset, lengthFieldOffset, lengthFieldBytes, lengthAdjustment, maxFrameBytes } = framing;
  const coding = framing.lengthFieldCoding;
  const readLength = lengthReader(coding, lengthFieldBytes);
  const fixedWidth = coding === "bigEndian" || coding === "littleEndian";
  return {
    headBytes: lengthFieldOffset + (fixedWidth ? lengthFieldBytes : 1),
    frameBytes(bytes, start, end) {
      const field = readLength(bytes, start + lengthFieldOffset, end);
      if (field === undefined) {
        // A head that fills the limit by itself never becomes a frame.
        if (end - start >= maxFrameBytes) throw overLimit(maxFrameBytes);
        return undefined;
      }
      if (field === "invalid") throw invalidLength(`the length field is no ${coding}`);
      const headBytes = bodyOffset + field.bytes - lengthFieldBytes;
      const frameBytes = headBytes + field.value + lengthAdjustment;
      if (frameBytes < headBytes) {
        throw invalidLength(`${field.value} adjusted by ${lengthAdjustment} is below zero`);
      }
      if (frameBytes > maxFrameBytes) throw overLimit(maxFrameBytes, frameBytes);
      return frameBytes;
    },
  };
}
