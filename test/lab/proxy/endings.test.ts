import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { faultProxy } from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { dial, howItEnds, testServer, tryDial, until } from "./rig.ts";

test("without faults bytes and closes pass in both directions", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint, { allowHalfOpen: true });
  client.send("hello");
  assert.equal((await client.got(5)).text, "hello");
  const closed = proxy.next("closed");
  client.socket.end("bye");
  const peer = await (await server.peer(0)).fin();
  assert.equal(peer.text, "hellobye", "the client's FIN comes behind its bytes");
  await client.got(8);
  assert.equal(client.gotFin, false, "one side's FIN is not the other's");
  peer.socket.end("last");
  assert.equal(await client.ended(), "fin");
  assert.equal(client.text, "hellobyelast");
  assert.deepEqual(await closed, { connection: 1, up: 8, down: 12 });
  assert.deepEqual(proxy.connections(), []);
});

test("an RST of either side passes as an RST", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using a = await dial(proxy.endpoint);
  (await server.peer(0)).socket.resetAndDestroy();
  assert.equal(await a.ended(), "ECONNRESET");
  await using b = await dial(proxy.endpoint);
  const peer = await server.peer(1);
  b.socket.resetAndDestroy();
  assert.equal(await peer.ended(), "ECONNRESET");
});

test("refuse: new connections are refused, open ones live, the port comes back", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  const { port } = proxy;
  for (let round = 0; round < 3; round++) {
    await using _refusal = await proxy.fault({ kind: "refuse" });
    assert.equal(await tryDial(proxy.endpoint), "ECONNREFUSED");
    client.send("x");
    await client.got(round + 1);
  }
  assert.equal(proxy.port, port);
  assert.equal(await tryDial(proxy.endpoint), "connected");
});

test("refuse holds from the call on, and two refusals need two undos", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const applying = proxy.fault({ kind: "refuse" });
  const second = await proxy.fault({ kind: "refuse", label: "again" });
  assert.equal(await tryDial(proxy.endpoint), "ECONNREFUSED");
  await (await applying).undo();
  assert.equal(await tryDial(proxy.endpoint), "ECONNREFUSED");
  await second.undo();
  await second.undo();
  assert.equal(await tryDial(proxy.endpoint), "connected");
});

test("cut(rst) resets idle connections on both sides", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  const peer = await server.peer(0);
  assert.equal(proxy.cut("rst"), 1);
  assert.equal(await client.ended(), "ECONNRESET");
  assert.equal(await peer.ended(), "ECONNRESET");
  assert.equal(proxy.cut("rst"), 0);
});

test("cut(fin) closes in order, and by filter", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using a = await dial(proxy.endpoint);
  await using b = await dial(proxy.endpoint);
  await a.send("a").got(1);
  await b.send("b").got(1);
  assert.equal(proxy.cut("fin", { filter: ({ id }) => id === 1 }), 1);
  assert.equal(await a.ended(), "fin");
  assert.equal((await (await server.peer(0)).fin()).errorCode, undefined);
  b.send("still here");
  await b.got(11);
  assert.equal(proxy.cut("rst", { connections: [2] }), 1);
  assert.equal(await b.ended(), "ECONNRESET");
});

test("cut(fin) reaches a client that goes on writing as a FIN, not as a reset", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint, { allowHalfOpen: true });
  await server.peer(0);
  client.send(Buffer.alloc(300_000));
  proxy.cut("fin");
  client.send(Buffer.alloc(300_000));
  await client.fin();
  assert.equal(client.errorCode, undefined);
});

for (const direction of ["down", "up"] as const)
  test(`halfClose ${direction}: one direction ends, the other stays open`, async (t) => {
    checkLeaks(t);
    await using server = await testServer();
    await using proxy = await faultProxy({ upstream: server.endpoint });
    await using client = await dial(proxy.endpoint, { allowHalfOpen: true });
    const peer = await server.peer(0);
    await using _fault = await proxy.fault({ kind: "halfClose", direction });
    const [ended, open] = direction === "down" ? [client, peer] : [peer, client];
    await ended.fin();
    open.send("into the void");
    ended.send("still sending");
    assert.equal((await open.got(13)).text, "still sending");
    assert.equal(open.gotFin, false);
    assert.equal(ended.text, "");
    assert.equal(proxy.connections().length, 1);
  });

