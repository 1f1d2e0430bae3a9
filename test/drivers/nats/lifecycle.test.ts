import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { errors, fromGoOptions } from "../../../src/drivers/nats/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, lose, next, told, withNats } from "./support.ts";

test("[nats 18] [nats 20]: force: ten calls are one reconnect, a later one works again, it cuts a long back-off, subscriptions survive", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url, { reconnectTimeWait: 10_000 });
  let count = 0;
  nc.subscribe("f", { callback: () => void count++ });
  for (const connects of [2, 3]) {
    const back = next(nc, "reconnected");
    for (let i = 0; i < 10; i++) await nc.reconnect();
    await back;
    assert.equal(nc.resilience.snapshot().connects, connects);
  }
  await lose(nc, () => server.kill9());
  await server.restart();
  const startMs = systemClock.nowMs();
  const back = next(nc, "reconnected");
  await nc.reconnect();
  await back;
  assert.ok(systemClock.nowMs() - startMs < 9_000, "not after the ten seconds");
  nc.publish("f");
  await nc.flush();
  assert.equal(count, 1);
});

test("force in a loop while the server is down is no hot loop", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { reconnectTimeWait: 10_000 });
  await lose(nc, () => server.close());
  const before = nc.resilience.snapshot().dials;
  const startMs = systemClock.nowMs();
  while (systemClock.nowMs() < startMs + 500) {
    for (let i = 0; i < 100; i++) await nc.reconnect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const tookMs = systemClock.nowMs() - startMs;
  const dials = nc.resilience.snapshot().dials - before;
  assert.ok(dials <= 2 + tookMs / 100, `${dials} dials in ${tookMs} ms`);
});

test("[nats 5] [nats 49] [nats 45]: close ends a long back-off and a waiting flush at once; every later call says closed", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, fromGoOptions({ CustomReconnectDelayCB: () => 600_000 }));
  await lose(nc, () => server.close());
  const flush = assert.rejects(nc.flush(), /closed/);
  const startMs = systemClock.nowMs();
  await nc.close();
  await flush;
  assert.ok(systemClock.nowMs() - startMs < 60_000);
  assert.equal(await nc.closed(), undefined, "its owner closed it: no error");
  const closed = errors.ClosedConnectionError;
  assert.throws(() => nc.publish("a"), closed);
  assert.throws(() => nc.subscribe("a"), closed);
  assert.throws(() => nc.publishMessage({ subject: "a", data: new Uint8Array() } as never), closed);
  await assert.rejects(nc.request("a"), closed);
  await assert.rejects(nc.requestMany("a"), closed);
  await assert.rejects(nc.flush(), closed);
  await assert.rejects(nc.drain(), closed);
  await assert.rejects(nc.rtt(), closed);
  await assert.rejects(nc.reconnect(), closed);
  await nc.close();
});

test("[nats 67]: drain loses nothing; while down it sends what waits when a server comes back, and no zombie is left", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const witness = await connected(t, server.url);
  const seen: string[] = [];
  witness.subscribe("d", { callback: (_e, msg) => void seen.push(msg.string()) });
  await witness.flush();

  const normal = await connected(t, server.url);
  for (let i = 0; i < 100; i++) normal.publish("d", `n${i}`);
  await normal.drain();
  await until("all of it", 5_000, () => seen.length === 100);
  assert.ok(normal.isClosed());

  const down = await connected(t, server.url);
  down.subscribe("other");
  const lost = next(down, "disconnected");
  const back = next(witness, "reconnected");
  await server.kill9();
  await lost;
  down.publish("d", "late");
  const drained = down.drain();
  assert.throws(() => down.subscribe("x"), errors.DrainingConnectionError);
  await server.restart();
  await drained;
  assert.ok(down.isClosed(), "no zombie");
  await back;
  // The witness may have come back after the message: what counts is that the drained connection is gone.
  await until("one connection", 5_000, async () => (await server.connectionCount()) === 1);
});

test("drain while down ends at its deadline", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { resilience: { drainTimeoutMs: 100 } });
  await lose(nc, () => server.close());
  nc.publish("a", "never");
  await nc.drain();
  assert.ok(nc.isClosed());
});

test("N14 N15 [nats 39] [nats 50]: a server that stops answering is found within (out + 1) × interval, again and again", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(
    t,
    server.url,
    fromGoOptions({ PingInterval: 100, MaxPingsOut: 2, Timeout: 2_000, ReconnectWait: 20 }),
  );
  for (let round = 0; round < 2; round++) {
    const lost = next(nc, "disconnected");
    const startMs = systemClock.nowMs();
    await server.pause();
    const { cause } = (await lost) as { cause: unknown };
    const tookMs = systemClock.nowMs() - startMs;
    assert.ok(isHoldfastError(cause) && cause.code === "HF_HALF_OPEN");
    // The bound to the millisecond is shown in virtual time; by the defaults it would be 6 minutes.
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    await server.resume();
    await nc.flush();
  }
});

test("[nats 50]: too many pings out with reconnecting off: closed, as stale", async (t) => {
  let mute = false;
  const server = await fakeNats(t, { line: (line) => !(mute && line === "PING") });
  const options = fromGoOptions({ PingInterval: 20, MaxPingsOut: 2, AllowReconnect: false });
  const nc = await connected(t, server.url, options);
  mute = true;
  const why = await nc.closed();
  assert.ok(isHoldfastError(why) && why.code === "HF_HALF_OPEN", String(why));
  assert.equal(server.accepted(), 1);
});

test("[nats 9] [nats 10] [nats 64]: an outage is not closed; state is visible; RTT fails while down", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  assert.ok((await nc.rtt()) >= 0);
  assert.equal(nc.resilience.health().status, "up");
  const waits = next(nc, "attemptFailed");
  await server.kill9();
  await waits;
  assert.equal(nc.isClosed(), false);
  assert.equal(nc.resilience.health().status, "degraded");
  assert.match(nc.resilience.explain(), /refused|waiting|dialing/);
  await assert.rejects(nc.rtt(), /disconnected/);
  await server.restart();
  await nc.flush();
  assert.equal(nc.resilience.snapshot().phase, "ready");
  await nc.close();
  assert.equal(nc.resilience.snapshot().phase, "closed");
});

test("status(): one event for each transition", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const types: string[] = [];
  const reading = (async () => {
    for await (const { type } of nc.status()) types.push(type);
  })();
  const lines = told(nc);
  await lose(nc, () => server.kill9());
  await server.restart();
  await nc.flush();
  await nc.close();
  await reading;
  const once = types.filter((type) => type !== "reconnecting");
  assert.deepEqual(once, ["disconnect", "reconnect", "disconnect", "close"]);
  assert.equal(lines.at(-1), "closed");
});
