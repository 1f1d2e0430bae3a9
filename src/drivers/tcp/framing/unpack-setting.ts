import {
  either,
  integer,
  listOf,
  object,
  oneOf,
  optionError,
  refusedOptionError,
  string,
  withDefault,
} from "../../../options/index.ts";
import {
  bytes,
  defaultMaxFrameBytes,
  type Framing,
  type LengthCoding,
  maxDelimiterBytes,
  maxLength,
  maxOffset,
  type NameOf,
  requireConsistent,
} from "./settings.ts";

/**
 * libhv's `unpack_setting_t` in its own words; the defaults are those of its C++ constructor, a zero means what it
 * means there.
 */
export interface UnpackSetting {
  /** 0 none, 1 fixed length, 2 delimiter, 3 length field, or the enum's names. Default 3. */
  readonly mode?: 0 | 1 | 2 | 3 | UnpackModeName;
  /** Bytes. Default, and 0: 2 MiB. */
  readonly package_max_length?: number;
  readonly fixed_length?: number;
  /** Text, bytes, or numbers as in the C array. */
  readonly delimiter?: string | Uint8Array | readonly number[];
  /** How many bytes of `delimiter` count. Default, and 0: up to its first zero byte, as strlen. */
  readonly delimiter_bytes?: number;
  /** Default 5. */
  readonly body_offset?: number;
  /** Default 1. */
  readonly length_field_offset?: number;
  /** Default 4. */
  readonly length_field_bytes?: number;
  /** Default 0. */
  readonly length_adjustment?: number;
  /** 17 varint, 1234 little endian, 4321 big endian, 80 ASN.1, or the enum's names. Default, and 0: big endian. */
  readonly length_field_coding?: 0 | 17 | 80 | 1234 | 4321 | UnpackCodingName;
}

export type UnpackModeName =
  | "UNPACK_MODE_NONE"
  | "UNPACK_BY_FIXED_LENGTH"
  | "UNPACK_BY_DELIMITER"
  | "UNPACK_BY_LENGTH_FIELD";

export type UnpackCodingName =
  | "ENCODE_BY_VARINT"
  | "ENCODE_BY_LITTLE_ENDIAN"
  | "ENCODE_BY_BIG_ENDIAN"
  | "ENCODE_BY_ASN1";

const modeNames = [
  "UNPACK_MODE_NONE",
  "UNPACK_BY_FIXED_LENGTH",
  "UNPACK_BY_DELIMITER",
  "UNPACK_BY_LENGTH_FIELD",
] as const;

const codings: ReadonlyMap<number | string, LengthCoding> = new Map<number | string, LengthCoding>([
  [0, "bigEndian"],
  [17, "varint"],
  [80, "asn1"],
  [1234, "littleEndian"],
  [4321, "bigEndian"],
  ["ENCODE_BY_VARINT", "varint"],
  ["ENCODE_BY_ASN1", "asn1"],
  ["ENCODE_BY_LITTLE_ENDIAN", "littleEndian"],
  ["ENCODE_BY_BIG_ENDIAN", "bigEndian"],
]);

const byteList = either(bytes, listOf(integer({ min: 0, max: 255 })));

const struct = object({
  mode: withDefault(oneOf([0, 1, 2, 3, ...modeNames]), 3),
  package_max_length: withDefault(integer({ min: 0, max: maxLength }), 0),
  fixed_length: withDefault(integer({ min: 0, max: maxLength }), 0),
  delimiter: withDefault(either(string({ allowEmpty: true }), byteList), ""),
  delimiter_bytes: withDefault(integer({ min: 0, max: maxDelimiterBytes }), 0),
  body_offset: withDefault(integer({ min: 0, max: maxOffset }), 5),
  length_field_offset: withDefault(integer({ min: 0, max: maxOffset }), 1),
  length_field_bytes: withDefault(integer({ min: 0, max: 8 }), 4),
  length_adjustment: withDefault(integer({ min: -0x8000, max: 0x7fff }), 0),
  length_field_coding: withDefault(
    oneOf([
      0,
      17,
      80,
      1234,
      4321,
      "ENCODE_BY_VARINT",
      "ENCODE_BY_ASN1",
      "ENCODE_BY_LITTLE_ENDIAN",
      "ENCODE_BY_BIG_ENDIAN",
    ]),
    0,
  ),
});

/** The modes of the C union, each with the fields that live in it. */
const fieldsOf: ReadonlyArray<readonly (keyof UnpackSetting)[]> = [
  [],
  ["fixed_length"],
  ["delimiter", "delimiter_bytes"],
  ["body_offset", "length_field_offset", "length_field_bytes", "length_adjustment", "length_field_coding"],
];

/**
 * Translates libhv's struct into our settings. Throws `HF_OPTION` for values out of range, unknown keys, and fields
 * of another mode that are not zero (in C they share memory, so that setting both is always a mistake).
 */
export function fromUnpackSetting(setting: UnpackSetting, key = "unpack"): Framing {
  const read = struct.read(setting, key);
  const mode = typeof read.mode === "number" ? read.mode : modeNames.indexOf(read.mode);
  refuseOtherModes(setting, mode, key);
  const framing = translate(read, mode, key);
  requireConsistent(framing, peerName(key));
  return framing;
}

function translate(read: ReturnType<typeof struct.read>, mode: number, key: string): Framing {
  const maxFrameBytes = read.package_max_length || defaultMaxFrameBytes;
  const positive = (field: "fixed_length" | "length_field_bytes"): number =>
    integer({ min: 1 }).read(read[field], `${key}.${field}`);
  switch (mode) {
    case 1:
      return { mode: "fixedLength", frameBytes: positive("fixed_length"), maxFrameBytes };
    case 2:
      return { mode: "delimiter", delimiter: delimiterOf(read, key), maxFrameBytes };
    case 3:
      return {
        mode: "lengthField",
        bodyOffset: read.body_offset,
        lengthFieldOffset: read.length_field_offset,
        lengthFieldBytes: positive("length_field_bytes"),
        lengthAdjustment: read.length_adjustment,
        lengthFieldCoding: codings.get(read.length_field_coding)!,
        maxFrameBytes,
      };
    default:
      return { mode: "none" };
  }
}

const peerNames: Readonly<Record<string, keyof UnpackSetting>> = {
  maxFrameBytes: "package_max_length",
  frameBytes: "fixed_length",
  delimiter: "delimiter",
  bodyOffset: "body_offset",
  lengthFieldOffset: "length_field_offset",
  lengthFieldBytes: "length_field_bytes",
};

function peerName(key: string): NameOf {
  return (field) => `${key}.${peerNames[field] ?? field}`;
}

function refuseOtherModes(setting: UnpackSetting, mode: number, key: string): void {
  for (const field of fieldsOf.flat()) {
    const value = setting[field];
    const isZero = value === undefined || value === 0 || (typeof value === "object" && value.length === 0);
    if (fieldsOf[mode]!.includes(field) || isZero || value === "") continue;
    throw refusedOptionError(`${key}.${field}`, `it has no meaning in mode ${mode} (${modeNames[mode]})`);
  }
}

function delimiterOf(
  read: { readonly delimiter: string | Uint8Array | readonly number[]; readonly delimiter_bytes: number },
  key: string,
): Buffer {
  const all = Buffer.from(read.delimiter as Uint8Array);
  const end = all.indexOf(0);
  const count = read.delimiter_bytes || (end < 0 ? all.length : end);
  if (all.length < count) {
    throw optionError(`${key}.delimiter_bytes`, count, `at most the delimiter's length (${all.length})`);
  }
  return all.subarray(0, count);
}
