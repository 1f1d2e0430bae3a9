import type { LengthCoding } from "./settings.ts";

/** A length as read: its value, exact up to 2^53 and beyond that only "very long", and the bytes it took. */
export interface LengthField {
  readonly value: number;
  readonly bytes: number;
}

/** Reads the field at `at`; undefined while bytes are missing before `end`; `"invalid"` when it can't be a length. */
export type ReadLength = (bytes: Uint8Array, at: number, end: number) => LengthField | undefined | "invalid";

/** libhv's varint_decode looks at no more; 64 bits need no more. */
const maxVarintBytes = 10;

export function lengthReader(coding: LengthCoding, fieldBytes: number): ReadLength {
  if (coding === "varint") return readVarint;
  if (coding === "asn1") return readAsn1;
  const read = coding === "bigEndian" ? readBigEndian : readLittleEndian;
  return (bytes, at, end) =>
    end - at < fieldBytes ? undefined : { value: read(bytes, at, fieldBytes), bytes: fieldBytes };
}

// Sums of doubles, not shifts: JavaScript's shifts work on 32 bits and would wrap a length of 5 to 8 bytes to a
// small one, which is what libhv does.
function readBigEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function readLittleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function readVarint(bytes: Uint8Array, at: number, end: number): LengthField | undefined | "invalid" {
  let value = 0;
  for (let i = 0; i < maxVarintBytes; i++) {
    if (at + i >= end) return undefined;
    const byte = bytes[at + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, bytes: i + 1 };
  }
  return "invalid";
}

/** BER: below 0x80 the byte is the length; else its low bits count the bytes of the length, high byte first. */
function readAsn1(bytes: Uint8Array, at: number, end: number): LengthField | undefined | "invalid" {
  if (at >= end) return undefined;
  const first = bytes[at]!;
  if (first < 0x80) return { value: first, bytes: 1 };
  if (first === 0x80) return "invalid"; // BER's indefinite length: the end can't be known
  const count = first - 0x80;
  if (at + 1 + count > end) return undefined;
  return { value: readBigEndian(bytes, at + 1, count), bytes: 1 + count };
}
