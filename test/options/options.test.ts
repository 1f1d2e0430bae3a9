import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type HoldfastError, isHoldfastError } from "../../src/call/index.ts";
import * as o from "../../src/options/index.ts";

const go: ReadonlyArray<readonly [string, number | undefined]> = [
  ["1h2m3.5s", 3_723_500],
  ["100ms", 100],
  ["6s", 6_000],
  ["1h30m", 5_400_000],
  ["-1.5h", -5_400_000],
  ["+5s", 5_000],
  [".5s", 500],
  ["1.s", 1_000],
  ["1500µs", 1.5],
  ["1500μs", 1.5],
  ["250us", 0.25],
  ["0", 0],
  ["-0", 0],
  ["", undefined],
  ["3", undefined],
  [".s", undefined],
  ["s", undefined],
  ["1 s", undefined],
  [" 1s", undefined],
  ["1d", undefined],
  ["1S", undefined],
  ["1.5.5s", undefined],
  ["1s-1s", undefined],
  ["1e3s", undefined],
  ["9999999999h", undefined],
];

test("Go durations: strict, in milliseconds", () => {
  for (const [text, ms] of go) assert.equal(o.parseGoDuration(text), ms, text);
});

test("a bare number means what the caller says it means", () => {
  assert.equal(o.parseGoDuration("3", "s"), 3_000);
  assert.equal(o.parseGoDuration("3", "ms"), 3);
  assert.equal(o.parseGoDuration("-3", "s"), -3_000);
  assert.equal(o.parseGoDuration("3.5", "s"), undefined);
  assert.equal(o.parseGoDuration(`1${"0".repeat(400)}`, "s"), undefined);
});

test("HOCON durations: one number, one unit, spaces allowed", () => {
  assert.equal(o.parseHoconDuration("1 second"), 1_000);
  assert.equal(o.parseHoconDuration("60 seconds"), 60_000);
  assert.equal(o.parseHoconDuration("500ms"), 500);
  assert.equal(o.parseHoconDuration(" 0.5 m "), 30_000);
  assert.equal(o.parseHoconDuration("2 days"), 172_800_000);
  assert.equal(o.parseHoconDuration("7"), 7);
  assert.equal(o.parseHoconDuration("7", "s"), 7_000);
  assert.equal(o.parseHoconDuration("7", "refused"), undefined);
  assert.equal(o.parseHoconDuration("1 Second"), undefined);
  assert.equal(o.parseHoconDuration("1m30s"), undefined);
  assert.equal(o.parseHoconDuration("one second"), undefined);
});

test("whatever Go duration is written from whole parts is read back", () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(59), fc.nat(59), fc.nat(999), (h, m, s, ms) => {
      const text = `${h}h${m}m${s}s${ms}ms`;
      return o.parseGoDuration(text) === h * 3_600_000 + m * 60_000 + s * 1_000 + ms;
    }),
  );
});

test("durations for messages", () => {
  assert.equal(o.formatDuration(0), "0 ms");
  assert.equal(o.formatDuration(250), "250 ms");
  assert.equal(o.formatDuration(1_500), "1.5 s");
  assert.equal(o.formatDuration(120_000), "2 min");
  assert.equal(o.formatDuration(5_400_000), "1.5 h");
});

test("did you mean: near words are suggested, far ones are not", () => {
  const known = ["dial_timeout", "read_timeout", "max_retries", "db"];
  assert.equal(o.suggest("dial_timout", known), "dial_timeout");
  assert.equal(o.suggest("dialTimeout", known), "dial_timeout");
  assert.equal(o.suggest("raed_timeout", known), "read_timeout");
  assert.equal(o.suggest("max-retrys", known), "max_retries");
  assert.equal(o.suggest("bd", known), "db");
  assert.equal(o.suggest("zzzzzz", known), undefined);
  assert.equal(o.suggest("x".repeat(100_000), known), undefined);
});

test("the edit distance is symmetric, zero only for equals, and never more than the longer word", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = o.editDistance(a, b);
      assert.equal(distance, o.editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance <= Math.max(a.length, b.length));
    }),
  );
});

function refusal(run: () => unknown): HoldfastError {
  try {
    run();
  } catch (error) {
    assert.ok(isHoldfastError(error), String(error));
    assert.equal(error.code, "HF_OPTION");
    return error;
  }
  assert.fail("nothing was thrown");
}

