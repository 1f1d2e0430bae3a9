/**
 * Every row of the option tables of docs/tcp.md: its default, and the effect that no other file shows. Keepalive, read,
 * write and heartbeat in force: sources.test.ts, faults.test.ts, libhv.test.ts; TLS: tls-options.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backoff } from "../../../src/backoff/index.ts";
import { createHeartbeat } from "../../../src/drivers/tcp/heartbeat.ts";
import type { TcpClientOptions } from "../../../src/drivers/tcp/index.ts";
import { resolveTcpOptions } from "../../../src/drivers/tcp/options.ts";
import { policyFor } from "../../../src/drivers/tcp/policy.ts";
import type { LinkPolicy } from "../../../src/link/index.ts";
import { defaults, resolveResilience } from "../../../src/options/index.ts";
import { seededRandom, systemClock } from "../../../src/time/index.ts";
import { bareServer, next, rig, until } from "./support.ts";

/** What a client with these options dials by, before any method of it is called. */
function policyOf(options: TcpClientOptions): LinkPolicy {
  const { resilience, given, reconnect, connectTimeoutMs } = resolveTcpOptions(options);
  return policyFor(resilience.policy, given, reconnect, connectTimeoutMs);
}

/** The waits after a loss, and where they end. */
function waits(backoff: Backoff, count: number): (number | "end")[] {
  const random = seededRandom(1);
  let schedule = backoff.start();
  return Array.from({ length: count }, (_, attempt) => {
    const step = schedule.next(random, { attempt, elapsedMs: 0, cause: new Error("lost") });
    if ("exhausted" in step) return "end";
    schedule = step.schedule;
    return step.delayMs;
  });
}

test("nothing given: our own defaults, and the first connect fails fast", () => {
  const policy = policyOf({ port: 1 });
  assert.equal(policy, resolveResilience().policy);
  assert.deepEqual([policy.reconnect, policy.retryInitial, policy.connectTimeoutMs], [true, false, 5_000]);
  const [first, ...later] = waits(policy.backoff, 30) as number[];
  assert.equal(first, 0);
  assert.ok((later[0] as number) >= 200 && (later[0] as number) <= 600);
  assert.ok(
    later.every((ms) => ms <= 7_500),
    "5 s, ±50 %",
  );
});

test("resilience: the same, changed key by key", () => {
  const policy = policyOf({ port: 1, resilience: { connectTimeoutMs: 70, retryInitial: true } });
  const { connectTimeoutMs, retryInitial, ...rest } = policy;
  const { connectTimeoutMs: _connect, retryInitial: _retry, ...ours } = resolveResilience().policy;
  assert.deepEqual([connectTimeoutMs, retryInitial], [70, true]);
  assert.deepEqual(rest, ours);
});

