import fc from "fast-check";
import { isHoldfastError } from "../../../src/call/index.ts";
import { createFramer, type FramingSettings } from "../../../src/drivers/tcp/framing/index.ts";

/** What a stream turned into: its frames in hex, and the reason of the error that ended it. */
export interface Cut {
  readonly frames: string[];
  readonly reason: string | undefined;
  readonly pending: number;
}

/** Feeds the chunks to a fresh framer until they end or it throws. Only HF_PROTOCOL is an accepted end. */
export function cut(settings: FramingSettings, chunks: Iterable<Uint8Array>): Cut {
  const framer = createFramer(settings);
  const frames: string[] = [];
  let reason: string | undefined;
  try {
    for (const chunk of chunks) framer.push(chunk, (frame) => frames.push(frame.toString("hex")));
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== "HF_PROTOCOL") throw error;
    reason = String(error.details?.reason);
  }
  return { frames, reason, pending: framer.pending };
}

/** The stream in pieces: cut at every place of `marks` (each taken modulo the length). */
export function chunked(stream: Buffer, marks: readonly number[]): Buffer[] {
  const places = [0, ...marks.map((mark) => mark % (stream.length + 1)), stream.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => stream.subarray(places[i], end));
}

export const chunking: fc.Arbitrary<number[]> = fc.array(fc.nat(), { maxLength: 40 });

export const single = (stream: Buffer): Buffer[] => Array.from(stream, (_, i) => stream.subarray(i, i + 1));

export const hex = (...bytes: number[]): string => Buffer.from(bytes).toString("hex");
