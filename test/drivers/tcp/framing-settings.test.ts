import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createFramer,
  type FramingSettings,
  fromUnpackSetting,
  readFraming,
  type UnpackSetting,
} from "../../../src/drivers/tcp/framing/index.ts";

const mib2 = 2_097_152;

function refuses(run: () => unknown, ...words: RegExp[]): void {
  assert.throws(run, (error: Error & { code?: string }) => {
    assert.equal(error.code, "HF_OPTION");
    for (const word of words) assert.match(error.message, word);
    return true;
  });
}

describe("framing settings", () => {
  it("fills in libhv's defaults", () => {
    assert.deepEqual(readFraming({ mode: "lengthField" }), {
      mode: "lengthField",
      bodyOffset: 5,
      lengthFieldOffset: 1,
      lengthFieldBytes: 4,
      lengthAdjustment: 0,
      lengthFieldCoding: "bigEndian",
      maxFrameBytes: mib2,
    });
  });

  it("copies the delimiter", () => {
    const delimiter = Buffer.from("\n");
    const framing = readFraming({ mode: "delimiter", delimiter });
    delimiter[0] = 0;
    assert.ok(framing.mode === "delimiter");
    assert.deepEqual(framing.delimiter, Buffer.from("\n"));
  });

  const bad: ReadonlyArray<readonly [settings: unknown, ...words: RegExp[]]> = [
    [undefined, /"framing"/, /mode/],
    [{}, /framing\.mode/, /lengthField/],
    [{ mode: "lengthfield" }, /did you mean "lengthField"/],
    [{ mode: "fixedLength" }, /framing\.frameBytes/],
    [{ mode: "fixedLength", frameBytes: 0 }, /framing\.frameBytes/, /from 1/],
    [
      { mode: "fixedLength", frameBytes: 10, maxFrameBytes: 9 },
      /frameBytes/,
      /at most framing\.maxFrameBytes \(9\)/,
    ],
    [{ mode: "fixedLength", frameBytes: 1, bodyOffset: 2 }, /unknown option "framing\.bodyOffset"/],
    [{ mode: "delimiter" }, /framing\.delimiter/],
    [{ mode: "delimiter", delimiter: "" }, /framing\.delimiter/],
    [{ mode: "delimiter", delimiter: "123456789" }, /1 to 8 bytes/],
    [{ mode: "delimiter", delimiter: "äöüäö" }, /1 to 8 bytes/],
    [{ mode: "delimiter", delimiter: new Uint8Array(0) }, /1 to 8 bytes/],
    [{ mode: "delimiter", delimiter: "\r\n", maxFrameBytes: 1 }, /maxFrameBytes \(1\)/],
    [{ mode: "delimiter", delimiter: "\n", maxFrameBytes: 0 }, /maxFrameBytes/, /from 1/],
    [{ mode: "lengthField", lengthFieldBytes: 9 }, /lengthFieldBytes/, /from 1 to 8/],
    [{ mode: "lengthField", lengthFieldBytes: 0 }, /lengthFieldBytes/, /from 1 to 8/],
    [{ mode: "lengthField", lengthFieldOffset: 2 }, /bodyOffset/, /lengthFieldOffset \+ .*\(6\)/],
    [{ mode: "lengthField", bodyOffset: 65_536 }, /bodyOffset/, /65535/],
    [{ mode: "lengthField", lengthAdjustment: -32_769 }, /lengthAdjustment/],
    [{ mode: "lengthField", maxFrameBytes: 4 }, /bodyOffset/, /maxFrameBytes \(4\)/],
    [{ mode: "lengthField", lengthFieldCoding: "BIG" }, /lengthFieldCoding/],
    [{ mode: "lengthField", lengthFieldByte: 4 }, /did you mean "lengthFieldBytes"/],
    [{ mode: "none", maxFrameBytes: 4 }, /unknown option/],
  ];
  for (const [settings, ...words] of bad) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      refuses(() => createFramer(settings as FramingSettings), ...words);
    });
  }
});