test("reconnect: libhv's delays and count, no jitter; the first connect is retried; connect deadline 10 s", () => {
  const policy = policyOf({ port: 1, reconnect: {} });
  assert.deepEqual(waits(policy.backoff, 8), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  assert.deepEqual([policy.reconnect, policy.retryInitial, policy.connectTimeoutMs], [true, true, 10_000]);
  const of = (reconnect: object): unknown => waits(policyOf({ port: 1, reconnect }).backoff, 4);
  assert.deepEqual(of({ min_delay: 100, delay_policy: 0 }), [100, 100, 100, 100]);
  assert.deepEqual(of({ min_delay: 100, delay_policy: 1 }), [100, 200, 300, 400]);
  assert.deepEqual(of({ min_delay: 100, delay_policy: 3, max_delay: 500 }), [100, 300, 500, 500]);
  assert.deepEqual(of({ minDelay: 100, delayPolicy: 0, maxRetryCnt: 2 }), [100, 100, "end", "end"]);
});

test("reconnect: null is never, also for the first connect", () => {
  const { reconnect, retryInitial } = policyOf({ port: 1, reconnect: null });
  assert.deepEqual([reconnect, retryInitial], [false, false]);
});

test("who goes before whom: connect_timeout, then resilience, then libhv's defaults", () => {
  const deadline = (options: object): number => policyOf({ port: 1, ...options }).connectTimeoutMs;
  assert.equal(deadline({ reconnect: {}, resilience: { connectTimeoutMs: 70 } }), 70);
  assert.equal(deadline({ reconnect: {}, connect_timeout: 80 }), 80);
  assert.equal(deadline({ connect_timeout: 80 }), 80);
  assert.equal(deadline({ reconnect: null, connect_timeout: 80 }), 80);
  assert.equal(policyOf({ port: 1, reconnect: {}, resilience: { retryInitial: false } }).retryInitial, false);
  const { policy, ...given } = {
    policy: resolveResilience({ connectTimeoutMs: 70 }).policy,
    connectTimeoutMs: 70,
  };
  for (const setting of [undefined, null, {}])
    assert.equal(policyFor(policy, given, setting, 90).connectTimeoutMs, 90, "setConnectTimeout");
});

test("the gap between two dials and what counts as stable hold under libhv's settings too", () => {
  const { minDialGapMs, stableAfterMs } = policyOf({ port: 1, reconnect: { min_delay: 60 } });
  assert.deepEqual([minDialGapMs, stableAfterMs], [100, 5_000]);
  assert.equal(policyOf({ port: 1, reconnect: {}, resilience: { stableAfterMs: 0 } }).stableAfterMs, 0);
});

test("keepalive, read and write timeouts are off by default, and by 0; close is 60 s; no heartbeat", () => {
  const of = (options: object): unknown[] => {
    const { connection } = resolveTcpOptions({ port: 1, ...options });
    const { keepaliveTimeoutMs, readTimeoutMs, writeTimeoutMs, closeTimeoutMs, heartbeat } = connection;
    return [keepaliveTimeoutMs, readTimeoutMs, writeTimeoutMs, closeTimeoutMs, heartbeat];
  };
  assert.deepEqual(of({}), [Infinity, Infinity, Infinity, 60_000, undefined]);
  assert.deepEqual(of({ framing: { mode: "none" } }), of({}), "also beside other settings");
  const off = { keepaliveTimeoutMs: 0, readTimeoutMs: 0, writeTimeoutMs: 0 };
  assert.deepEqual(of(off), of({}));
  const given = { keepaliveTimeoutMs: 1, readTimeoutMs: 2, writeTimeoutMs: 3, closeTimeoutMs: 4 };
  assert.deepEqual(of(given), [1, 2, 3, 4, undefined]);
});

test("a heartbeat: every 10 s; with isReply an answer is missed after 5 s, without it never", () => {
  const checked = createHeartbeat({ payload: "ping", isReply: () => false }, 0);
  assert.equal(checked.dueMs, 10_000);
  assert.equal(checked.onTick(10_000).do, "send");
  assert.equal(checked.dueMs, 15_000);
  assert.deepEqual(checked.onTick(15_000), { do: "suspect", unansweredMs: 5_000 });
  const unchecked = createHeartbeat({ payload: "ping" }, 0);
  const done = [10_000, 20_000, 30_000].map((nowMs) => unchecked.onTick(nowMs).do);
  assert.deepEqual(done, ["send", "send", "send"]);
});

test("TCP keepalive is 15 s and noDelay on by default; writeBufferBytes 16 MiB", () => {
  const { resilience, noDelay } = resolveTcpOptions({ port: 1 });
  assert.deepEqual([resilience.tcpKeepAliveMs, noDelay], [15_000, true]);
  assert.equal(resilience.writeBufferBytes, 16 << 20);
  assert.equal(defaults.writeBufferBytes.value, 16 << 20);
});

for (const how of ["option", "setCloseTimeout of the client", "setCloseTimeout of the channel"] as const) {
  test(`close: channel.close() waits no longer than its timeout for a peer that does not read (${how})`, async (t) => {
    const { client, using } = rig(t);
    const server = using(await bareServer((socket) => socket.pause()));
    const tcp = client({ port: server.port, ...(how === "option" && { closeTimeoutMs: 120 }) });
    await tcp.start();
    if (how === "setCloseTimeout of the client") tcp.setCloseTimeout(120);
    if (how === "setCloseTimeout of the channel") tcp.channel?.setCloseTimeout(120);
    const sent = tcp.send(Buffer.alloc(12 << 20)).catch((error: unknown) => error);
    await until("bytes the kernel does not take", () => tcp.bufferedBytes > 0);
    const lost = next(tcp, "disconnected");
    const startMs = systemClock.nowMs();
    tcp.channel?.close();
    await lost;
    const tookMs = systemClock.nowMs() - startMs;
    assert.ok(tookMs >= 110 && tookMs < 5_000, `${tookMs} ms`);
    assert.ok((await sent) instanceof Error, "what the kernel did not take was not sent");
  });
}
