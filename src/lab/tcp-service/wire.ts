/**
 * The service's protocol: a byte of kind, a length of 4 bytes (high byte first), a body. That is the default framing
 * of libhv and of our TCP driver. Encoder and decoder are the service's own, so that a fault of the driver's framing
 * can't hide by being on both sides.
 */
import { HoldfastError } from "../../call/index.ts";

/** 1 write (id of 4 bytes, then any payload), 2 its acknowledgement (the id), 3 ping, 4 pong (the ping's body). */
export type WireKind = 1 | 2 | 3 | 4;

export interface WireMessage {
  readonly kind: number;
  readonly body: Buffer;
}

const headBytes = 5;
const idBytes = 4;
/** A longer body is refused: nobody who speaks this protocol sends one. */
const maxBodyBytes = 16 * 1024 * 1024;

export function encodeMessage(kind: WireKind, body: Uint8Array): Buffer {
  const message = Buffer.alloc(headBytes + body.length);
  message[0] = kind;
  message.writeUInt32BE(body.length, 1);
  message.set(body, headBytes);
  return message;
}

/** A numbered write. `id` is a whole number from 0 to 2^32 - 1. */
export function encodeWrite(id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = Buffer.alloc(idBytes + payload.length);
  body.writeUInt32BE(id, 0);
  body.set(payload, idBytes);
  return encodeMessage(1, body);
}

export function encodeAck(id: number): Buffer {
  const body = Buffer.alloc(idBytes);
  body.writeUInt32BE(id, 0);
  return encodeMessage(2, body);
}

export function encodePing(body: Uint8Array = Buffer.alloc(0)): Buffer {
  return encodeMessage(3, body);
}

/** The id that a whole frame acknowledges; undefined when it is no acknowledgement. */
export function ackedId(frame: Buffer): number | undefined {
  return frame.length === headBytes + idBytes && frame[0] === 2 ? frame.readUInt32BE(headBytes) : undefined;
}

/** True for a whole frame that answers a ping. */
export function isPong(frame: Buffer): boolean {
  return frame.length >= headBytes && frame[0] === 4;
}

/** The id of a write's body. Throws `HF_PROTOCOL` when it is too short to have one. */
export function writtenId(body: Buffer): number {
  if (body.length < idBytes) throw new HoldfastError("HF_PROTOCOL", "a write without an id");
  return body.readUInt32BE(0);
}

/** Collects chunks and gives whole messages. One per connection. */
export class WireReader {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes the next message needs in all, as far as its head is known. */
  #needed = headBytes;

  /** Throws `HF_PROTOCOL` for a body over 16 MiB. */
  *read(chunk: Buffer): Generator<WireMessage> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#needed) {
      const bytes = Buffer.concat(this.#chunks);
      const bodyBytes = bytes.readUInt32BE(1);
      if (bodyBytes > maxBodyBytes) {
        throw new HoldfastError("HF_PROTOCOL", `a body of ${bodyBytes} bytes is over ${maxBodyBytes}`);
      }
      const end = headBytes + bodyBytes;
      const whole = bytes.length >= end;
      this.#chunks = [whole ? bytes.subarray(end) : bytes];
      this.#length = this.#chunks[0]!.length;
      this.#needed = whole ? headBytes : end;
      if (whole) yield { kind: bytes[0]!, body: bytes.subarray(headBytes, end) };
    }
  }
}
