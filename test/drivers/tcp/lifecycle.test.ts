import assert from "node:assert/strict";
import { test } from "node:test";
import { TcpClient } from "../../../src/drivers/tcp/index.ts";
import { encodeWrite, startTcpService } from "../../../src/lab/index.ts";
import { bareServer, deadPort, next, quick, rig, until } from "./support.ts";

test("reconnect: null means never: a loss ends in closed, and waiting messages are told so", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, reconnect: null });
  const closed = next(tcp, "closed");
  await tcp.start();
  service.resetConnections();
  assert.equal((await closed).why, "reconnect-disabled");
  await assert.rejects(tcp.send("x"), { code: "HF_CLOSED", outcome: "not-applied" });
});

test("setReconnect(null) while connected holds for the next loss", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, reconnect: { min_delay: 5 } });
  await tcp.start();
  tcp.setReconnect(null);
  assert.equal(tcp.isConnected(), true);
  const closed = next(tcp, "closed");
  service.resetConnections();
  assert.equal((await closed).why, "reconnect-disabled");
});

test("start can be aborted: the signal's reason, and nothing is left", async (t) => {
  const { client } = rig(t);
  const tcp = client({ port: await deadPort(), reconnect: { min_delay: 60_000 } });
  const abort = new AbortController();
  const waiting = next(tcp, "attemptFailed");
  const started = tcp.start(abort.signal);
  await waiting;
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(started, (error) => error === reason);
  await until("closed", () => tcp.resilience.snapshot().phase === "closed");
});

test("await using sends what waits, then closes", async (t) => {
  const { using } = rig(t);
  const service = using(await startTcpService());
  {
    await using tcp = new TcpClient({ port: service.port, resilience: quick });
    void tcp.send(encodeWrite(1));
    void tcp.start();
    void tcp.send(encodeWrite(2));
    await tcp.resilience.whenReady();
  }
  await service.until("both writes", () => service.ledger.total === 2);
  await service.until("no socket", () => service.liveSockets === 0);
});

test("listeners of the handle hear the link of a later start too, and can still be removed", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  const heard: string[] = [];
  const off = tcp.resilience.on("connected", () => void heard.push("connected"));
  tcp.resilience.on("closed", () => void heard.push("closed"));
  await tcp.start();
  await tcp.close();
  await tcp.start();
  assert.deepEqual(heard, ["connected", "closed", "connected"]);
  off();
  await tcp.close();
  await tcp.start();
  assert.deepEqual(heard, ["connected", "closed", "connected", "closed"]);
});

test("a message given before start waits for it; one given after close is refused", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  const early = tcp.send(encodeWrite(1));
  await tcp.start();
  await early;
  await tcp.close();
  await assert.rejects(tcp.send(encodeWrite(2)), { code: "HF_CLOSED", outcome: "not-applied" });
  await service.until("one write", () => service.ledger.total === 1);
});

test("pause is felt by the server as back-pressure, and resume loses nothing", async (t) => {
  const { client, using } = rig(t);
  const megabytes = 24;
  let accepted = true;
  const server = using(
    await bareServer((socket) => {
      for (let i = 0; i < megabytes; i++) accepted = socket.write(Buffer.alloc(1 << 20)) && accepted;
    }),
  );
  const tcp = client({ port: server.port });
  let received = 0;
  tcp.onMessage = (_channel, chunk) => {
    received += chunk.length;
  };
  tcp.onConnection = (channel) => channel.pause();
  await tcp.start();
  assert.equal(accepted, false, "the server's socket says: full");
  await until("the server stuck", () => (server.sockets[0]?.writableLength ?? 0) > 0);
  assert.ok(received < megabytes << 20);
  tcp.channel?.resume();
  await until("every byte", () => received === megabytes << 20);
});

test("a lazy client dials when there is something to send", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, resilience: { lazy: true } });
  await tcp.start();
  assert.equal(service.acceptedSockets, 0);
  await tcp.send(encodeWrite(1));
  assert.equal(tcp.isConnected(), true);
  await service.until("the write", () => service.ledger.total === 1);
});

test("onConnection that fails fails the attempt, with its own error; the connection is not used", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, resilience: { retryInitial: true } });
  let tries = 0;
  const errors: string[] = [];
  tcp.onConnection = async (channel) => {
    if (!channel.isConnected()) return void errors.push(String(channel.error));
    if (++tries === 1) throw new Error("login refused");
  };
  await tcp.start();
  assert.deepEqual([tries, errors], [2, ["Error: login refused"]]);
  await service.until("one socket", () => service.liveSockets === 1);
});
