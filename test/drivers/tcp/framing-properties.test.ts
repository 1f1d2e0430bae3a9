import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SizedCutter } from "../../../src/drivers/tcp/framing/cutter.ts";
import {
  createFramer,
  type FramingSettings,
  type LengthCoding,
} from "../../../src/drivers/tcp/framing/index.ts";
import { measureLengthField } from "../../../src/drivers/tcp/framing/measure.ts";
import { readFraming } from "../../../src/drivers/tcp/framing/settings.ts";
import { chunked, chunking, cut, single } from "./framing-support.ts";

/** Settings and frames that obey them, made by an encoder of its own. */
interface Example {
  readonly settings: FramingSettings;
  readonly frames: readonly Buffer[];
}

const body: fc.Arbitrary<Buffer> = fc
  .oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 120, maxLength: 400 }))
  .map((bytes) => Buffer.from(bytes));

const fixed: fc.Arbitrary<Example> = fc.integer({ min: 1, max: 20 }).chain((frameBytes) =>
  fc
    .array(fc.uint8Array({ minLength: frameBytes, maxLength: frameBytes }), { maxLength: 20 })
    .map((frames) => ({
      settings: { mode: "fixedLength", frameBytes },
      frames: frames.map((f) => Buffer.from(f)),
    })),
);

// Few different bytes, so that parts of the delimiter are everywhere in the frames.
const fewBytes = (min: number, max: number): fc.Arbitrary<Buffer> =>
  fc.array(fc.constantFrom(1, 2, 3), { minLength: min, maxLength: max }).map((bytes) => Buffer.from(bytes));

const delimited: fc.Arbitrary<Example> = fc
  .record({ delimiter: fewBytes(1, 8), contents: fc.array(fewBytes(0, 30), { maxLength: 20 }) })
  .map(({ delimiter, contents }) => ({
    settings: { mode: "delimiter", delimiter },
    frames: contents
      .map((content) => Buffer.concat([content, delimiter]))
      .filter((frame) => frame.indexOf(delimiter) === frame.length - delimiter.length),
  }));

function encodeLength(value: number, coding: LengthCoding, width: number): Buffer {
  let rest = BigInt(value);
  if (coding === "varint") {
    const bytes: number[] = [];
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return Buffer.from([...bytes, Number(rest)]);
  }
  if (coding === "asn1" && value < 128) return Buffer.from([value]);
  const bytes: number[] = [];
  const count = coding === "asn1" ? 2 : width;
  for (let i = 0; i < count; i++, rest >>= 8n) bytes.push(Number(rest & 255n));
  if (coding === "littleEndian") return Buffer.from(bytes);
  const big = Buffer.from(bytes.reverse());
  return coding === "asn1" ? Buffer.concat([Buffer.from([0x80 + count]), big]) : big;
}

const lengthField: fc.Arbitrary<Example> = fc
  .record({
    coding: fc.constantFrom<LengthCoding>("bigEndian", "littleEndian", "varint", "asn1"),
    width: fc.integer({ min: 2, max: 8 }),
    before: fc.uint8Array({ maxLength: 6 }),
    after: fc.uint8Array({ maxLength: 6 }),
    lengthAdjustment: fc.integer({ min: -20, max: 20 }),
    bodies: fc.array(body, { maxLength: 20 }),
  })
  .map(({ coding, width, before, after, lengthAdjustment, bodies }) => ({
    settings: {
      mode: "lengthField",
      lengthFieldOffset: before.length,
      lengthFieldBytes: width,
      bodyOffset: before.length + width + after.length,
      lengthAdjustment,
      lengthFieldCoding: coding,
    },
    frames: bodies
      .filter((content) => content.length - lengthAdjustment >= 0)
      .map((content) =>
        Buffer.concat([
          before,
          encodeLength(content.length - lengthAdjustment, coding, width),
          after,
          content,
        ]),
      ),
  }));

const examples = fc.oneof(fixed, delimited, lengthField);

/** Any settings at all, with small limits so that random bytes break them in every way. */
const anySettings: fc.Arbitrary<FramingSettings> = fc.oneof(
  fc.record({ mode: fc.constant("fixedLength" as const), frameBytes: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    mode: fc.constant("delimiter" as const),
    delimiter: fewBytes(1, 3),
    maxFrameBytes: fc.integer({ min: 3, max: 64 }),
  }),
  fc
    .record({
      offset: fc.nat(5),
      width: fc.integer({ min: 1, max: 8 }),
      extra: fc.nat(5),
      lengthAdjustment: fc.integer({ min: -40, max: 40 }),
      lengthFieldCoding: fc.constantFrom<LengthCoding>("bigEndian", "littleEndian", "varint", "asn1"),
      room: fc.nat(300),
    })
    .map(({ offset, width, extra, room, ...rest }) => ({
      mode: "lengthField" as const,
      lengthFieldOffset: offset,
      lengthFieldBytes: width,
      bodyOffset: offset + width + extra,
      maxFrameBytes: offset + width + extra + room,
      ...rest,
    })),
);

// Small values often: lengths that are possible, parts of delimiters.
const noise: fc.Arbitrary<Buffer> = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(255) }), {
    maxLength: 600,
  })
  .map((bytes) => Buffer.from(bytes));

