/** libhv's measured defects that can be reached from here: for each a test that ours does not have it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import type { TcpClient } from "../../../src/drivers/tcp/index.ts";
import { encodePing, isPong, startTcpService } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { bareServer, deadPort, framed, next, rig, until } from "./support.ts";

async function elapsed(ms: number): Promise<void> {
  const startMs = systemClock.nowMs();
  await until(`${ms} ms`, () => systemClock.nowMs() - startMs >= ms);
}

function attempts(tcp: TcpClient): () => number {
  let count = 0;
  tcp.resilience.on("attempt", () => void count++);
  return () => count;
}

test("a dead port, exponential 20..160, 5 retries: 1 + 5 attempts at libhv's times, then it is told", async (t) => {
  // Measured on libhv at five times these delays: callbacks at 0, 100, 300, 701, 1502, 2303 ms, then silence for ever.
  const delaysMs = [20, 40, 80, 160, 160];
  const { client } = rig(t);
  const tcp = client({
    port: await deadPort(),
    reconnect: { min_delay: 20, max_delay: 160, delay_policy: 2, max_retry_cnt: 5 },
  });
  const atMs: number[] = [];
  const announced: unknown[] = [];
  tcp.resilience.on("attemptFailed", ({ nextDelayMs }) => void announced.push(nextDelayMs));
  const codes: unknown[] = [];
  const closed: unknown[] = [];
  tcp.onConnection = (channel) => {
    atMs.push(systemClock.nowMs());
    codes.push((channel.error as NodeJS.ErrnoException).code);
  };
  tcp.onClosed = (why) => void closed.push(why);
  await assert.rejects(tcp.start(), { code: "HF_CONNECT" });
  assert.equal(atMs.length, 6);
  assert.deepEqual(announced, [...delaysMs, undefined]);
  // How late a busy machine is, is its own affair; early nobody may be.
  for (const [i, delayMs] of delaysMs.entries()) {
    const waitedMs = (atMs[i + 1] as number) - (atMs[i] as number);
    assert.ok(waitedMs >= delayMs - 2, `attempt ${i + 2} after ${waitedMs} ms, libhv ${delayMs}`);
  }
  assert.deepEqual(closed, ["attempts-exhausted"], "libhv never says that it gave up");
  assert.deepEqual([...new Set(codes)], ["ECONNREFUSED"], "libhv shows 107, ENOTCONN");
});

test("after a loss: as many retries as the setting says, then closed", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, reconnect: { min_delay: 5, delay_policy: 0, max_retry_cnt: 3 } });
  const dials = attempts(tcp);
  const closed = next(tcp, "closed");
  await tcp.start();
  await service.kill();
  assert.equal((await closed).why, "attempts-exhausted");
  assert.equal(dials(), 1 + 3);
});

test("closesocket in back-off stops it: no further attempt (libhv: 4 more)", async (t) => {
  const { client } = rig(t);
  const tcp = client({ port: await deadPort(), reconnect: { min_delay: 30, delay_policy: 0 } });
  const dials = attempts(tcp);
  const waiting = next(tcp, "attemptFailed");
  const started = tcp.start();
  await waiting;
  const before = dials();
  await tcp.closesocket();
  await assert.rejects(started, { code: "HF_CLOSED" });
  await elapsed(4 * 30);
  assert.equal(dials(), before);
});

test("setReconnect() with nothing stops a back-off too", async (t) => {
  const { client } = rig(t);
  const tcp = client({ port: await deadPort(), reconnect: { min_delay: 30, delay_policy: 0 } });
  const dials = attempts(tcp);
  const waiting = next(tcp, "attemptFailed");
  tcp.start();
  await waiting;
  const closed = next(tcp, "closed");
  tcp.setReconnect();
  assert.equal((await closed).why, "first-connect-failed");
  const before = dials();
  await elapsed(60);
  assert.equal(dials(), before);
});

test("start after a close has its reconnect setting still (libhv: lost)", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  tcp.setReconnect({ min_delay: 20, max_delay: 20, delay_policy: 0 });
  await tcp.start();
  await tcp.stop();
  const delays: unknown[] = [];
  tcp.resilience.on("attemptFailed", ({ nextDelayMs }) => void delays.push(nextDelayMs));
  await tcp.start();
  assert.equal(tcp.isConnected(), true);
  await service.kill();
  await until("two failures", () => delays.length >= 2);
  assert.deepEqual(delays.slice(0, 2), [20, 20]);
  const back = next(tcp, "reconnected");
  await service.restart();
  await back;
});

test("stop on a connected client with a reconnect setting is an ordinary close, ten times over", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, reconnect: {} });
  const closed: unknown[] = [];
  tcp.onClosed = (why) => void closed.push(why);
  for (let round = 0; round < 10; round++) {
    await tcp.start();
    await tcp.stop();
  }
  assert.deepEqual(closed, Array(10).fill("user"));
  await service.until("no socket", () => service.liveSockets === 0);
});

test("close inside onConnection, connected or not, is safe", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  for (const port of [service.port, await deadPort()]) {
    const tcp = client({ port, reconnect: { min_delay: 10 } });
    const closing: Promise<void>[] = [];
    tcp.onConnection = () => void closing.push(tcp.close());
    await assert.rejects(tcp.start(), { code: "HF_CLOSED" });
    await Promise.all(closing);
  }
});

test("heartbeats don't feed the keepalive timeout (libhv: 12 of them to a silent peer, it never fired)", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  const heartbeat = { intervalMs: 20, payload: "ping" };
  const tcp = client({ port: server.port, keepaliveTimeoutMs: 1_000, heartbeat });
  const lost = next(tcp, "disconnected");
  await tcp.start();
  assert.match(String((await lost).cause), /keepalive timeout/);
  assert.ok(Buffer.concat(server.received).length >= 4 * "ping".length, "heartbeats were sent");
});

test("replies to heartbeats don't feed it either", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const heartbeat = { intervalMs: 20, payload: encodePing(), isReply: isPong };
  const tcp = client({ port: service.port, framing: framed, keepaliveTimeoutMs: 150, heartbeat });
  const frames: Buffer[] = [];
  tcp.onMessage = (_channel, frame) => void frames.push(frame);
  const lost = next(tcp, "disconnected");
  await tcp.start();
  assert.match(String((await lost).cause), /keepalive timeout/);
  assert.deepEqual(frames, [], "they are not the application's messages");
});

test("a silent peer is found by the missing reply, and by the read timeout although we write", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  for (const [options, reason] of [
    [
      { heartbeat: { intervalMs: 20, payload: "ping", isReply: () => true, timeoutMs: 40 } },
      /no reply to a heartbeat/,
    ],
    [
      { heartbeat: { intervalMs: 20, payload: "ping" }, readTimeoutMs: 100 },
      /nothing was received for \d+ ms/,
    ],
  ] as const) {
    const tcp = client({ port: server.port, ...options });
    const lost = next(tcp, "disconnected");
    await tcp.start();
    const { cause } = await lost;
    assert.ok(isHoldfastError(cause) && cause.code === "HF_HALF_OPEN");
    assert.match(cause.message, reason);
    await tcp.close();
  }
});

test("the keepalive option holds for every connection (libhv: set once, it closed the first, never the second)", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  const tcp = client({ port: server.port });
  tcp.setKeepaliveTimeout(40);
  let cuts = 0;
  tcp.resilience.on("disconnected", () => void cuts++);
  await tcp.start();
  await until("three cuts", () => cuts >= 3);
});

test("accept-then-drop backs off (libhv: reset at each accept, 20 accepts in 2 s)", async (t) => {
  const { client, using } = rig(t);
  const acceptedMs: number[] = [];
  const server = using(
    await bareServer((socket) => {
      acceptedMs.push(systemClock.nowMs());
      socket.resetAndDestroy();
    }),
  );
  const tcp = client({
    port: server.port,
    reconnect: { min_delay: 20, max_delay: 5_000 },
    resilience: { stableAfterMs: 60_000 },
  });
  tcp.start();
  await until("five accepts", () => acceptedMs.length >= 5);
  await tcp.close();
  // At this fifth of libhv's delays it would have accepted 20 in 0.4 s. Ours: at 0, 20, 60, 140, 300 ms.
  for (const [i, delayMs] of [20, 40, 80, 160].entries()) {
    const waitedMs = (acceptedMs[i + 1] as number) - (acceptedMs[i] as number);
    assert.ok(waitedMs >= delayMs - 2, `accept ${i + 2} after ${waitedMs} ms`);
  }
});

test("a name that does not resolve is tried again, at each attempt anew (libhv ended)", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  let lookups = 0;
  const notFound = (): Error => Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  const tcp = client({
    host: "moved.invalid",
    port: server.port,
    reconnect: { min_delay: 10, delay_policy: 0 },
    async lookup() {
      if (++lookups < 4) throw notFound();
      return [{ address: "127.0.0.1", family: 4 }];
    },
  });
  await tcp.start();
  assert.equal(lookups, 4);
  const back = next(tcp, "reconnected");
  server.sockets[0]?.resetAndDestroy();
  await back;
  assert.equal(lookups, 5);
});

test("every address of a name is tried (libhv: the first only)", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  const addresses = ["127.0.0.9", "127.0.0.8", "127.0.0.1"];
  const tcp = client({
    host: "several.invalid",
    port: server.port,
    lookup: async () => addresses.map((address) => ({ address, family: 4 })),
  });
  await tcp.start();
  assert.equal(tcp.channel?.peeraddr, `127.0.0.1:${server.port}`);
});

test("send while down waits for the connection (libhv: -1), within its bounds", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, resilience: { outbox: { bytes: 100 } } });
  await tcp.start();
  const lost = next(tcp, "disconnected");
  await service.kill();
  await lost;
  const waiting = tcp.send(Buffer.alloc(80, "w"));
  await assert.rejects(tcp.send(Buffer.alloc(40)), (error) => {
    assert.ok(isHoldfastError(error));
    assert.deepEqual([error.code, error.outcome], ["HF_OUTBOX_FULL", "not-applied"]);
    return true;
  });
  await service.restart();
  await waiting;
});

test("isReconnect is true inside onConnection of a reconnection, false in the first (libhv #615)", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  const seen: boolean[] = [];
  tcp.onConnection = (channel) => {
    if (channel.isConnected()) seen.push(tcp.isReconnect());
  };
  await tcp.start();
  service.resetConnections();
  await until("both", () => seen.length === 2);
  assert.deepEqual(seen, [false, true]);
});

test("channel.close ends the connection and, as in libhv, the client reconnects", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  await tcp.start();
  const back = next(tcp, "reconnected");
  tcp.channel?.close();
  assert.equal(tcp.isConnected(), false);
  await back;
});
