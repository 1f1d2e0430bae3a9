import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { faultProxy } from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { dial, Peer, testServer, tryDial, until } from "./rig.ts";

test("freeze: a connect hangs in SYN_SENT, open connections live, and the port comes back", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using old = await dial(proxy.endpoint);
  const frozen = await proxy.fault({ kind: "freeze" });
  await using late = new Peer(connect({ ...proxy.endpoint }));
  let connected = false;
  late.socket.once("connect", () => {
    connected = true;
  });
  // The echo passes through both event loops' sockets several times: long enough for a loopback connect to finish.
  for (let i = 1; i <= 50; i++) await old.send("x").got(i);
  assert.equal(connected, false);
  assert.equal(late.socket.connecting, true);
  await frozen.undo();
  await until("the retransmitted SYN to be answered", () => connected);
  await late.send("hello").got(5);
});

test("freeze with connects: the kernel connects, nobody answers, and the end resets", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ greeting: "hello" });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const frozen = await proxy.fault({ kind: "freeze", connects: true });
  const clients = await Promise.all(Array.from({ length: 5 }, () => dial(proxy.endpoint)));
  assert.equal(server.peers.length, 0);
  await frozen.undo();
  for (const client of clients) assert.equal(await client.ended(), "ECONNRESET");
  await using fresh = await dial(proxy.endpoint);
  assert.equal((await fresh.got(5)).text, "hello");
});

test("a refusal inside a freeze: the freeze wins, and what is left holds", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const frozen = await proxy.fault({ kind: "freeze", connects: true });
  await using _refusal = await proxy.fault({ kind: "refuse" });
  assert.equal(await tryDial(proxy.endpoint), "connected");
  await frozen.undo();
  assert.equal(await tryDial(proxy.endpoint), "ECONNREFUSED");
});

test("closing a frozen proxy ends its thread", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await proxy.fault({ kind: "freeze" });
});

test("a freeze takes force under clients that dial without pause", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const sockets: Socket[] = [];
  let dialling = true;
  const dialOn = (): void => {
    if (!dialling) return;
    const socket = connect({ ...proxy.endpoint });
    sockets.push(socket);
    socket.on("error", () => {});
    socket.once("close", dialOn);
  };
  for (let i = 0; i < 5; i++) dialOn();
  await until("clients at the server", () => server.peers.length >= 3);
  for (let round = 0; round < 3; round++) {
    const frozen = await proxy.fault({ kind: "freeze" });
    proxy.cut("rst");
    await until(
      "all to be stuck or queued",
      () => sockets.filter(({ destroyed }) => !destroyed).length === 5,
    );
    await frozen.undo();
  }
  dialling = false;
  for (const socket of sockets) socket.destroy();
  await until("their end", () => sockets.every(({ closed }) => closed));
});
