/** How long it waits, and for whose sake it stops waiting. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { constant } from "../../../src/backoff/index.ts";
import { isHoldfastError } from "../../../src/call/index.ts";
import { fromGoOptions, type NatsGoOptions } from "../../../src/drivers/nats/index.ts";
import type { Physical } from "../../../src/drivers/nats/physical.ts";
import { WriteStall } from "../../../src/drivers/nats/write-stall.ts";
import { systemClock, VirtualClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, next } from "./support.ts";

test("[nats 65] N18 N19 N20: the wait is within its bounds; the custom delay is asked with 1, 2, 3… and followed; close ends ten minutes at once", async (t) => {
  const server = await fakeNats(t);
  await server.close();
  const waits = async (
    options: NatsGoOptions,
  ): Promise<{ ms: number[]; nc: Awaited<ReturnType<typeof connected>> }> => {
    const nc = await connected(
      t,
      server.url,
      fromGoOptions({ ...options, RetryOnFailedConnect: true, MaxReconnect: -1 }),
    );
    const ms: number[] = [];
    nc.resilience.on("attemptFailed", ({ nextDelayMs }) => void ms.push(nextDelayMs ?? -1));
    return { ms, nc };
  };
  const jittered = await waits({ ReconnectWait: 150, ReconnectJitter: 50 });
  await until("five attempts", 10_000, () => jittered.ms.length >= 5);
  for (const each of jittered.ms) assert.ok(each >= 150 && each <= 200, `${jittered.ms}`);
  assert.ok(new Set(jittered.ms).size > 1, "they differ");

  const asked: number[] = [];
  const custom = await waits({
    CustomReconnectDelayCB: (attempt) => {
      asked.push(attempt);
      return attempt < 3 ? 110 + attempt : 600_000;
    },
  });
  await until("three attempts", 10_000, () => custom.ms.length >= 3);
  assert.deepEqual(asked, [1, 2, 3]);
  assert.deepEqual(custom.ms, [111, 112, 600_000]);
  const startMs = systemClock.nowMs();
  await custom.nc.close();
  assert.ok(systemClock.nowMs() - startMs < 60_000);
});

test("[nats 37]: a server that refuses the login uses up the same attempts as one that is dead", async (t) => {
  const dead = await fakeNats(t);
  const refusing = await fakeNats(t, {
    line: (line, socket, n) => {
      if (!line.startsWith("CONNECT") || n === 1) return undefined;
      socket.end("-ERR 'Authorization Violation'\r\n");
      return false;
    },
  });
  await dead.close();
  const options = fromGoOptions({
    ...{ Servers: [refusing.url, dead.url], NoRandomize: true, IgnoreAuthErrorAbort: true },
    ...{ MaxReconnect: 3, ReconnectWait: 10, ReconnectJitter: 0 },
  });
  const nc = await connected(t, [refusing.url, dead.url], {
    ...options,
    maxReconnectAttempts: 3,
    resilience: { ...options.resilience, auth: { backoff: constant(10) } },
  });
  const failures: string[] = [];
  nc.resilience.on("attemptFailed", ({ endpoint }) => void failures.push(endpoint));
  for (const socket of refusing.open) socket.destroy();
  const why = await nc.closed();
  const of = (port: number) => failures.filter((endpoint) => endpoint.endsWith(`:${port}`)).length;
  assert.deepEqual([of(refusing.port), of(dead.port)], [3, 3]);
  assert.ok(why instanceof Error);
});

test("[nats 66]: a server that refuses the login is passed by; the next one is used", async (t) => {
  const refusing = await fakeNats(t, {
    line: (line, socket) => {
      if (!line.startsWith("CONNECT")) return undefined;
      socket.end("-ERR 'Authorization Violation'\r\n");
      return false;
    },
  });
  const [first, last] = [await fakeNats(t), await fakeNats(t)];
  const nc = await connected(t, [first.url, refusing.url, last.url], { resilience: { stableAfterMs: 0 } });
  const told: string[] = [];
  nc.resilience.on("asyncError", ({ error }) => void told.push(String(error)));
  const back = next(nc, "reconnected");
  await first.close();
  await back;
  assert.equal(nc.getServer(), `127.0.0.1:${last.port}`);
  assert.equal(refusing.accepted(), 1);
  assert.match(told.join(), /authorization violation/i);
});

/** Publishes to a server that reads nothing until bytes wait in the socket, or until that has been found out. */
async function clog(nc: Awaited<ReturnType<typeof connected>>): Promise<void> {
  const payload = new Uint8Array(512 * 1024);
  for (let i = 0; i < 24 && !nc.isClosed(); i++) {
    nc.publish("a", payload);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("[nats 54]: a stalled write is told (FlusherTimeout); with ReconnectOnFlusherError it moves to another server, with reconnecting off it closes", async (t) => {
  const fresh = async () => {
    const server = await fakeNats(t);
    return { server, stall: () => [...server.open].map((socket) => socket.pause()) };
  };
  const told: string[] = [];
  const go: NatsGoOptions = {
    ...{ FlusherTimeout: 100, NoRandomize: true },
    AsyncErrorCB: (_nc, _sub, error) => void told.push(String(error)),
  };
  const patient = await fresh();
  const stays = await connected(t, patient.server.url, fromGoOptions(go));
  patient.stall();
  await clog(stays);
  await until("the error", 5_000, () => told.some((text) => /took none of \d+ bytes for 100 ms/.test(text)));
  assert.equal(stays.resilience.snapshot().connects, 1);

  const [from, to] = [await fresh(), await fresh()];
  const moves = await connected(
    t,
    [from.server.url, to.server.url],
    fromGoOptions({ ...go, ReconnectOnFlusherError: true }),
  );
  const [lost, back] = [next(moves, "disconnected"), next(moves, "reconnected")];
  from.stall();
  await clog(moves);
  assert.match(String(((await lost) as { cause: unknown }).cause), /took none/);
  await back;
  assert.equal(moves.getServer(), `127.0.0.1:${to.server.port}`);

  const last = await fresh();
  const closes = await connected(
    t,
    last.server.url,
    fromGoOptions({ ...go, ReconnectOnFlusherError: true, AllowReconnect: false }),
  );
  last.stall();
  await clog(closes);
  assert.match(String(await closes.closed()), /took none/);
});

test("a write that makes progress, however slow, is no stall; one that stops is told again and again; none waits: nobody looks", () => {
  const clock = new VirtualClock();
  const wire = { bufferedBytes: 0, writtenBytes: 0 };
  const physical = { transport: wire } as unknown as Physical;
  const stalls: number[] = [];
  const watch = new WriteStall(clock, 100, (_physical, bytes) => void stalls.push(bytes));
  wire.writtenBytes = 1_000;
  wire.bufferedBytes = 1_000;
  watch.published(physical);
  watch.published(physical);
  assert.equal(clock.pendingTimers, 1);
  for (let left = 900; left > 500; left -= 100) {
    wire.bufferedBytes = left;
    clock.advance(100);
  }
  assert.deepEqual(stalls, [], "a hundred bytes each time");
  clock.advance(250);
  assert.deepEqual(stalls, [600, 600]);
  wire.bufferedBytes = 0;
  clock.advance(100);
  assert.equal(clock.pendingTimers, 0);
  watch.published(physical);
  watch.stop();
  assert.equal(clock.pendingTimers, 0);
  new WriteStall(clock, Number.POSITIVE_INFINITY, () => assert.fail()).published(physical);
  assert.equal(clock.pendingTimers, 0);
});

test("the live write buffer never exceeds its bound, not by one message either", async (t) => {
  const server = await fakeNats(t);
  const bound = 1 << 20;
  const nc = await connected(t, server.url, { resilience: { writeBufferBytes: bound } });
  for (const socket of server.open) socket.pause();
  let most = 0;
  let refused = 0;
  const wire = (
    nc as unknown as { protocol: { transport: { bufferedBytes: number }; outbound: { size(): number } } }
  ).protocol;
  for (let i = 0; i < 400; i++) {
    try {
      nc.publish("a", new Uint8Array(1 + ((i * 7919) % 300_000)));
    } catch (error) {
      assert.ok(isHoldfastError(error) && error.code === "HF_WRITE_BUFFER_FULL");
      refused++;
    }
    most = Math.max(most, wire.transport.bufferedBytes + wire.outbound.size());
    if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(refused > 0);
  assert.ok(most <= bound, `${most} bytes`);
  assert.ok(most > bound / 2, `${most} bytes: the bound was never near`);
});
