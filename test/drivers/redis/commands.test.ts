import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { serverFlags } from "../../../src/drivers/redis/commands/generated.ts";
import { describeCommand, type RedisArgument } from "../../../src/drivers/redis/commands/index.ts";
import { overrides } from "../../../src/drivers/redis/commands/overrides.ts";

const names = (text: string): string[] => text.trim().split(/\s+/);
const serverNames = Object.values(serverFlags).flatMap(names);

/** `"SET k v EX 5"` as a command. */
const says = (line: string): string => {
  const { effect, kind } = describeCommand(line.split(" "));
  return `${effect} ${kind}`;
};

test("every command and subcommand of the server is known, in upper and lower case", () => {
  assert.ok(serverNames.length > 350, String(serverNames.length));
  for (const name of serverNames) {
    const words = name.split("|");
    const lower = describeCommand([...words]);
    assert.equal(lower.name, words.join(" ").toUpperCase());
    const upper = words.map((word) => word.toUpperCase());
    assert.deepEqual({ ...describeCommand(upper), bytes: 0 }, { ...lower, bytes: 0 });
  }
});

test("an override names a command once, and one the server knows unless it is newer", () => {
  const newer = ["client|setinfo", "client|no-touch", "cluster|myshardid", "waitaof"];
  const newerHashes = ["httl", "hpttl", "hexpiretime", "hpexpiretime"];
  const known = new Set([...serverNames, ...newer, ...newerHashes]);
  const seen = new Set<string>();
  for (const override of overrides) {
    assert.ok(override.reason.length > 20, override.commands);
    for (const name of names(override.commands)) {
      assert.ok(known.has(name), `${name} is no command`);
      assert.ok(!seen.has(name), `${name} is overridden twice`);
      seen.add(name);
    }
  }
});

test("no write command is a read, and no write is idempotent without an override that says why", () => {
  const overridden = new Set(overrides.flatMap((override) => names(override.commands)));
  // Reads unless STORE is among their arguments; the rows below say so.
  const readUnlessStored = ["sort", "georadius", "georadiusbymember"];
  for (const [flags, list] of Object.entries(serverFlags)) {
    if (!flags.includes("write")) continue;
    for (const name of names(list)) {
      if (readUnlessStored.includes(name)) continue;
      const { effect } = describeCommand([...name.split("|"), "x", "x", "x", "x", "x"]);
      if (!overridden.has(name)) assert.equal(effect, "once", name);
      assert.notEqual(effect, "read", name);
    }
  }
});

