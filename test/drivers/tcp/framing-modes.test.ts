import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFramer, type LengthFieldFraming } from "../../../src/drivers/tcp/framing/index.ts";
import { cut, hex, single } from "./framing-support.ts";

const lengthField = (settings: Omit<LengthFieldFraming, "mode">): LengthFieldFraming => ({
  mode: "lengthField",
  ...settings,
});

describe("framing by fixed length", () => {
  it("cuts every n bytes and keeps the rest", () => {
    const stream = Buffer.from([1, 2, 3, 4, 5, 6, 7]);
    const expected = { frames: ["010203", "040506"], reason: undefined, pending: 1 };
    assert.deepEqual(cut({ mode: "fixedLength", frameBytes: 3 }, [stream]), expected);
    assert.deepEqual(cut({ mode: "fixedLength", frameBytes: 3 }, single(stream)), expected);
  });
});

describe("framing by delimiter", () => {
  const lines = { mode: "delimiter", delimiter: "\r\n" } as const;
  const texts = (chunks: string[]): string[] =>
    cut(
      lines,
      chunks.map((chunk) => Buffer.from(chunk)),
    ).frames.map((frame) => Buffer.from(frame, "hex").toString());

  it("delivers the delimiter with the frame, as libhv does", () => {
    assert.deepEqual(texts(["USER a\r\nPASS b\r\nQU"]), ["USER a\r\n", "PASS b\r\n"]);
  });

  it("finds a delimiter that lies across chunks", () => {
    assert.deepEqual(texts(["USER a\r", "\nPASS", " b", "\r\n"]), ["USER a\r\n", "PASS b\r\n"]);
  });

  it("is not misled by the delimiter's first byte at the end of a chunk", () => {
    assert.deepEqual(texts(["a\r", "\r", "b\r", "\n"]), ["a\r\rb\r\n"]);
  });

  it("delivers empty lines as a delimiter alone", () => {
    assert.deepEqual(texts(["\r\n\r\n"]), ["\r\n", "\r\n"]);
  });

  it("does not use a byte for two delimiters", () => {
    const stream = Buffer.from("aXXXXXb");
    const settings = { mode: "delimiter", delimiter: "XX" } as const;
    const expected = ["aXX", "XX"].map((text) => Buffer.from(text).toString("hex"));
    assert.deepEqual(cut(settings, [stream]).frames, expected);
    assert.deepEqual(cut(settings, single(stream)).frames, expected);
  });

  it("takes delimiters of 8 bytes, across as many chunks", () => {
    const stream = Buffer.from("one--------two--------");
    const settings = { mode: "delimiter", delimiter: "--------" } as const;
    assert.equal(cut(settings, single(stream)).frames.length, 2);
  });

  it("allows a frame of exactly the limit and refuses one more, however it comes", () => {
    const settings = { mode: "delimiter", delimiter: "\n", maxFrameBytes: 4 } as const;
    const good = Buffer.from("abc\n");
    const bad = Buffer.from("ok\nabcd\n");
    for (const pieces of [(b: Buffer) => [b], single]) {
      assert.deepEqual(cut(settings, pieces(good)).frames, [good.toString("hex")]);
      const { frames, reason } = cut(settings, pieces(bad));
      assert.deepEqual([frames, reason], [[Buffer.from("ok\n").toString("hex")], "over-limit"]);
    }
  });

  it("refuses as soon as the limit is full without a delimiter, as libhv does", () => {
    const settings = { mode: "delimiter", delimiter: "\n", maxFrameBytes: 4 } as const;
    assert.equal(cut(settings, [Buffer.from("abc")]).reason, undefined);
    assert.equal(cut(settings, [Buffer.from("abcd")]).reason, "over-limit");
    assert.equal(cut(settings, single(Buffer.from("abcd"))).reason, "over-limit");
  });
});

