import { constants } from "node:buffer";
import {
  type Check,
  either,
  integer,
  object,
  oneOf,
  optionError,
  string,
  withDefault,
} from "../../../options/index.ts";

/** How the length field is written. `varint` is LEB128 (7 bits a byte, low first); `asn1` is BER's length. */
export type LengthCoding = "bigEndian" | "littleEndian" | "varint" | "asn1";

/** Every frame has the same length. */
export interface FixedLengthFraming {
  readonly mode: "fixedLength";
  /** Length of every frame. No default. */
  readonly frameBytes: number;
  /** Longest frame allowed, in bytes. Default 2 MiB, as libhv's `package_max_length`. */
  readonly maxFrameBytes?: number;
}

/** A frame ends with a delimiter, and is delivered with it, as libhv does. */
export interface DelimiterFraming {
  readonly mode: "delimiter";
  /** 1 to 8 bytes; a string is encoded as UTF-8. No default. */
  readonly delimiter: string | Uint8Array;
  /** Longest frame allowed, delimiter included, in bytes. Default 2 MiB. */
  readonly maxFrameBytes?: number;
}

/**
 * The head of a frame says how long it is: `frame = head + body + lengthAdjustment`, where the head is `bodyOffset`
 * bytes; with `varint` and `asn1` it is `bodyOffset` plus the field's actual bytes minus `lengthFieldBytes`.
 * The defaults are libhv's: a byte of flags, then a length of 4 bytes, high byte first.
 */
export interface LengthFieldFraming {
  readonly mode: "lengthField";
  /** Where the body begins. Default 5. */
  readonly bodyOffset?: number;
  /** Where the length field begins. Default 1. */
  readonly lengthFieldOffset?: number;
  /** Width of the length field, 1 to 8. Default 4. */
  readonly lengthFieldBytes?: number;
  /** Added to the length read. `-bodyOffset` when the field counts the head too. Default 0. */
  readonly lengthAdjustment?: number;
  /** Default `bigEndian`. */
  readonly lengthFieldCoding?: LengthCoding;
  /** Longest frame allowed, head included, in bytes. Default 2 MiB. */
  readonly maxFrameBytes?: number;
}

/** No framing: chunks are delivered as they come. */
export interface NoFraming {
  readonly mode: "none";
}

export type FramingSettings = FixedLengthFraming | DelimiterFraming | LengthFieldFraming | NoFraming;

/** Settings after validation, every default filled in. */
export type Framing =
  | NoFraming
  | Required<FixedLengthFraming>
  | (Required<DelimiterFraming> & { readonly delimiter: Buffer })
  | Required<LengthFieldFraming>;

/** libhv's DEFAULT_PACKAGE_MAX_LENGTH. */
export const defaultMaxFrameBytes: number = 2 * 1024 * 1024;
/** libhv's PACKAGE_MAX_DELIMITER_BYTES. */
export const maxDelimiterBytes: number = 8;
/** libhv keeps offsets in 16 bits. */
export const maxOffset: number = 0xffff;
/** libhv keeps lengths in 32 bits; Node's longest Buffer may be shorter. */
export const maxLength: number = Math.min(0xffff_ffff, constants.MAX_LENGTH);

/** Says how a field is called in messages: our own dotted path, or a peer's word for it. */
export type NameOf = (field: string) => string;

const modes = ["fixedLength", "delimiter", "lengthField", "none"] as const;
const maxFrameBytes = withDefault(integer({ min: 1, max: maxLength }), defaultMaxFrameBytes);

/** Bytes as a typed array. */
export const bytes: Check<Uint8Array> = {
  allowed: "bytes",
  read(value, key) {
    if (value instanceof Uint8Array) return value;
    throw optionError(key, value, "bytes");
  },
};

const fixedLength = object({
  mode: oneOf(["fixedLength"]),
  frameBytes: integer({ min: 1, max: maxLength }),
  maxFrameBytes,
});

const delimited = object({ mode: oneOf(["delimiter"]), delimiter: either(string(), bytes), maxFrameBytes });

const lengthField = object({
  mode: oneOf(["lengthField"]),
  bodyOffset: withDefault(integer({ min: 1, max: maxOffset }), 5),
  lengthFieldOffset: withDefault(integer({ min: 0, max: maxOffset }), 1),
  lengthFieldBytes: withDefault(integer({ min: 1, max: 8 }), 4),
  lengthAdjustment: withDefault(integer({ min: -0x8000, max: 0x7fff }), 0),
  lengthFieldCoding: withDefault(oneOf(["bigEndian", "littleEndian", "varint", "asn1"]), "bigEndian"),
  maxFrameBytes,
});

const noFraming = object({ mode: oneOf(["none"]) });

/**
 * Validates settings and fills in the defaults. Throws `HF_OPTION` naming the key, the value and the allowed range.
 * @param key the path under which the settings were given, for messages
 */
export function readFraming(settings: unknown, key = "framing"): Framing {
  const framing = readFields(settings, key);
  requireConsistent(framing, (field) => `${key}.${field}`);
  return framing;
}

function readFields(settings: unknown, key: string): Framing {
  if (typeof settings !== "object" || settings === null) {
    throw optionError(key, settings, "an object with a mode");
  }
  const mode = oneOf(modes).read((settings as { mode?: unknown }).mode, `${key}.mode`);
  if (mode === "fixedLength") return fixedLength.read(settings, key);
  if (mode === "lengthField") return lengthField.read(settings, key);
  if (mode === "none") return noFraming.read(settings, key);
  const read = delimited.read(settings, key);
  return { ...read, delimiter: Buffer.from(read.delimiter as Uint8Array) }; // a copy: the caller may reuse its own
}

/** The rules between fields. Throws `HF_OPTION` with the names given. */
export function requireConsistent(framing: Framing, nameOf: NameOf): void {
  const atMost = (field: string, value: number, limit: number, limitName: string): void => {
    if (value > limit) throw optionError(nameOf(field), value, `at most ${limitName} (${limit})`);
  };
  if (framing.mode === "none") return;
  const max = framing.maxFrameBytes;
  const maxName = nameOf("maxFrameBytes");
  if (framing.mode === "fixedLength") {
    atMost("frameBytes", framing.frameBytes, max, maxName);
  } else if (framing.mode === "delimiter") {
    const { delimiter } = framing;
    if (delimiter.length < 1 || delimiter.length > Math.min(max, maxDelimiterBytes)) {
      const allowed = `1 to ${maxDelimiterBytes} bytes, and at most ${maxName} (${max})`;
      throw optionError(nameOf("delimiter"), delimiter, allowed);
    }
  } else {
    const { bodyOffset, lengthFieldOffset: from, lengthFieldBytes: width } = framing;
    if (bodyOffset < from + width) {
      const allowed = `at least ${nameOf("lengthFieldOffset")} + ${nameOf("lengthFieldBytes")} (${from + width})`;
      throw optionError(nameOf("bodyOffset"), bodyOffset, allowed);
    }
    atMost("bodyOffset", bodyOffset, max, maxName);
  }
}
