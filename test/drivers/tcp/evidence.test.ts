/** What is said of each message when the connection dies under it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import type { Channel } from "../../../src/drivers/tcp/index.ts";
import { encodePing, encodeWrite, faultProxy, isPong, startTcpService } from "../../../src/lab/index.ts";
import { encodeMessage } from "../../../src/lab/tcp-service/wire.ts";
import { bareServer, framed, next, rig, until } from "./support.ts";

function outcomeOf(error: unknown): string {
  return isHoldfastError(error) ? `${error.code} ${error.outcome}` : String(error);
}

test("a peer that does not read: what is in the socket is maybe-applied, what waits is sent on the next connection", async (t) => {
  const { client, using } = rig(t);
  let reads = false;
  const server = using(await bareServer((socket) => reads || socket.pause()));
  const tcp = client({ port: server.port, resilience: { outbox: { bytes: 32 << 20 } } });
  await tcp.start();
  // 1 MB messages until the kernel's buffers are full; then one is with the socket and the rest wait behind it.
  const settled: string[] = [];
  const sends = Array.from({ length: 14 }, (_, i) =>
    tcp.send(Buffer.alloc(1 << 20, i)).then(
      () => settled.push(`${i} taken`),
      (error) => settled.push(`${i} ${outcomeOf(error)}`),
    ),
  );
  await until("the kernel's buffers full", () => settled.length > 0 && tcp.bufferedBytes > 3 << 20);
  let before = -1;
  await until("nothing moves any more", () => {
    const still = before === tcp.bufferedBytes;
    before = tcp.bufferedBytes;
    return still;
  });
  const taken = settled.length;
  const unconfirmed = next(tcp, "unconfirmed");
  reads = true;
  server.sockets[0]?.resetAndDestroy();
  await Promise.all(sends);
  assert.deepEqual(
    settled.filter((one) => one.includes("maybe-applied")),
    [`${taken} HF_LOST maybe-applied`],
    "exactly the one in the socket's hands",
  );
  assert.equal(settled.filter((one) => one.endsWith("taken")).length, 13);
  assert.deepEqual(await unconfirmed, { count: taken, bytes: taken << 20 });
  await tcp.drained();
  const expected = (13 - taken) << 20;
  await until("the rest on the second connection", () => (server.sockets[1]?.bytesRead ?? 0) >= expected);
  assert.equal(server.sockets[1]?.bytesRead, expected, "no half message, none twice");
});

test("the write queue is bounded: beyond writeBufferBytes a message is refused, and drained() tells when to go on", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer((socket) => socket.pause()));
  const tcp = client({ port: server.port, resilience: { writeBufferBytes: 2 << 20 } });
  await tcp.start();
  let refused: unknown;
  let most = 0;
  for (let i = 0; i < 200 && refused === undefined; i++) {
    await Promise.race([
      tcp.send(Buffer.alloc(1 << 18)).catch((error: unknown) => {
        refused = error;
      }),
      new Promise((resolve) => setImmediate(resolve)),
    ]);
    most = Math.max(most, tcp.bufferedBytes);
  }
  assert.equal(outcomeOf(refused), "HF_WRITE_BUFFER_FULL not-applied");
  assert.ok(most <= 2 << 20, `${most} bytes were buffered`);
  assert.equal(tcp.isConnected(), true, "libhv closes the connection here");
  await assert.rejects((tcp.channel as Channel).write(Buffer.alloc(2 << 20)), {
    code: "HF_WRITE_BUFFER_FULL",
  });
  server.sockets[0]?.resume();
  await tcp.drained();
  assert.equal(tcp.bufferedBytes, 0);
  await tcp.send("room again");
});

test("whose caller has left, by signal or deadline, is taken out of the write queue and never sent", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer((socket) => socket.pause()));
  const tcp = client({ port: server.port });
  await tcp.start();
  const big = tcp.send(Buffer.alloc(12 << 20, "b"));
  await until("more than the kernel takes", () => tcp.bufferedBytes > 0);
  const buffered = tcp.bufferedBytes;
  const abort = new AbortController();
  const left = tcp.send("left", { signal: abort.signal });
  const late = tcp.send("late", { deadlineMs: 30 });
  const last = tcp.send("last");
  assert.equal(tcp.bufferedBytes, buffered + 12);
  abort.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  await assert.rejects(late, { code: "HF_DEADLINE", message: "the message was not taken within 30 ms" });
  await until("both out of the queue", () => tcp.bufferedBytes === buffered + 4);
  assert.equal(tcp.isConnected(), true, "a full pipe is no proof of death");
  server.sockets[0]?.resume();
  await Promise.all([big, last]);
  await until("the last", () => Buffer.concat(server.received).toString("latin1").endsWith("last"));
  const all = Buffer.concat(server.received).toString("latin1");
  assert.equal(all.includes("left") || all.includes("late"), false);
});

test("unconfirmed: what the kernel took and nobody proved; a heartbeat's reply proves what was sent before it", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, framing: framed });
  await tcp.start();
  for (const id of [1, 2, 3]) await tcp.send(encodeWrite(id));
  let unconfirmed = next(tcp, "unconfirmed");
  service.resetConnections();
  assert.deepEqual(await unconfirmed, { count: 3, bytes: 3 * encodeWrite(1).length });
  await until("connected", () => tcp.isConnected());

  for (const id of [4, 5]) await tcp.send(encodeWrite(id));
  let answered = false;
  const isReply = (frame: Buffer): boolean => {
    answered ||= isPong(frame);
    return isPong(frame);
  };
  (tcp.channel as Channel).setHeartbeat(10, encodePing(), { isReply });
  await until("a reply", () => answered);
  (tcp.channel as Channel).setHeartbeat(60_000, encodePing(), { isReply });
  await tcp.send(encodeWrite(6));
  unconfirmed = next(tcp, "unconfirmed");
  service.resetConnections();
  assert.deepEqual(await unconfirmed, { count: 1, bytes: encodeWrite(6).length });
});

test("unconfirmed: what the application confirmed is not reported, nor what a close in good order ended", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, framing: framed });
  const reports: unknown[] = [];
  tcp.resilience.on("unconfirmed", (report) => void reports.push(report));
  tcp.onMessage = (channel) => channel.confirm();
  await tcp.start();
  await tcp.send(encodeWrite(1));
  await service.until("applied", () => service.ledger.total === 1);
  await tcp.send(encodeWrite(2));
  let acked = 0;
  tcp.onMessage = (channel) => {
    acked++;
    channel.confirm();
  };
  await until("the acknowledgement", () => acked > 0);
  const back = next(tcp, "reconnected");
  service.resetConnections();
  await back;
  tcp.onMessage = undefined;
  await tcp.send(encodeWrite(3));
  await tcp.close();
  assert.deepEqual(reports, []);
  await service.until("the last one too", () => service.ledger.total === 3);
});

test("a channel's write never moves to another connection", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  const tcp = client({ port: server.port });
  await tcp.start();
  const first = tcp.channel as Channel;
  const back = next(tcp, "reconnected");
  server.sockets[0]?.resetAndDestroy();
  await back;
  await assert.rejects(first.write("old"), (error) => outcomeOf(error) === "HF_LOST not-applied");
  await tcp.channel?.write("new");
  await until("the new one's bytes", () => server.received.length > 0);
  assert.equal(Buffer.concat(server.received).toString(), "new");
});

test("bursts arrive whole and in order, through batches", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  const tcp = client({ port: server.port });
  await tcp.start();
  let completed = 0;
  tcp.onWriteComplete = (_channel, bytes) => {
    completed += bytes;
  };
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`);
  const sent = Promise.all(lines.map((line) => tcp.send(line)));
  await sent;
  const whole = lines.join("");
  await until("all bytes", () => server.sockets[0]?.bytesRead === whole.length);
  assert.equal(Buffer.concat(server.received).toString(), whole);
  assert.equal(completed, whole.length);
  assert.equal(tcp.channel?.isWriteComplete(), true);
});

test("malformed bytes end the connection with HF_PROTOCOL, and the client goes on", async (t) => {
  const { client, using } = rig(t);
  let attempts = 0;
  const good = encodeMessage(4, Buffer.from("good"));
  const server = using(
    await bareServer((socket) => {
      // A good frame, then a length of 4 GB.
      socket.write(++attempts === 1 ? Buffer.concat([good, Buffer.from([9, 0xff, 0xff, 0xff, 0xff])]) : good);
    }),
  );
  const tcp = client({ port: server.port, framing: framed });
  const frames: string[] = [];
  tcp.onMessage = (_channel, frame) => void frames.push(frame.subarray(5).toString());
  const lost = next(tcp, "disconnected");
  await tcp.start();
  const { cause } = await lost;
  assert.ok(isHoldfastError(cause) && cause.code === "HF_PROTOCOL");
  await until("both good frames", () => frames.length === 2);
  assert.equal(tcp.isConnected(), true);
});

test("half a frame dies with its connection", async (t) => {
  const { client, using } = rig(t);
  const frame = encodeMessage(4, Buffer.from("whole"));
  const server = using(
    await bareServer((socket, index) => {
      if (index === 0) socket.end(frame.subarray(0, 7));
      else socket.write(frame);
    }),
  );
  const tcp = client({ port: server.port, framing: framed });
  const frames: Buffer[] = [];
  tcp.onMessage = (_channel, one) => void frames.push(one);
  const lost = next(tcp, "disconnected");
  await tcp.start();
  assert.match(
    String((await lost).cause),
    /the peer closed the connection in the middle of a frame; its 7 bytes are dropped/,
  );
  await until("the whole frame", () => frames.length > 0);
  assert.deepEqual(frames, [frame]);
});

test("a callback that throws, or rejects, loses neither the connection nor the process", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService({ mode: "echo" }));
  const tcp = client({ port: service.port, framing: { mode: "delimiter", delimiter: "\n" } });
  const told: string[] = [];
  tcp.resilience.on("asyncError", ({ error }) => void told.push(String(error)));
  let frames = 0;
  tcp.onMessage = (_channel, frame) => {
    frames++;
    if (frame.toString() === "throw\n") throw new Error("thrown");
    return Promise.reject(new Error("rejected")) as unknown as undefined;
  };
  await tcp.start();
  await tcp.send("throw\nreject\n");
  await until("both failures", () => told.length === 2);
  assert.deepEqual(told, ["Error: thrown", "Error: rejected"]);
  assert.equal(frames, 2);
  assert.equal(tcp.isConnected(), true);
});

test("no write is applied twice and none acknowledged is lost, through resets at random moments", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const proxy = using(await faultProxy({ upstream: { host: service.host, port: service.port } }));
  const tcp = client({ port: proxy.port, framing: framed });
  await tcp.start();
  const outcomes = new Map<number, string>();
  for (let id = 0; id < 2_000; id++) {
    void tcp.send(encodeWrite(id)).then(
      () => outcomes.set(id, "taken"),
      (error) => outcomes.set(id, outcomeOf(error)),
    );
    if (id % 100 === 99) {
      await until("a connection", () => tcp.isConnected());
      proxy.cut(id % 200 === 99 ? "rst" : "fin");
    }
  }
  await until("every promise settled", () => outcomes.size === 2_000);
  await tcp.drain();
  await service.until("no connection left", () => service.liveSockets === 0);
  assert.deepEqual(service.ledger.repeated, []);
  for (const id of service.ledger.ids)
    assert.notEqual(
      outcomes.get(id)?.endsWith("not-applied"),
      true,
      `write ${id} was applied, and told not to be`,
    );
});