describe("framing by length field", () => {
  it("has libhv's defaults: flags, then 4 bytes of length, high byte first", () => {
    const stream = Buffer.from([9, 0, 0, 0, 2, 0xaa, 0xbb, 8, 0, 0, 0, 0]);
    assert.deepEqual(cut({ mode: "lengthField" }, [stream]).frames, [
      hex(9, 0, 0, 0, 2, 0xaa, 0xbb),
      hex(8, 0, 0, 0, 0),
    ]);
  });

  it("reads little endian", () => {
    const settings = lengthField({
      bodyOffset: 2,
      lengthFieldOffset: 0,
      lengthFieldBytes: 2,
      lengthFieldCoding: "littleEndian",
    });
    const stream = Buffer.concat([Buffer.from([0x01, 0x01]), Buffer.alloc(257, 7)]);
    assert.deepEqual(cut(settings, [stream]), {
      frames: [stream.toString("hex")],
      reason: undefined,
      pending: 0,
    });
  });

  for (const bytes of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`reads a field of ${bytes} bytes, either way round`, () => {
      const big = Buffer.alloc(bytes);
      big[bytes - 1] = 3;
      const little = Buffer.from(big).reverse();
      const base = { bodyOffset: bytes, lengthFieldOffset: 0, lengthFieldBytes: bytes };
      for (const [coding, head] of [
        ["bigEndian", big],
        ["littleEndian", little],
      ] as const) {
        const frame = Buffer.concat([head, Buffer.from("abc")]);
        const settings = lengthField({ ...base, lengthFieldCoding: coding });
        assert.deepEqual(cut(settings, [frame, frame]).frames, Array(2).fill(frame.toString("hex")));
      }
    });
  }

  it("reads a length of 5 bytes and more as what it is: libhv's wrap to 32 bits would make it 3", () => {
    for (const bytes of [5, 8]) {
      const head = Buffer.alloc(bytes);
      head[bytes - 1] = 3;
      head[bytes - 5] = 1; // 2^32 + 3
      const settings = lengthField({ bodyOffset: bytes, lengthFieldOffset: 0, lengthFieldBytes: bytes });
      assert.equal(cut(settings, [head, Buffer.from("abc")]).reason, "over-limit");
    }
  });

  it("reads varints: MQTT's framing, from libhv's own example", () => {
    const mqtt = lengthField({
      bodyOffset: 2,
      lengthFieldOffset: 1,
      lengthFieldBytes: 1,
      lengthFieldCoding: "varint",
    });
    const ping = Buffer.from([0xc0, 0x00]);
    const publish = Buffer.concat([Buffer.from([0x30, 0xac, 0x02]), Buffer.alloc(300, 1)]); // 300 = AC 02
    const stream = Buffer.concat([ping, publish, ping]);
    const expected = [ping, publish, ping].map((frame) => frame.toString("hex"));
    assert.deepEqual(cut(mqtt, [stream]).frames, expected);
    assert.deepEqual(cut(mqtt, single(stream)).frames, expected);
  });

  it("delivers a varint frame shorter than bodyOffset at once", () => {
    const settings = lengthField({ lengthFieldCoding: "varint" }); // 4 bytes of room for the field, 1 used
    assert.deepEqual(cut(settings, [Buffer.from([7, 0])]).frames, [hex(7, 0)]);
  });

  it("refuses a varint that does not end within 10 bytes", () => {
    const settings = lengthField({ lengthFieldCoding: "varint" });
    assert.equal(cut(settings, [Buffer.alloc(11, 0xff)]).reason, "invalid-length");
    assert.equal(cut(settings, [Buffer.alloc(10, 0xff)]).reason, undefined); // a byte of flags, 9 of the varint
  });

  const ber = lengthField({
    bodyOffset: 2,
    lengthFieldOffset: 1,
    lengthFieldBytes: 1,
    lengthFieldCoding: "asn1",
  });
  for (const [bytes, head] of [
    [0, [0x30, 0x00]],
    [127, [0x30, 0x7f]],
    [128, [0x30, 0x81, 0x80]],
    [256, [0x30, 0x82, 0x01, 0x00]],
    [5, [0x30, 0x84, 0x00, 0x00, 0x00, 0x05]],
    [65_536, [0x30, 0x83, 0x01, 0x00, 0x00]],
  ] as const) {
    it(`reads an ASN.1 length of ${bytes} written in ${head.length - 1} bytes`, () => {
      const frame = Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, 5)]);
      const stream = Buffer.concat([frame, frame]);
      assert.deepEqual(cut(ber, [stream]).frames, [frame.toString("hex"), frame.toString("hex")]);
      assert.deepEqual(cut(ber, single(stream)).frames, [frame.toString("hex"), frame.toString("hex")]);
    });
  }

  it("refuses ASN.1's indefinite length, and lengths of 127 bytes", () => {
    assert.equal(cut(ber, [Buffer.from([0x30, 0x80])]).reason, "invalid-length");
    assert.equal(cut(ber, [Buffer.alloc(200, 0xff)]).reason, "over-limit");
  });

  it("reads varints beyond 32 bits as what they are", () => {
    const settings = lengthField({ lengthFieldCoding: "varint" });
    assert.equal(cut(settings, [Buffer.from([0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])]).reason, "over-limit"); // 2^35
  });

  it("refuses a head that alone fills the limit", () => {
    const settings = { ...ber, maxFrameBytes: 5 };
    assert.equal(cut(settings, [Buffer.from([0x30, 0xff, 0, 0])]).reason, undefined);
    assert.equal(cut(settings, single(Buffer.from([0x30, 0xff, 0, 0, 0]))).reason, "over-limit");
  });

  it("adjusts: a field that counts the head too", () => {
    const settings = lengthField({
      bodyOffset: 4,
      lengthFieldOffset: 0,
      lengthFieldBytes: 4,
      lengthAdjustment: -4,
    });
    assert.deepEqual(cut(settings, [Buffer.from([0, 0, 0, 6, 1, 2])]).frames, ["000000060102"]);
    assert.deepEqual(cut(settings, [Buffer.from([0, 0, 0, 4])]).frames, ["00000004"]);
    assert.equal(cut(settings, [Buffer.from([0, 0, 0, 3])]).reason, "invalid-length");
    assert.equal(cut(settings, [Buffer.from([0, 0, 0, 0])]).reason, "invalid-length");
  });

  it("adjusts upwards: a field that does not count a trailer", () => {
    const settings = lengthField({
      bodyOffset: 1,
      lengthFieldOffset: 0,
      lengthFieldBytes: 1,
      lengthAdjustment: 2,
    });
    assert.deepEqual(cut(settings, single(Buffer.from([1, 7, 8, 9, 0, 5, 5]))).frames, [
      "01070809",
      "000505",
    ]);
  });

  it("refuses a frame over 2 MiB from its head alone, after delivering what came before", () => {
    const stream = Buffer.from([1, 0, 0, 0, 0, 1, 0, 0x1f, 0xff, 0xfc]); // 5 + 2,097,148 = 2 MiB + 1
    const { frames, reason, pending } = cut({ mode: "lengthField" }, [stream]);
    assert.deepEqual([frames, reason, pending], [["0100000000"], "over-limit", 0]);
    stream[9] = 0xfb; // exactly 2 MiB
    assert.deepEqual(cut({ mode: "lengthField" }, [stream]).reason, undefined);
  });
});

