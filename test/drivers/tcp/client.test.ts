import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { ackedId, encodeWrite, startTcpService } from "../../../src/lab/index.ts";
import { bareServer, deadPort, framed, next, rig, until } from "./support.ts";

test("connects, sends, hears whole frames, and closes in good order", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, framing: framed });
  const acked: (number | undefined)[] = [];
  tcp.onMessage = (_channel, frame) => void acked.push(ackedId(frame));
  await tcp.start();
  assert.equal(tcp.isConnected(), true);
  assert.equal(tcp.isReconnect(), false);
  for (const id of [1, 2, 3]) await tcp.send(encodeWrite(id));
  await until("three acknowledgements", () => acked.length === 3);
  assert.deepEqual(acked, [1, 2, 3]);
  await tcp.close();
  assert.equal(tcp.isConnected(), false);
  await service.until("the client's socket gone", () => service.liveSockets === 0);
});

test("heals after the server's death; what was sent meanwhile arrives once, in order", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, framing: framed });
  await tcp.start();
  await tcp.send(encodeWrite(1));
  await service.until("the first write", () => service.ledger.total === 1);
  const lost = next(tcp, "disconnected");
  await service.kill();
  await lost;
  const waiting = [2, 3, 4, 5].map((id) => tcp.send(encodeWrite(id)));
  const back = next(tcp, "reconnected");
  await service.restart();
  await back;
  await Promise.all(waiting);
  await service.until("all writes", () => service.ledger.total === 5);
  assert.deepEqual(service.ledger.ids, [1, 2, 3, 4, 5]);
  assert.equal(tcp.isReconnect(), true);
});

test("a first connect that fails is told with the system's own error, and leaves nothing", async (t) => {
  const { client } = rig(t);
  const tcp = client({ port: await deadPort() });
  await assert.rejects(tcp.start(), (error) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_CONNECT");
    assert.equal((error.cause as NodeJS.ErrnoException).code, "ECONNREFUSED");
    return true;
  });
  await assert.rejects(tcp.send("x"), (error) => isHoldfastError(error) && error.outcome === "not-applied");
});

test("a greeting in onConnection goes before what waited", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer((socket) => socket.on("data", () => socket.write("welcome"))));
  const tcp = client({ port: server.port });
  let welcomed: () => void = () => {};
  tcp.onMessage = () => welcomed();
  tcp.onConnection = async (channel) => {
    if (!channel.isConnected()) return;
    const answer = new Promise<void>((resolve) => {
      welcomed = resolve;
    });
    await channel.write("login;");
    await answer;
  };
  const early = tcp.send("early;");
  await tcp.start();
  await early;
  await until("both at the server", () => Buffer.concat(server.received).toString().includes("early"));
  assert.equal(Buffer.concat(server.received).toString(), "login;early;");
});