const dial = o.object({
  host: o.string(),
  port: o.optional(o.integer({ min: 1, max: 65_535 })),
  tls: o.withDefault(o.boolean(), false),
  mode: o.optional(o.oneOf(["reject", "wait"])),
  timeoutMs: o.optional(o.duration({ min: 50, max: 60_000 })),
  password: o.optional(o.string()),
  nested: o.optional(o.object({ share: o.number({ min: 0, max: 1 }) })),
});

test("an object check returns typed values, with defaults, and leaves absent keys out", () => {
  const read: { readonly host: string; readonly port?: number; readonly tls: boolean } = dial.read(
    { host: "a", timeoutMs: "1.5s" },
    "",
  );
  assert.deepEqual(read, { host: "a", tls: false, timeoutMs: 1_500 });
});

test("errors name key, value and what is allowed", () => {
  const cases: ReadonlyArray<readonly [unknown, string]> = [
    [{ host: "a", port: 0 }, 'option "socket.port" is 0, but must be a whole number from 1 to 65535'],
    [{ host: "a", port: 1.5 }, 'option "socket.port" is 1.5, but must be a whole number from 1 to 65535'],
    [{ host: "a", port: "80" }, 'option "socket.port" is "80", but must be a whole number from 1 to 65535'],
    [{}, 'option "socket.host" is undefined, but must be a string that is not empty'],
    [{ host: "a", tls: 1 }, 'option "socket.tls" is 1, but must be true or false'],
    [
      { host: "a", mode: "rejct" },
      'option "socket.mode" is "rejct", but must be one of "reject", "wait"; did you mean "reject"?',
    ],
    [
      { host: "a", timeoutMs: "3" },
      'option "socket.timeoutMs" is "3", but must be milliseconds as a number, or a duration like "1m30s" or "250ms" from 50 ms to 1 min',
    ],
    [
      { host: "a", nested: { share: NaN } },
      'option "socket.nested.share" is NaN, but must be a number from 0 to 1',
    ],
    [
      { host: "a", prot: 1 },
      'unknown option "socket.prot"; did you mean "port"? (known: host, port, tls, mode, timeoutMs, password, nested)',
    ],
  ];
  for (const [value, message] of cases)
    assert.equal(refusal(() => dial.read(value, "socket")).message, message);
});

test("secrets are never shown, by key, by URL user part, or inside a larger value", () => {
  assert.match(refusal(() => dial.read({ host: "a", password: 123 }, "")).message, /"password" is \*\*\*/);
  for (const value of [
    "redis://bob:hunter2@h/0",
    "redis://bob:hunter2@x/y?hunter2@h/0",
    "bob:hunter2@tcp(h:1)/db",
    { password: "hunter2" },
    { a: [{ apiToken: "hunter2" }] },
    "host=h;Password=hunter2;x=1",
  ]) {
    const shown = refusal(() => o.integer().read(value, "url")).message;
    assert.doesNotMatch(shown, /hunter2/);
  }
});

test("values that can't be printed are still refused with a proper error", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const huge = `bob:${"hunter2".repeat(200_000)}@h`;
  assert.match(refusal(() => o.boolean().read(huge, "x")).message, /"x" is a text of \d+ characters, but/);
  for (const value of [cyclic, 1n, Symbol("x"), () => 1, new Uint8Array(3), "y".repeat(10_000)]) {
    assert.ok(refusal(() => o.boolean().read(value, "x")).message.length < 200);
  }
  fc.assert(
    fc.property(
      fc.anything(),
      (value) => void (value === true || value === false || refusal(() => o.boolean().read(value, "x"))),
    ),
  );
});

test("inherited keys are not options, and prototype names are unknown keys", () => {
  assert.match(refusal(() => dial.read(Object.create({ host: "a" }), "")).message, /"host" is undefined/);
  assert.match(
    refusal(() => dial.read(JSON.parse('{"host":"a","__proto__":1}'), "")).message,
    /unknown option/,
  );
});

test("lists and alternatives", () => {
  const check = o.listOf(o.either(o.string(), o.integer({ min: 0 })), 1);
  assert.deepEqual(check.read(["a", 1], "x"), ["a", 1]);
  assert.match(refusal(() => check.read([], "x")).message, /a list of at least 1/);
  assert.match(refusal(() => check.read(["a", -1], "x")).message, /"x\[1\]" is -1/);
});
