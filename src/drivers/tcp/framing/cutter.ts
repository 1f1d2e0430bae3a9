import { Accumulator } from "./accumulator.ts";
import { type Measure, overLimit } from "./measure.ts";

export type Deliver = (frame: Buffer) => void;

/** Cuts chunks into frames; what a framer does between its guards. */
export interface Cutter {
  /** The unfinished frame. */
  readonly pending: Accumulator;
  cut(chunk: Buffer, deliver: Deliver): void;
}

/** Cuts frames whose length is known from their head, or from the start. */
export class SizedCutter implements Cutter {
  readonly pending: Accumulator = new Accumulator();
  readonly #measure: Measure;
  readonly #maxFrameBytes: number;
  /** Length of the pending frame, once its head is there. */
  #frameBytes: number | undefined;

  constructor(measure: Measure, maxFrameBytes: number) {
    this.#measure = measure;
    this.#maxFrameBytes = maxFrameBytes;
  }

  cut(chunk: Buffer, deliver: Deliver): void {
    let at = this.pending.length === 0 ? 0 : this.#finishPending(chunk, deliver);
    while (at < chunk.length) {
      const frameBytes = this.#measure.frameBytes(chunk, at, chunk.length);
      if (frameBytes === undefined || at + frameBytes > chunk.length) {
        this.#frameBytes = frameBytes;
        this.pending.append(chunk, at, chunk.length, frameBytes ?? this.#maxFrameBytes);
        return;
      }
      deliver(chunk.subarray(at, at + frameBytes));
      at += frameBytes;
    }
  }

  /** Gives the pending frame what it lacks; returns how much of the chunk it took. */
  #finishPending(chunk: Buffer, deliver: Deliver): number {
    let at = 0;
    while (this.#frameBytes === undefined) {
      if (at === chunk.length) return at;
      const lacking = Math.max(1, this.#measure.headBytes - this.pending.length);
      at = this.#append(chunk, at, lacking, this.#maxFrameBytes);
      this.#frameBytes = this.#measure.frameBytes(this.pending.bytes, 0, this.pending.length);
    }
    const frameBytes = this.#frameBytes;
    at = this.#append(chunk, at, frameBytes - this.pending.length, frameBytes);
    if (this.pending.length === frameBytes) {
      this.#frameBytes = undefined;
      deliver(this.pending.take());
    }
    return at;
  }

  #append(chunk: Buffer, from: number, wanted: number, bound: number): number {
    const to = Math.min(chunk.length, from + wanted);
    this.pending.append(chunk, from, to, bound);
    return to;
  }
}

/** Cuts frames behind each delimiter: the leftmost one, never overlapping the last. */
export class DelimiterCutter implements Cutter {
  readonly pending: Accumulator = new Accumulator();
  readonly #delimiter: Buffer;
  readonly #maxFrameBytes: number;

  constructor(delimiter: Buffer, maxFrameBytes: number) {
    this.#delimiter = delimiter;
    this.#maxFrameBytes = maxFrameBytes;
  }

  cut(chunk: Buffer, deliver: Deliver): void {
    let at = 0;
    while (at < chunk.length) {
      const end = this.#frameEnd(chunk, at);
      const frameBytes = this.pending.length + (end ?? chunk.length) - at;
      // Without a delimiter in it a full frame can only become longer than allowed.
      if (frameBytes > this.#maxFrameBytes || (end === undefined && frameBytes === this.#maxFrameBytes)) {
        throw overLimit(this.#maxFrameBytes);
      }
      if (end !== undefined && this.pending.length === 0) {
        deliver(chunk.subarray(at, end));
      } else {
        this.pending.append(chunk, at, end ?? chunk.length, this.#maxFrameBytes);
        if (end === undefined) return;
        deliver(this.pending.take());
      }
      at = end;
    }
  }

  /** Where in the chunk the frame ends that is pending or begins at `at`; undefined when it does not end here. */
  #frameEnd(chunk: Buffer, at: number): number | undefined {
    const across = this.pending.length === 0 ? undefined : this.#endAcrossSeam(chunk);
    if (across !== undefined) return across;
    const found = chunk.indexOf(this.#delimiter, at);
    return found < 0 ? undefined : found + this.#delimiter.length;
  }

  /** The delimiter may have begun in the pending bytes: looks only at the few bytes on both sides of the seam. */
  #endAcrossSeam(chunk: Buffer): number | undefined {
    const reach = this.#delimiter.length - 1;
    if (reach === 0) return undefined;
    const before = this.pending.bytes.subarray(-reach);
    const found = Buffer.concat([before, chunk.subarray(0, reach)]).indexOf(this.#delimiter);
    return found < 0 ? undefined : found + this.#delimiter.length - before.length;
  }
}

/** Lets every chunk through as it came. */
export class NoCutter implements Cutter {
  readonly pending: Accumulator = new Accumulator();

  cut(chunk: Buffer, deliver: Deliver): void {
    if (chunk.length > 0) deliver(chunk);
  }
}
