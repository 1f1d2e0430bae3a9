/** The command table against a real server: what it calls a read or idempotent is one. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createClient } from "redis";
import { serverFlags } from "../../../src/drivers/redis/commands/generated.ts";
import { describeCommand } from "../../../src/drivers/redis/commands/index.ts";
import { withRedis } from "../../support/servers.ts";

type Send = (line: string) => Promise<unknown>;

async function connected(t: TestContext): Promise<{ send: Send; version: string } | undefined> {
  const server = await withRedis(t, { config: { "enable-debug-command": "yes" } });
  if (server === undefined) return undefined;
  const client = createClient({ url: server.url, RESP: 2 });
  client.on("error", () => {}); // the end of the server after the test
  await client.connect();
  t.after(() => client.destroy());
  return { send: (line) => client.sendCommand(line.split(" ")), version: server.version };
}

/** A row of COMMAND: name, arity, flags, …, subcommands. */
type Row = [string, number, string[], ...unknown[]];

function flatten(rows: readonly Row[]): Map<string, readonly string[]> {
  const flags = new Map<string, readonly string[]>();
  for (const row of rows) {
    flags.set(row[0], row[2]);
    for (const [name, subFlags] of flatten((row[9] ?? []) as Row[])) flags.set(name, subFlags);
  }
  return flags;
}

test("the generated flags are those of the server they were generated from", async (t) => {
  const redis = await connected(t);
  if (redis === undefined) return;
  if (!redis.version.startsWith("7.0."))
    return t.skip(`generated from 7.0, and this server is ${redis.version}`);
  const kept = ["readonly", "write", "blocking", "pubsub"];
  const server = [...flatten((await redis.send("COMMAND")) as Row[])]
    .map(([name, flags]) => `${name}: ${kept.filter((flag) => flags.includes(flag)).join(" ") || "none"}`)
    .sort();
  const table = Object.entries(serverFlags)
    .flatMap(([flags, names]) =>
      names
        .trim()
        .split(/\s+/)
        .map((name) => `${name}: ${flags}`),
    )
    .sort();
  assert.deepEqual(table, server);
});

const keyspace = `
  MSET str hello num 5 bits abc|RPUSH list a b c|SADD set a b|SADD set2 b c|HSET hash f 1 g 2|ZADD zset 1 a 2 b|
  ZADD zset2 2 b|XADD stream 1-1 f v|XGROUP CREATE stream group 0|PFADD hll a b|PFADD hll2 c|GEOADD geo 1 1 here 2 2 there|
  EVAL return(1) 0`;

const reads = `
  PING|ECHO x|ROLE|DBSIZE|GET str|MGET str num|GETRANGE str 0 1|SUBSTR str 0 1|STRLEN str|EXISTS str no|TTL str|PTTL str|
  EXPIRETIME str|PEXPIRETIME str|TYPE str|KEYS *|SCAN 0|RANDOMKEY|OBJECT ENCODING str|OBJECT REFCOUNT str|DUMP str|
  TOUCH str no|GETBIT bits 1|BITCOUNT bits|BITPOS bits 1|BITFIELD bits GET u8 0|BITFIELD_RO bits GET u8 0|LCS str num|
  LINDEX list 0|LLEN list|LPOS list b|LRANGE list 0 -1|SORT list ALPHA|SORT_RO list ALPHA|SCARD set|SDIFF set set2|
  SINTER set set2|SINTERCARD 2 set set2|SISMEMBER set a|SMISMEMBER set a z|SMEMBERS set|SRANDMEMBER set 2|SUNION set set2|
  SSCAN set 0|HEXISTS hash f|HGET hash f|HGETALL hash|HKEYS hash|HLEN hash|HMGET hash f z|HRANDFIELD hash 1|HSTRLEN hash f|
  HVALS hash|HSCAN hash 0|ZCARD zset|ZCOUNT zset 0 9|ZDIFF 2 zset zset2|ZINTER 2 zset zset2|ZINTERCARD 2 zset zset2|
  ZLEXCOUNT zset - +|ZMSCORE zset a|ZRANDMEMBER zset 1|ZRANGE zset 0 -1|ZRANGEBYSCORE zset 0 9|ZRANGEBYLEX zset - +|
  ZRANK zset a|ZREVRANGE zset 0 -1|ZREVRANK zset a|ZSCAN zset 0|ZSCORE zset a|ZUNION 2 zset zset2|PFCOUNT hll hll2|
  GEODIST geo here there|GEOHASH geo here|GEOPOS geo here|GEORADIUS geo 1 1 500 km|GEORADIUS_RO geo 1 1 500 km|
  GEOSEARCH geo FROMMEMBER here BYRADIUS 500 km|XLEN stream|XRANGE stream - +|XREVRANGE stream + -|
  XREAD STREAMS stream 0|XREAD BLOCK 1 STREAMS stream $|XPENDING stream group|XINFO STREAM stream|
  XINFO GROUPS stream|XINFO CONSUMERS stream group|MEMORY USAGE str|EVAL_RO return(2) 0|INFO|TIME|LASTSAVE|COMMAND COUNT|
  COMMAND LIST|CONFIG GET maxmemory|ACL WHOAMI|ACL LIST|ACL CAT|CLIENT ID|CLIENT INFO|CLIENT LIST|CLIENT GETNAME|
  FUNCTION LIST|FUNCTION DUMP|FUNCTION STATS|SCRIPT EXISTS x|SLOWLOG GET|SLOWLOG LEN|PUBSUB CHANNELS|PUBSUB NUMPAT|
  MODULE LIST|LATENCY LATEST|MEMORY STATS|LOLWUT`;