describe("framing, for all streams", () => {
  it("gives back the frames that went in, however they are chunked", () => {
    fc.assert(
      fc.property(examples, chunking, ({ settings, frames }, marks) => {
        const expected = {
          frames: frames.map((frame) => frame.toString("hex")),
          reason: undefined,
          pending: 0,
        };
        const stream = Buffer.concat(frames);
        assert.deepEqual(cut(settings, chunked(stream, marks)), expected);
        assert.deepEqual(cut(settings, single(stream)), expected);
      }),
      { numRuns: 500 },
    );
  });

  it("throws nothing but HF_PROTOCOL on noise, and the chunking changes neither frames nor verdict", () => {
    let refused = 0;
    fc.assert(
      fc.property(anySettings, noise, chunking, (settings, stream, marks) => {
        const whole = cut(settings, [stream]);
        assert.deepEqual(cut(settings, chunked(stream, marks)), whole);
        assert.deepEqual(cut(settings, single(stream)), whole);
        if (whole.reason !== undefined) refused += 1;
        else assert.equal(Buffer.byteLength(whole.frames.join(""), "hex") + whole.pending, stream.length);
      }),
      { numRuns: 1_000 },
    );
    assert.ok(refused > 50, `only ${refused} of the streams were refused: the noise is too tame`);
  });

  it("never holds or delivers more than the limit", () => {
    fc.assert(
      fc.property(anySettings, noise, chunking, (settings, stream, marks) => {
        const framing = readFraming(settings);
        const limit = framing.mode === "none" ? Infinity : framing.maxFrameBytes;
        const framer = createFramer(settings);
        try {
          for (const chunk of chunked(stream, marks)) {
            framer.push(chunk, (frame) => assert.ok(frame.length >= 1 && frame.length <= limit));
            assert.ok(framer.pending <= limit);
          }
        } catch (error) {
          assert.equal((error as { code?: string }).code, "HF_PROTOCOL");
          assert.equal(framer.pending, 0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("framing costs", () => {
  const total = 1024 * 1024;
  const dash = Buffer.from("-");

  /** Bytes copied, and bytes searched, while 1 MiB comes in one byte at a time. */
  function costOfSingleBytes(settings: FramingSettings, head: Buffer): { copied: number; searched: number } {
    const framer = createFramer(settings);
    const indexOf = Buffer.prototype.indexOf;
    let searched = 0;
    Buffer.prototype.indexOf = function (this: Buffer, ...args: Parameters<Buffer["indexOf"]>) {
      searched += this.length - Number(args[1] ?? 0);
      return indexOf.apply(this, args);
    } as Buffer["indexOf"];
    try {
      const fail = (): void => assert.fail("the frame is not complete");
      for (const chunk of single(head)) framer.push(chunk, fail);
      for (let i = head.length; i < total - 1; i++) framer.push(dash, fail);
      let frames = 0;
      framer.push(Buffer.from("\n"), (frame) => {
        frames += 1;
        assert.equal(frame.length, total);
      });
      assert.equal(frames, 1);
    } finally {
      Buffer.prototype.indexOf = indexOf;
    }
    return { copied: framer.copiedBytes, searched };
  }

  it("copies each byte a constant number of times when 1 MiB comes byte by byte", () => {
    const head = Buffer.from([0, 0, 0x0f, 0xff, 0xfb]); // 5 + 1,048,571 = 1 MiB
    const { copied } = costOfSingleBytes({ mode: "lengthField" }, head);
    assert.ok(copied >= total && copied <= 3 * total, `${copied} bytes copied`);
    const fixedCost = costOfSingleBytes({ mode: "fixedLength", frameBytes: total }, Buffer.alloc(0));
    assert.ok(fixedCost.copied <= 3 * total, `${fixedCost.copied} bytes copied`);
  });

  it("searches each byte a constant number of times for an 8-byte delimiter", () => {
    const delimiter = Buffer.from("-------\n"); // every byte before its last may be the beginning of it
    const { copied, searched } = costOfSingleBytes({ mode: "delimiter", delimiter }, Buffer.alloc(0));
    assert.ok(copied <= 3 * total, `${copied} bytes copied`);
    assert.ok(searched > 0 && searched <= 2 * delimiter.length * total, `${searched} bytes searched`);
  });

  it("looks at a head of 60,000 bytes once, not once for each byte of it", () => {
    const framing = readFraming({ mode: "lengthField", bodyOffset: 60_004, lengthFieldOffset: 60_000 });
    assert.ok(framing.mode === "lengthField");
    const measure = measureLengthField(framing);
    let looks = 0;
    const counted = {
      headBytes: measure.headBytes,
      frameBytes(bytes: Uint8Array, start: number, end: number): number | undefined {
        looks += 1;
        return measure.frameBytes(bytes, start, end);
      },
    };
    const cutter = new SizedCutter(counted, framing.maxFrameBytes);
    const frames: Buffer[] = [];
    for (let i = 0; i < 60_004; i++) cutter.cut(Buffer.alloc(1), (frame) => frames.push(frame));
    assert.equal(frames.length, 1);
    assert.ok(looks <= 60_004, `${looks} looks`);
    assert.ok(cutter.pending.copiedBytes <= 3 * 60_004);
  });

  it("does not reserve what a peer merely announces", () => {
    const before = process.memoryUsage().arrayBuffers;
    const framers = Array.from({ length: 200 }, () => createFramer({ mode: "lengthField" }));
    for (const each of framers) each.push(Buffer.from([0, 0, 0x1f, 0xff, 0xfb]), () => assert.fail());
    const grownBy = process.memoryUsage().arrayBuffers - before;
    assert.ok(grownBy < 4 * 1024 * 1024, `${grownBy} bytes for 200 announcements of 2 MiB`);
    for (const each of framers) assert.equal(each.pending, 5);
  });
});
