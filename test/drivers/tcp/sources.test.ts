/** L1–L11 of the sources: what libhv's TCP client is said to do. */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Channel } from "../../../src/drivers/tcp/index.ts";
import { startTcpService } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { bareServer, deadPort, next, quick, rig, until } from "./support.ts";

/** Delays that attempts announced: what is waited after each failure. */
function announced(client: ReturnType<ReturnType<typeof rig>["client"]>): (number | undefined)[] {
  const delays: (number | undefined)[] = [];
  client.resilience.on("attemptFailed", ({ nextDelayMs }) => void delays.push(nextDelayMs));
  return delays;
}

for (const [policy, name, delays] of [
  [0, "fixed", [20, 20, 20, 20, undefined]],
  [1, "linear", [20, 40, 60, 80, undefined]],
  [2, "exponential", [20, 40, 80, 100, undefined]],
] as const) {
  test(`L1: setReconnect takes delay, maximum count and interval strategy: ${name}`, async (t) => {
    const { client } = rig(t);
    const tcp = client({ port: await deadPort() });
    const told = announced(tcp);
    tcp.setReconnect({ min_delay: 20, max_delay: 100, delay_policy: policy, max_retry_cnt: 4 });
    await assert.rejects(tcp.start(), { code: "HF_CONNECT" });
    assert.deepEqual(told, delays);
  });
}

test("L1: setReconnect at run time: the next failure draws from the new setting", async (t) => {
  const { client } = rig(t);
  const tcp = client({ port: await deadPort(), reconnect: { minDelay: 10, maxDelay: 10, delayPolicy: 0 } });
  const told = announced(tcp);
  const started = tcp.start();
  await until("three failures", () => told.length >= 3);
  tcp.setReconnect({ min_delay: 30, max_delay: 40, max_retry_cnt: 2 });
  await assert.rejects(started, { code: "HF_CONNECT" });
  assert.deepEqual(told.slice(-3), [30, 40, undefined]);
  assert.ok(told.slice(0, -3).every((delay) => delay === 10));
});

test("L2: an unexpected loss starts the reconnect", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  tcp.setReconnect({ min_delay: 10, delay_policy: 0 });
  await tcp.start();
  const back = next(tcp, "reconnected");
  service.resetConnections();
  assert.equal((await back).attempts, 1);
});

test("L3: setKeepaliveTimeout closes when no data was exchanged for that long, and not while it is", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService({ mode: "echo" }));
  const tcp = client({ port: service.port, keepaliveTimeoutMs: 1_000 });
  let echoes = 0;
  tcp.onMessage = (_channel, frame) => {
    echoes += frame.length;
    // Application data every 50 ms, 32 times: one and a half timeouts long, and a busy machine may be late with it.
    if (echoes < 32) systemClock.setTimer(50, () => void tcp.send("x"));
  };
  const lost = next(tcp, "disconnected");
  await tcp.start();
  await tcp.send("x");
  const { cause, upMs } = await lost;
  assert.match(String(cause), /nothing was exchanged for \d+ ms \(keepalive timeout\)/);
  assert.equal(echoes, 32);
  assert.ok(upMs >= 31 * 50 + 1_000, `lived ${upMs} ms`);
});

test("L4: that close starts the reconnect: cut, reconnect, cut", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, keepaliveTimeoutMs: 40 });
  tcp.setReconnect({ min_delay: 10, delay_policy: 0 });
  const seen: string[] = [];
  tcp.onConnection = (channel) => void seen.push(channel.isConnected() ? "connected" : "cut");
  await tcp.start();
  await until("three cycles", () => seen.length >= 6);
  assert.deepEqual(seen.slice(0, 6), ["connected", "cut", "connected", "cut", "connected", "cut"]);
});

test("L5: onConnection hears connections, losses and failed attempts; isConnected tells them apart", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  const seen: string[] = [];
  tcp.onConnection = (channel) => {
    const code = (channel.error as NodeJS.ErrnoException | undefined)?.code;
    seen.push(channel.isConnected() ? "connected" : String(code));
  };
  await tcp.start();
  assert.deepEqual(seen, ["connected"]);
  await service.kill();
  await until("a loss and a failed attempt", () => seen.length >= 3);
  assert.deepEqual(seen.slice(1, 3), ["ECONNRESET", "ECONNREFUSED"]);
  await service.restart();
  await until("connected again", () => seen.at(-1) === "connected");
});