const rows: readonly (readonly [lines: string, says: string])[] = [
  [
    "GET k|MGET a b|EXISTS k|TTL k|SCAN 0|HGETALL h|XLEN s|EVAL_RO x 0|PING|INFO|TIME|CONFIG GET x",
    "read unary",
  ],
  [
    "SET k v|SET k v EX 5|SET k v PXAT 5 KEEPTTL|set k v ex 5|MSET a 1|SETEX k 1 v|SETRANGE k 0 v",
    "idempotent unary",
  ],
  [
    "SET k v NX|SET k v XX|SET k v GET|SET k v EX 5 NX|SET k v nx|SET k v IFEQ x|SET k v NX EX 5",
    "once unary",
  ],
  [
    "INCR k|APPEND k v|LPUSH k v|DEL k|UNLINK k|SADD s a|HSET h f v|ZADD z 1 a|EXPIRE k 5|PERSIST k",
    "once unary",
  ],
  [
    "GETSET k v|GETDEL k|GETEX k|SETNX k v|RENAME a b|LSET k 0 v|LTRIM k 0 9|SETBIT k 1 1|FLUSHALL",
    "once unary",
  ],
  ["PUBLISH c m|SPUBLISH c m|EVAL s 0|EVALSHA s 0|FCALL f 0|XADD s * f v|XACK s g 1|SPOP s", "once unary"],
  [
    "ZUNIONSTORE d 1 a|BITOP AND d a|ZRANGESTORE d a 0 1|SORT k STORE d|GEORADIUS k 1 1 1 m STORE d",
    "once unary",
  ],
  ["SORT k|SORT k DESC|GEORADIUS k 1 1 1 m|BITFIELD k GET u8 0 get u8 8", "read unary"],
  ["BITFIELD k GET u8 0 SET u8 0 1|BITFIELD k OVERFLOW FAIL INCRBY u8 0 1", "once unary"],
  [
    "COPY a b REPLACE|RESTORE k 0 x REPLACE|FUNCTION LOAD REPLACE code|SUNIONSTORE d a|SCRIPT LOAD x",
    "idempotent unary",
  ],
  ["COPY a b|RESTORE k 0 x|FUNCTION LOAD code|FUNCTION DELETE l|SCRIPT FLUSH|CONFIG RESETSTAT", "once unary"],
  [
    "SELECT 1|AUTH p|HELLO 3|CLIENT SETNAME x|client setinfo LIB-NAME x|SUBSCRIBE c|PUNSUBSCRIBE",
    "idempotent session",
  ],
  ["CLIENT REPLY OFF|MONITOR|RESET|QUIT|CLIENT CACHING YES", "once session"],
  ["MULTI|EXEC|DISCARD|WATCH k|UNWATCH|ASKING|WAIT 1 0|WAITAOF 1 0 0", "once pinned"],
  ["BLPOP k 0|BRPOP k 1|BLMOVE a b LEFT LEFT 0|BZPOPMIN z 0|BLMPOP 0 1 k LEFT", "once blocking"],
  ["XREAD BLOCK 0 STREAMS s $|XREAD COUNT 1 block 5 STREAMS s 0", "read blocking"],
  ["XREAD STREAMS s 0|XREAD COUNT 1 STREAMS BLOCK 0", "read unary"],
  ["XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "once blocking"],
  ["XREADGROUP GROUP g c STREAMS s >", "once unary"],
  [
    "NOSUCH|JSON.SET k . 1|CONFIG NOSUCH|CLUSTER|XGROUP|SHUTDOWN|DEBUG SLEEP 1|constructor|__proto__",
    "once unary",
  ],
];

test("what repeating does, and which kind it is", () => {
  for (const [lines, expected] of rows)
    for (const line of lines.split("|")) assert.equal(says(line), expected, line);
});

test("how long a command may block: seconds or milliseconds, first or last argument, 0 for ever", () => {
  const blockingMs = (line: string): number | undefined => describeCommand(line.split(" ")).blockingMs;
  assert.equal(blockingMs("BLPOP a b 2.5"), 2_500);
  assert.equal(blockingMs("BLPOP a 0"), Infinity);
  assert.equal(blockingMs("BLMOVE a b LEFT RIGHT 3"), 3_000);
  assert.equal(blockingMs("BLMPOP 4 2 a b LEFT"), 4_000);
  assert.equal(blockingMs("BZMPOP 0 1 z MIN"), Infinity);
  assert.equal(blockingMs("XREAD COUNT 2 BLOCK 150 STREAMS s 0"), 150);
  assert.equal(blockingMs("XREAD BLOCK 0 STREAMS s 0"), Infinity);
  assert.equal(blockingMs("XREAD STREAMS s 0"), undefined);
  assert.equal(blockingMs("WAIT 1 500"), 500);
  assert.equal(blockingMs("BLPOP a nonsense"), Infinity);
  assert.equal(blockingMs("GET a"), undefined);
  assert.equal(describeCommand(["BLPOP", "a", Buffer.from("7")]).blockingMs, 7_000);
});

/** A second, plain encoder: the size is the size of what is really written. */
function encode(args: readonly RedisArgument[]): Buffer {
  const parts = [Buffer.from(`*${args.length}\r\n`)];
  for (const argument of args) {
    const bytes = Buffer.from(argument as string);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

test("bytes is the exact size on the wire", () => {
  const argument = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(
      "x".repeat(99),
      "x".repeat(100),
      "x".repeat(1_000),
      "é".repeat(999),
      Buffer.alloc(10_000),
    ),
  );
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 120 }), (args) => {
      assert.equal(describeCommand(args).bytes, encode(args).length);
    }),
    { numRuns: 300 },
  );
});

test("case, and strings or Buffers, make no difference", () => {
  const line = fc.constantFrom(...rows.flatMap(([lines]) => lines.split("|")));
  fc.assert(
    fc.property(line, fc.func(fc.constantFrom("upper", "lower", "buffer")), (text, form) => {
      const args = text.split(" ");
      const other = args.map((word, i) => {
        const wanted = form(i, word);
        // Keys and values are kept: only words are known to be free of case.
        if (wanted === "buffer") return Buffer.from(word);
        return wanted === "upper" && i === 0 ? word.toUpperCase() : i === 0 ? word.toLowerCase() : word;
      });
      assert.deepEqual(describeCommand(other), describeCommand(args));
    }),
  );
});

test("any input is described, and what is not understood is never sent twice", () => {
  const anything = fc.array(
    fc.oneof(
      fc.string(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    ),
  );
  fc.assert(
    fc.property(anything, (args) => {
      const { effect, name } = describeCommand(args);
      if (name === "unknown command") assert.equal(effect, "once");
    }),
  );
  assert.equal(describeCommand([]).effect, "once");
  assert.equal(describeCommand(["x".repeat(1e6)]).name, "unknown command");
});