describe("a framer", () => {
  it("shares the memory of frames that came whole, and copies the others once", () => {
    const framer = createFramer({ mode: "fixedLength", frameBytes: 4 });
    const frames: Buffer[] = [];
    const chunk = Buffer.from([1, 2, 3, 4, 5, 6]);
    framer.push(chunk, (frame) => frames.push(frame));
    assert.equal(frames[0]?.buffer, chunk.buffer);
    assert.equal(frames[0]?.byteOffset, chunk.byteOffset);
    assert.equal(framer.copiedBytes, 2);
    framer.push(Buffer.from([7, 8]), (frame) => frames.push(frame));
    assert.deepEqual(frames[1], Buffer.from([5, 6, 7, 8]));
    assert.equal(framer.copiedBytes, 4);
  });

  it("does not keep a caller's chunk that is reused", () => {
    const framer = createFramer({ mode: "fixedLength", frameBytes: 4 });
    const frames: string[] = [];
    const reused = Buffer.from([1, 2, 3]);
    framer.push(reused, () => assert.fail("too early"));
    reused.fill(0);
    framer.push(Buffer.from([4]), (frame) => frames.push(frame.toString("hex")));
    assert.deepEqual(frames, ["01020304"]);
  });

  it("takes a plain Uint8Array, also a view into a larger buffer", () => {
    const view = new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4);
    assert.deepEqual(cut({ mode: "fixedLength", frameBytes: 2 }, [view]).frames, ["0102"]);
  });

  it("repeats its error for every later push", () => {
    const framer = createFramer({ mode: "delimiter", delimiter: "\n", maxFrameBytes: 2 });
    const first = thrown(() => framer.push(Buffer.from("abc"), () => {}));
    const second = thrown(() => framer.push(Buffer.from("\n"), () => assert.fail("a frame after the error")));
    assert.equal(first, second);
  });

  it("is of no use after its receiver threw, and says so", () => {
    const framer = createFramer({ mode: "none" });
    const boom = new Error("boom");
    const push = (deliver: () => void) => thrown(() => framer.push(Buffer.from("a"), deliver));
    assert.equal(
      push(() => {
        throw boom;
      }),
      boom,
    );
    assert.match(String(push(() => {})), /out of step/);
  });

  it("is of no use after its receiver pushed into it, and says so", () => {
    const framer = createFramer({ mode: "fixedLength", frameBytes: 2 });
    const inner: unknown[] = [];
    const outer = thrown(() =>
      framer.push(Buffer.from("abcd"), () => {
        inner.push(thrown(() => framer.push(Buffer.from("xy"), () => assert.fail("out of order"))));
      }),
    );
    assert.match(String(outer), /out of step/);
    assert.deepEqual(inner, [outer, outer]);
  });

  it("lets chunks through without framing", () => {
    const chunks = [Buffer.from("a"), Buffer.alloc(0), Buffer.from("bc")];
    assert.deepEqual(cut({ mode: "none" }, chunks).frames, ["61", "6263"]);
  });
});

function thrown(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}