const idempotents = `
  SET str new|SET str new EX 100|SET str new KEEPTTL|SET fresh x PXAT 99999999999999|MSET str a num 2|HMSET hash f 9 z 1|
  SETEX str 100 v|PSETEX str 100000 v|SETRANGE str 2 xyz|SETRANGE none 3 x|SUNIONSTORE set set set2|SUNIONSTORE to set set2|
  SINTERSTORE set set set2|SDIFFSTORE set set set2|ZDIFFSTORE zset 2 zset zset2|PFMERGE hll hll hll2|PFMERGE to hll hll2|
  COPY str to REPLACE|SCRIPT LOAD return(3)|CONFIG SET maxmemory-samples 7|SELECT 0|CLIENT SETNAME x`;

/** Commands whose second reply or second effect differs: why the table is as strict as it is. */
const notIdempotent = `
  DEL str|UNLINK str|SET fresh x NX|SET str x GET|SETNX fresh x|MSETNX fresh x|GETSET str x|GETDEL str|APPEND str x|INCR num|
  INCRBYFLOAT num 1|SETBIT bits 1 0|BITFIELD bits INCRBY u8 0 1|EXPIRE str -1|EXPIREAT str 1|RENAME str to|RENAMENX str to|
  MOVE str 1|COPY str to|LPUSH list x|RPOP list|LREM list 1 a|LINSERT list BEFORE a x|LTRIM list 1 -1|RPOPLPUSH list to|
  SADD set z|SREM set a|SMOVE set to a|SPOP set|HSET hash n 1|HSETNX hash n 1|HDEL hash f|HINCRBY hash f 1|ZADD zset 1 n|
  ZINCRBY zset 1 a|ZREM zset a|ZPOPMIN zset|ZREMRANGEBYRANK zset 0 0|ZUNIONSTORE zset 2 zset zset2|BITOP NOT bits bits|
  PFADD hll n|GEOADD geo 3 3 n|XADD stream 2-1 f v|XDEL stream 1-1|XTRIM stream MAXLEN 0|XGROUP CREATE stream n 0|
  XGROUP DESTROY stream group|XREADGROUP GROUP group me STREAMS stream >|SWAPDB 0 1|PERSIST timed`;

const lines = (text: string): string[] => text.split("|").map((line) => line.trim());

async function fresh(send: Send): Promise<void> {
  await send("FLUSHALL");
  for (const line of lines(keyspace)) await send(line);
  await send("SET timed x EX 1000");
}

/** The reply, or its error as text: a second send that fails is a reply that differs. */
const replyOf = (send: Send, line: string): Promise<unknown> =>
  send(line).catch((error: Error) => `-${error.message}`);

test("a read leaves the data as it was", async (t) => {
  const redis = await connected(t);
  if (redis === undefined) return;
  await fresh(redis.send);
  const before = await redis.send("DEBUG DIGEST");
  for (const line of lines(reads)) {
    assert.equal(describeCommand(line.split(" ")).effect, "read", line);
    await redis.send(line); // a sample the server refuses fails here
    assert.equal(await redis.send("DEBUG DIGEST"), before, line);
  }
});

test("an idempotent command, sent twice, leaves the same state and gives the same reply", async (t) => {
  const redis = await connected(t);
  if (redis === undefined) return;
  for (const line of lines(idempotents)) {
    assert.equal(describeCommand(line.split(" ")).effect, "idempotent", line);
    await fresh(redis.send);
    const first = await redis.send(line);
    const digest: unknown = await redis.send("DEBUG DIGEST");
    assert.deepEqual(await redis.send(line), first, line);
    assert.equal(await redis.send("DEBUG DIGEST"), digest, line);
  }
});

test("what is `once` for a reason differs the second time, in state or reply", async (t) => {
  const redis = await connected(t);
  if (redis === undefined) return;
  for (const line of lines(notIdempotent)) {
    assert.equal(describeCommand(line.split(" ")).effect, "once", line);
    await fresh(redis.send);
    const first: string = JSON.stringify(await redis.send(line));
    const digest: unknown = await redis.send("DEBUG DIGEST");
    const second: string = JSON.stringify(await replyOf(redis.send, line));
    const same: boolean = second === first && (await redis.send("DEBUG DIGEST")) === digest;
    assert.equal(same, false, line);
  }
});