for (const [how, seen] of [
  ["rst", "ECONNRESET"],
  ["fin", "fin"],
] as const)
  test(`drop with ${how}: accepted, ended at once, the upstream never dialled`, async (t) => {
    checkLeaks(t);
    await using server = await testServer();
    await using proxy = await faultProxy({ upstream: server.endpoint });
    await using drop = await proxy.fault({ kind: "drop", how, times: 2 });
    for (let i = 0; i < 2; i++) assert.equal(await howItEnds(proxy.endpoint), seen);
    assert.equal(server.peers.length, 0);
    await using third = await dial(proxy.endpoint);
    await server.peer(0);
    third.send("x");
    assert.deepEqual(
      drop.hits.map(({ connection }) => connection),
      [1, 2],
    );
  });

test("an upstream that refuses shows as accept and reset; nobody waits for a silent one", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using front = await faultProxy({ upstream: server.endpoint });
  await using _refusal = await front.fault({ kind: "refuse" });
  await using proxy = await faultProxy({ upstream: front.endpoint });
  const failed = proxy.next("upstreamFailed");
  await using client = await dial(proxy.endpoint);
  assert.equal(await client.ended(), "ECONNRESET");
  assert.match((await failed).reason, /ECONNREFUSED/);
});

test("the upstream is swapped for new connections only", async (t) => {
  checkLeaks(t);
  await using first = await testServer({ greeting: "one" });
  await using second = await testServer({ greeting: "two" });
  await using proxy = await faultProxy({ upstream: first.endpoint });
  await using a = await dial(proxy.endpoint);
  await a.got(3);
  proxy.upstream = second.endpoint;
  await using b = await dial(proxy.endpoint);
  assert.equal((await b.got(3)).text, "two");
  a.send("x");
  assert.equal((await (await first.peer(0)).got(1)).text, "x");
});

test("close ends live, lingering and dialling connections and every fault", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  const proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint, { allowHalfOpen: true });
  await using other = await dial(proxy.endpoint, { allowHalfOpen: true });
  await server.peer(1);
  proxy.cut("fin", { connections: 1 });
  const slow = await proxy.fault({ kind: "latency", delayMs: 60_000, durationMs: 60_000 });
  const refusal = await proxy.fault({ kind: "refuse" });
  other.send("held");
  await until("the bytes to be held", () => slow.hits.length === 1);
  await Promise.all([proxy.close(), proxy.close()]);
  assert.equal(slow.active || refusal.active, false);
  await slow.undone;
  await client.fin();
  await other.fin();
  assert.equal(await tryDial(proxy.endpoint), "ECONNREFUSED");
  await assert.rejects(proxy.fault({ kind: "refuse" }), { code: "HF_CLOSED" });
});

test("a port that is taken is told, and nothing is left", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await assert.rejects(faultProxy({ upstream: server.endpoint, port: server.endpoint.port }), {
    code: "EADDRINUSE",
  });
});

test("a port that was lost during a refusal is told to who undoes it, and the close still ends", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const refusal = await proxy.fault({ kind: "refuse" });
  const thief = createServer().listen(proxy.port, proxy.host);
  await once(thief, "listening");
  const told = proxy.next("listenFailed");
  await assert.rejects(refusal.undo(), { code: "EADDRINUSE" });
  await assert.rejects(refusal.undone, { code: "EADDRINUSE" });
  assert.match((await told).reason, /EADDRINUSE/);
  thief.close();
  await once(thief, "close");
  await (await proxy.fault({ kind: "refuse" })).undo();
  assert.equal(await tryDial(proxy.endpoint), "connected");
});
