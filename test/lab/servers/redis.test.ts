import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { test } from "node:test";
import { withRedis } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { open, send } from "./wire.ts";

test("redis: starts on loopback, serves, says its version", async (t) => {
  const redis = await withRedis(t);
  if (redis === undefined) return;
  assert.equal(redis.url, `redis://127.0.0.1:${redis.port}`);
  assert.match(redis.version, /^\d+\.\d+/);
  assert.equal(await send(redis.port, "PING"), "+PONG");
  assert.match(await redis.logs(), /Ready to accept connections/);
});

test("redis: its port is outside the range of outgoing connections", async (t) => {
  if (process.platform !== "linux") return t.skip("the range is read from /proc, on Linux");
  const redis = await withRedis(t);
  if (redis === undefined) return;
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  const [low, high] = range.trim().split(/\s+/).map(Number) as [number, number];
  assert.ok(redis.port < low || redis.port > high, `${redis.port} in ${low}..${high}`);
});

test("redis: kill -9 and restart keep the port and the data", async (t) => {
  const redis = await withRedis(t, { durable: true });
  if (redis === undefined) return;
  assert.equal(await send(redis.port, "SET kept yes"), "+OK");
  const { pid, port } = redis;
  assert.deepEqual(await redis.kill9(), { code: null, signal: "SIGKILL" });
  assert.equal(redis.running, false);
  await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
  await redis.restart();
  assert.notEqual(redis.pid, pid);
  assert.equal(redis.port, port);
  assert.equal(await send(port, "EXISTS kept"), ":1");
  assert.equal((await redis.stop())?.code, 0);
});

for (const [durable, appendfsync] of [
  [true, "always"],
  [false, "no"],
] as const)
  test(`redis: durable ${durable} means appendfsync ${appendfsync}; config comes last`, async (t) => {
    const redis = await withRedis(t, { durable, config: { maxclients: 321 } });
    if (redis === undefined) return;
    const socket = await open(redis.port);
    socket.write("CONFIG GET appendfsync\r\nCONFIG GET maxclients\r\nQUIT\r\n");
    let config = "";
    socket.on("data", (chunk: string) => {
      config += chunk;
    });
    await once(socket, "close");
    // Nothing between the two: "everysec" loses acknowledged writes at a kill when the disk is slow.
    assert.match(config, new RegExp(`appendfsync\r\n\\$${appendfsync.length}\r\n${appendfsync}\r`));
    assert.match(config, /maxclients\r\n\$3\r\n321/);
  });

test("redis: a password is asked for, also one with spaces and quotes", async (t) => {
  const redis = await withRedis(t, { password: 'a "b" c' });
  if (redis === undefined) return;
  assert.match(await send(redis.port, "PING"), /^-NOAUTH/);
  assert.equal(await send(redis.port, 'AUTH "a \\"b\\" c"'), "+OK");
  assert.equal(new URL(redis.url).password, encodeURIComponent('a "b" c'));
});

test("redis: paused it accepts and stays silent, resumed it answers", async (t) => {
  if (process.platform !== "linux") return t.skip("sockets are counted in /proc, on Linux");
  const redis = await withRedis(t);
  if (redis === undefined) return;
  await redis.pause();
  const socket = await open(redis.port);
  socket.write("PING\r\n");
  const answer = once(socket, "data");
  await until("the kernel's accept", 10_000, async () => (await redis.connectionCount()) === 1);
  assert.equal(socket.bytesRead, 0);
  await redis.resume();
  assert.deepEqual(await answer, ["+PONG\r\n"]);
  socket.destroy();
});

test("redis: a paused server can be killed and stopped", async (t) => {
  const redis = await withRedis(t);
  if (redis === undefined) return;
  await redis.pause();
  assert.equal((await redis.stop())?.code, 0);
  await redis.restart();
  await redis.pause();
  assert.equal((await redis.kill9())?.signal, "SIGKILL");
});

test("redis: the connections it holds are counted", async (t) => {
  if (process.platform !== "linux") return t.skip("sockets are counted in /proc, on Linux");
  const redis = await withRedis(t);
  if (redis === undefined) return;
  const count = (expected: number) =>
    until(`${expected} connections`, 10_000, async () => (await redis.connectionCount()) === expected);
  await count(0);
  const sockets = await Promise.all([open(redis.port), open(redis.port), open(redis.port)]);
  await count(3);
  sockets[0]?.destroy();
  await count(2);
  sockets[1]?.resetAndDestroy();
  sockets[2]?.end();
  await count(0);
});

test("redis: a replica is ready when it has its primary's data, and is read-only", async (t) => {
  const primary = await withRedis(t, { password: "p" });
  if (primary === undefined) return;
  const replica = await withRedis(t, {
    replicaOf: { host: primary.host, port: primary.port, password: "p" },
  });
  if (replica === undefined) return;
  assert.match(await send(replica.port, "SET a 1"), /^-READONLY/);
});

test("redis: what the server says when it can't start is in the error, and nothing is left", async (t) => {
  const redis = await withRedis(t);
  if (redis === undefined) return;
  await assert.rejects(withRedis(t, { config: { "no-such-directive": 1 } }), (error: Error) => {
    assert.match(error.message, /redis ended while starting/);
    assert.match(error.message, /no-such-directive/);
    return true;
  });
});

test("redis: disposing removes the process and its directory", async (t) => {
  const redis = await withRedis(t);
  if (redis === undefined) return;
  const log = await readFile(`/proc/${redis.pid}/cmdline`, "utf8").catch(() => "");
  await redis[Symbol.asyncDispose]();
  assert.equal(redis.running, false);
  const file = log.split("\0").find((word) => word.endsWith("redis.conf"));
  if (file !== undefined) assert.equal(existsSync(file), false);
  await redis[Symbol.asyncDispose]();
});
