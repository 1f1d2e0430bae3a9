import assert from "node:assert/strict";
import { test } from "node:test";
import { faultProxy } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { dial, testServer, until } from "./rig.ts";

/** Timers may fire late on a loaded machine, never early: so only lower bounds are asserted closely. */
const roundingMs = 1;

for (const [direction, ways] of [
  ["up", 1],
  ["down", 1],
  ["both", 2],
] as const)
  test(`latency ${direction}: ${ways} delay(s) in a round trip`, async (t) => {
    checkLeaks(t);
    await using server = await testServer({ echo: true });
    await using proxy = await faultProxy({ upstream: server.endpoint });
    await using client = await dial(proxy.endpoint);
    await client.send("warm").got(4);
    await using fault = await proxy.fault({ kind: "latency", direction, delayMs: 40 });
    const startMs = systemClock.nowMs();
    await client.send("ping").got(8);
    const tookMs = systemClock.nowMs() - startMs;
    assert.ok(tookMs >= 40 * ways - roundingMs, `took ${tookMs} ms`);
    assert.equal(fault.hits[0]?.acts, ways);
  });

test("jitter keeps the order, and delays a close behind its bytes", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint, seed: 7 });
  await using _fault = await proxy.fault({ kind: "latency", delayMs: 10, jitterMs: 10 });
  await using client = await dial(proxy.endpoint);
  const peer = await server.peer(0);
  let expected = "";
  for (let i = 0; i < 200; i++) {
    client.send(`${i},`);
    expected += `${i},`;
    if (i % 20 === 0) await until("the piece to leave", () => client.socket.writableLength === 0);
  }
  client.socket.end();
  assert.equal((await peer.fin()).text, expected);
});

test("undoing latency releases at once what it holds", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  const fault = await proxy.fault({ kind: "latency", delayMs: 600_000 });
  client.send("held");
  await until("the bytes to be held", () => fault.hits.length === 1);
  await fault.undo();
  assert.equal((await (await server.peer(0)).got(4)).text, "held");
});

test("slowFirstByte delays the first bytes of each direction only", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using fault = await proxy.fault({ kind: "slowFirstByte", direction: "down", delayMs: 50 });
  await using client = await dial(proxy.endpoint);
  const startMs = systemClock.nowMs();
  await client.send("a").got(1);
  assert.ok(systemClock.nowMs() - startMs >= 50 - roundingMs);
  for (let i = 0; i < 10; i++) await client.send("b").got(2 + i);
  assert.deepEqual(fault.hits, [{ connection: 1, acts: 1, bytes: 1 }]);
});

test("bandwidth holds its rate and pushes back on the sender", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  const peer = await server.peer(0);
  const fault = await proxy.fault({ kind: "bandwidth", bytesPerSecond: 100_000 });
  client.send(Buffer.alloc(16 * 1024 * 1024));
  const startMs = systemClock.nowMs();
  await peer.got(20_000);
  const tookMs = systemClock.nowMs() - startMs;
  // What may leave without waiting: one step, and what the slack makes up for (60 ms together).
  assert.ok(tookMs >= 200 - 60 - roundingMs, `20,000 bytes took ${tookMs} ms at 100,000 a second`);
  assert.ok(client.socket.writableLength > 0, "the sender must feel it");
  await fault.undo();
  await peer.got(16 * 1024 * 1024);
});

test("drip hands over n bytes per tick", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using _fault = await proxy.fault({ kind: "drip", direction: "up", bytes: 2, everyMs: 5 });
  await using client = await dial(proxy.endpoint);
  const startMs = systemClock.nowMs();
  const peer = await server.peer(0);
  await client.send("abcdefghij");
  assert.equal((await peer.got(10)).text, "abcdefghij");
  assert.ok(systemClock.nowMs() - startMs >= 4 * 5 - roundingMs);
  assert.ok(peer.pieces.length > 1, "more than one read");
});