test("L6: the keepalive timeout set inside onConnection holds for that connection: the golden line", async (t) => {
  const { client, using } = rig(t);
  const line = readFileSync(join(process.cwd(), "test/sources/golden/libhv.txt"), "utf8").trim();
  assert.equal(line, "channel.setKeepaliveTimeout(5 * 1000)");
  const service = using(await startTcpService());
  const tcp = client({ port: service.port });
  const asked: number[] = [];
  let connections = 0;
  tcp.onConnection = (channel) => {
    if (!channel.isConnected()) return;
    // The source's own line, its argument noted; then only the first connection gets one that ends within the test.
    const set = (ms: number): void => {
      asked.push(ms);
      channel.setKeepaliveTimeout(ms);
    };
    new Function("channel", line)({ setKeepaliveTimeout: set });
    if (++connections === 1) channel.setKeepaliveTimeout(50);
  };
  const lost = next(tcp, "disconnected");
  await tcp.start();
  assert.match(String((await lost).cause), /keepalive timeout/);
  await until("the second connection", () => connections === 2);
  assert.deepEqual(asked, [5_000, 5_000]);
  const startMs = systemClock.nowMs();
  await until("longer than the first one lived", () => systemClock.nowMs() - startMs > 120);
  assert.equal(tcp.isConnected(), true, "the first connection's 50 ms are not the second one's");
});

test("L7: minutes are as good as milliseconds, and a timeout beyond a 32-bit timer never fires early", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const tcp = client({ port: service.port, keepaliveTimeoutMs: 5 * 60_000 });
  await tcp.start();
  const channel = tcp.channel as Channel;
  channel.setKeepaliveTimeout(30 * 24 * 3_600_000); // Node's own timer would fire after 1 ms
  const startMs = systemClock.nowMs();
  await until("50 ms", () => systemClock.nowMs() - startMs > 50);
  assert.equal(channel.isConnected(), true);
});

test("L8: by default fast first, then growing intervals, to spare the server", async (t) => {
  const { client } = rig(t);
  const backoff = { minMs: 1, baseMs: 4, capMs: 100 };
  const tcp = client({ port: await deadPort(), resilience: { backoff, retryInitial: true } });
  const told = announced(tcp);
  tcp.start();
  await until("eight failures", () => told.length >= 8);
  await tcp.close();
  for (const [n, delayMs] of told.slice(0, 8).entries())
    assert.ok((delayMs as number) <= Math.min(100, 6 * 1.5 ** n), `delay ${n} is ${delayMs} ms`);
  assert.ok(Math.max(...(told as number[])) > 10, "they grow");
});

test("L9: the application can watch: state, events, one sentence, and errors with a cause", async (t) => {
  const { client } = rig(t);
  const port = await deadPort();
  const tcp = client({ port, reconnect: { min_delay: 60_000 } });
  const phases: string[] = [];
  tcp.resilience.on("state", ({ to }) => void phases.push(to));
  tcp.start();
  await until("a wait", () => phases.includes("waiting"));
  assert.deepEqual(phases.slice(0, 3), ["parked", "dialing", "waiting"]);
  assert.match(
    tcp.resilience.explain(),
    new RegExp(
      `^waiting \\d+ ms before attempt 2 to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}$`,
    ),
  );
  assert.equal(tcp.resilience.health().status, "degraded");
  assert.equal(tcp.resilience.snapshot().next?.endpoint, `127.0.0.1:${port}`);
});

test("L10: no leaks or races across loss and reconnect: one connection at a time, none left", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer());
  const tcp = client({ port: server.port });
  let most = 0;
  await tcp.start();
  for (let round = 1; round <= 30; round++) {
    const back = next(tcp, "reconnected");
    // Both ends at once: a loss, a forced reconnect and a send race each other.
    server.sockets.at(-1)?.resetAndDestroy();
    tcp.resilience.reconnectNow();
    void tcp.send("x");
    await back;
    most = Math.max(most, server.live());
  }
  assert.ok(most <= 2, `${most} connections at once`); // the new one, and the old one's close still on its way
  await tcp.close();
  await until("no connection left at the server", () => server.live() === 0);
});

test("L11: event loop and timers are invisible: callbacks run outside the caller's context, and nothing holds the process", async (t) => {
  const { client, using } = rig(t);
  const service = using(await startTcpService());
  const request = new AsyncLocalStorage<string>();
  const tcp = client({ port: service.port, keepaliveTimeoutMs: 60_000, resilience: quick });
  const contexts: (string | undefined)[] = [];
  tcp.onConnection = () => void contexts.push(request.getStore());
  const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  await request.run("request 1", () => tcp.start());
  const back = next(tcp, "reconnected");
  service.resetConnections();
  await back;
  assert.deepEqual(contexts.at(-1), undefined);
  assert.ok(contexts.length >= 3);
  const after = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  assert.ok(after <= before, "a kept connection's own timers are unref'd");
});