describe("libhv's unpack_setting_t", () => {
  it("has the C++ constructor's defaults", () => {
    assert.deepEqual(fromUnpackSetting({}), readFraming({ mode: "lengthField" }));
  });

  it("translates libhv's own examples", () => {
    assert.deepEqual(
      fromUnpackSetting({
        package_max_length: 1 << 21,
        mode: 2,
        delimiter: [13, 10, 0, 0, 0, 0, 0, 0],
        delimiter_bytes: 2,
      }),
      readFraming({ mode: "delimiter", delimiter: "\r\n" }),
    );
    assert.deepEqual(
      fromUnpackSetting({
        mode: "UNPACK_BY_LENGTH_FIELD",
        body_offset: 2,
        length_field_offset: 1,
        length_field_bytes: 1,
        length_field_coding: "ENCODE_BY_VARINT",
      }),
      readFraming({
        mode: "lengthField",
        bodyOffset: 2,
        lengthFieldOffset: 1,
        lengthFieldBytes: 1,
        lengthFieldCoding: "varint",
      }),
    );
  });

  it("reads fixed_length, and 0 for the default limit", () => {
    const framing = { mode: "fixedLength", frameBytes: 16, maxFrameBytes: mib2 };
    assert.deepEqual(fromUnpackSetting({ mode: 1, fixed_length: 16, package_max_length: 0 }), framing);
  });

  it("measures the delimiter as strlen does when delimiter_bytes is 0", () => {
    const framing = fromUnpackSetting({ mode: 2, delimiter: [13, 10, 0, 7], delimiter_bytes: 0 });
    assert.deepEqual(framing, readFraming({ mode: "delimiter", delimiter: "\r\n" }));
  });

  it("takes the first delimiter_bytes, zero bytes too", () => {
    const framing = fromUnpackSetting({ mode: 2, delimiter: Buffer.from([0, 1, 2]), delimiter_bytes: 2 });
    assert.deepEqual(framing, readFraming({ mode: "delimiter", delimiter: Buffer.from([0, 1]) }));
  });

  it("knows the codings by number and by name", () => {
    for (const [coding, expected] of [
      [0, "bigEndian"],
      [4321, "bigEndian"],
      ["ENCODE_BY_BIG_ENDIAN", "bigEndian"],
      [1234, "littleEndian"],
      ["ENCODE_BY_LITTLE_ENDIAN", "littleEndian"],
      [17, "varint"],
      [80, "asn1"],
      ["ENCODE_BY_ASN1", "asn1"],
    ] as const) {
      const framing = fromUnpackSetting({ length_field_coding: coding });
      assert.ok(framing.mode === "lengthField");
      assert.equal(framing.lengthFieldCoding, expected);
    }
  });

  it("knows mode 0, and fields left at zero by memset", () => {
    assert.deepEqual(fromUnpackSetting({ mode: 0, fixed_length: 0, delimiter: [], body_offset: 0 }), {
      mode: "none",
    });
  });

  const bad: ReadonlyArray<readonly [setting: unknown, ...words: RegExp[]]> = [
    [{ mode: 4 }, /unpack\.mode/],
    [{ mode: 1 }, /unpack\.fixed_length/, /at least 1/],
    [
      { mode: 1, fixed_length: 10, package_max_length: 9 },
      /fixed_length/,
      /at most unpack\.package_max_length/,
    ],
    [{ mode: 1, fixed_length: 10, body_offset: 5 }, /unpack\.body_offset/, /mode 1/],
    [{ mode: 2 }, /unpack\.delimiter/, /1 to 8/],
    [{ mode: 2, delimiter: [] }, /unpack\.delimiter/],
    [
      { mode: 2, delimiter: "a", delimiter_bytes: 2 },
      /delimiter_bytes/,
      /at most the delimiter's length \(1\)/,
    ],
    [{ mode: 2, delimiter: [256] }, /unpack\.delimiter/],
    [{ mode: 3, delimiter: "\n" }, /unpack\.delimiter/, /mode 3/],
    [{ length_field_bytes: 0 }, /length_field_bytes/],
    [{ length_field_offset: 9 }, /body_offset/, /length_field_offset \+ unpack\.length_field_bytes \(13\)/],
    [{ length_field_coding: 18 }, /length_field_coding/],
    [{ package_max_lenght: 3 }, /did you mean "package_max_length"/],
    [{ bodyOffset: 3 }, /did you mean "body_offset"/],
  ];
  for (const [setting, ...words] of bad) {
    it(`refuses ${JSON.stringify(setting)}`, () => {
      refuses(() => fromUnpackSetting(setting as UnpackSetting), ...words);
    });
  }
});
