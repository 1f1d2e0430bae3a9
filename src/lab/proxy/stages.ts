/** What one fault does to one direction of one connection. A stage keeps its own state and says when it acts. */
import { type Random, uniform } from "../../time/index.ts";
import type { Ending, FaultShape } from "./fault.ts";

export interface Stage {
  /** Nothing passes while this stage is in place. */
  readonly hole?: "discard" | "stop-reading";
  /** How much later than it came the next item may leave. */
  delayMs?(): number;
  /** Bytes leave in pieces, each at its time. */
  readonly pace?: Pace;
  /** Changes the bytes. */
  alter?(chunk: Buffer): Buffer;
  /** The direction ends after this many more bytes. */
  readonly limit?: { remainingBytes: number; readonly how: Ending };
  /** To be called with the number of bytes concerned whenever the stage changed something. */
  readonly act: (bytes: number) => void;
}

/** Spaces pieces out: `freeAtMs` is when the next one may leave. */
export class Pace {
  readonly pieceBytes: number;
  readonly #msPerByte: number;
  readonly #msPerPiece: number;
  readonly #slackMs: number;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(pieceBytes: number, costMs: { perByte: number; perPiece: number; slackMs: number }) {
    this.pieceBytes = pieceBytes;
    this.#msPerByte = costMs.perByte;
    this.#msPerPiece = costMs.perPiece;
    this.#slackMs = costMs.slackMs;
  }

  get freeAtMs(): number {
    return this.#freeAtMs;
  }

  /** Books a piece that leaves now. A timer that came late is made up for, up to the slack, so the rate holds. */
  take(nowMs: number, bytes: number): void {
    const costMs = bytes * this.#msPerByte + this.#msPerPiece;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - this.#slackMs) + costMs;
  }
}

/** Pieces of a narrow line leave about this often; finer would cost more timers than it shows. */
const bandwidthStepMs = 10;
/** How late a timer may be before bandwidth is lost rather than made up for. */
const bandwidthSlackMs = 50;

function bandwidthPace(bytesPerSecond: number): Pace {
  const pieceBytes = Math.max(1, Math.round((bytesPerSecond * bandwidthStepMs) / 1_000));
  return new Pace(pieceBytes, { perByte: 1_000 / bytesPerSecond, perPiece: 0, slackMs: bandwidthSlackMs });
}

function slowFirst(delayMs: number): () => number {
  let first = true;
  return () => {
    const thisOneMs = first ? delayMs : 0;
    first = false;
    return thisOneMs;
  };
}

/** Flips bits of single bytes, `everyBytes` apart on average; a chosen byte always changes. */
function corrupter(
  everyBytes: number,
  random: Random,
  act: (bytes: number) => void,
): (chunk: Buffer) => Buffer {
  const gap = (): number => Math.floor(uniform(random, 0, 2 * everyBytes - 1));
  let next = gap();
  return (chunk) => {
    if (next >= chunk.length) {
      next -= chunk.length;
      return chunk;
    }
    const copy = Buffer.from(chunk);
    let changed = 0;
    let at = next;
    for (; at < copy.length; at += 1 + gap()) {
      copy[at] = (copy[at] as number) ^ (1 + Math.floor(random.next() * 255));
      changed++;
    }
    next = at - copy.length;
    act(changed);
    return copy;
  };
}

/** The stage of a fault that works on the bytes of a direction; undefined for the other kinds. */
export function stageOf(fault: FaultShape, random: Random, act: (bytes: number) => void): Stage | undefined {
  switch (fault.kind) {
    case "blackHole":
      return { hole: fault.how ?? "discard", act };
    case "latency": {
      const { delayMs, jitterMs = 0 } = fault;
      return { delayMs: () => Math.max(0, uniform(random, delayMs - jitterMs, delayMs + jitterMs)), act };
    }
    case "slowFirstByte":
      return { delayMs: slowFirst(fault.delayMs), act };
    case "bandwidth":
      return { pace: bandwidthPace(fault.bytesPerSecond), act };
    case "drip":
      return { pace: new Pace(fault.bytes ?? 1, { perByte: 0, perPiece: fault.everyMs, slackMs: 0 }), act };
    case "truncate":
      return { limit: { remainingBytes: fault.afterBytes, how: fault.how ?? "rst" }, act };
    case "corrupt":
      return { alter: corrupter(fault.everyBytes ?? 100, random, act), act };
    default:
      return undefined;
  }
}
