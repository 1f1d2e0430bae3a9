const empty = Buffer.alloc(0);
const smallestCapacity = 64;

/**
 * Collects the pieces of one frame. Its memory follows the bytes that really came, not a length that a peer merely
 * announced: it doubles as it fills, up to the bound given, so that n bytes cost at most about 3n bytes copied,
 * however small the pieces.
 */
export class Accumulator {
  #bytes: Buffer = empty;
  #length = 0;
  #copiedBytes = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes moved since the start, those moved again by growing included. */
  get copiedBytes(): number {
    return this.#copiedBytes;
  }

  /** What was collected. Valid until the next append. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends `chunk[from, to)`; never holds more than `bound` bytes of memory, which the content must not exceed. */
  append(chunk: Buffer, from: number, to: number, bound: number): void {
    this.#reserve(this.#length + to - from, bound);
    this.#length += chunk.copy(this.#bytes, this.#length, from, to);
    this.#copiedBytes += to - from;
  }

  /** Hands the content over and starts anew; the caller owns the memory. */
  take(): Buffer {
    const taken = this.bytes;
    this.clear();
    return taken;
  }

  clear(): void {
    this.#bytes = empty;
    this.#length = 0;
  }

  #reserve(needed: number, bound: number): void {
    if (needed <= this.#bytes.length) return;
    const capacity = Math.min(bound, Math.max(needed, this.#bytes.length * 2, smallestCapacity));
    const grown = Buffer.allocUnsafe(capacity);
    this.#copiedBytes += this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
