/** What nats.go does and ours must not, by the letters of the list the driver was written from (1.8 a to j). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { type FakeBehaviour, type FakeServer, fakeNats } from "./fake-server.ts";
import { connected, lose, next, told } from "./support.ts";

const drop = (server: FakeServer): void => {
  for (const socket of server.open) socket.destroy();
};

test("nats.go 1.8/a: forced again and again in back-off: no hot loop, and no attempt is used up", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, {
    reconnectTimeWait: 60_000,
    maxReconnectAttempts: 60,
    resilience: { stableAfterMs: 0 },
  });
  const lost = next(nc, "attemptFailed");
  await server.close();
  await lost;
  const before = nc.resilience.snapshot().dials;
  const startMs = systemClock.nowMs();
  await until("a second of forcing", 10_000, async () => {
    for (let i = 0; i < 100; i++) await nc.reconnect();
    return systemClock.nowMs() >= startMs + 1_000;
  });
  const tookMs = systemClock.nowMs() - startMs;
  const dials = nc.resilience.snapshot().dials - before;
  assert.ok(dials >= 1 && dials <= tookMs / 40, `${dials} dials in ${tookMs} ms`);
  assert.equal(nc.isClosed(), false);
});

test("nats.go 1.8/b: two servers that accept and drop: backs off as if they refused", async (t) => {
  let on = false;
  const dropped: FakeBehaviour = {
    line(line, socket) {
      if (line !== "PING" || !on) return undefined;
      socket.destroy();
      return false;
    },
  };
  const servers = [await fakeNats(t, dropped), await fakeNats(t, dropped)];
  const nc = await connected(
    t,
    servers.map(({ url }) => url),
    { reconnectTimeWait: 500 },
  );
  on = true;
  for (const server of servers) drop(server);
  const accepted = (): number => servers.reduce((sum, server) => sum + server.accepted(), 0);
  const startMs = systemClock.nowMs();
  await until("three seconds and four connections", 10_000, () => {
    return systemClock.nowMs() >= startMs + 3_000 && accepted() >= 4;
  });
  const tookMs = systemClock.nowMs() - startMs;
  assert.ok(accepted() <= tookMs / 200, `${accepted()} connections in ${tookMs} ms`);
  assert.equal(nc.isClosed(), false);
});

test("nats.go 1.8/c 1.8/d: handshakes fail until the limit: one loss with its cause, then closed with its own", async (t) => {
  let on = false;
  const server = await fakeNats(t, {
    line: (line, socket) => {
      if (line !== "PING" || !on) return undefined;
      socket.destroy();
      return false;
    },
  });
  const nc = await connected(t, server.url, {
    maxReconnectAttempts: 2,
    resilience: { stableAfterMs: 0 },
  });
  const events = told(nc);
  const causes: unknown[] = [];
  nc.resilience.on("disconnected", ({ cause }) => void causes.push(cause));
  const closed = next(nc, "closed") as Promise<{ why: string; cause: unknown }>;
  on = true;
  drop(server);
  const { why, cause } = await closed;
  assert.equal(why, "attempts-exhausted");
  assert.notEqual(cause, undefined);
  assert.deepEqual(events, ["disconnected", "attemptFailed", "attemptFailed", "closed"]);
  assert.equal(causes.length, 1);
  assert.notEqual(causes[0], undefined);
});

test("nats.go 1.8/d: reconnecting off: the loss still has its cause", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { reconnect: false });
  const lost = next(nc, "disconnected") as Promise<{ cause: unknown }>;
  const closed = next(nc, "closed") as Promise<{ why: string; cause: unknown }>;
  drop(server);
  assert.match(String((await lost).cause), /closed the connection|reset/);
  assert.equal((await closed).why, "reconnect-disabled");
  assert.ok((await nc.closed()) instanceof Error);
});

test("nats.go 1.8/e: closed by its owner in back-off: no error is made up", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, {
    reconnectTimeWait: 60_000,
    resilience: { stableAfterMs: 0 },
  });
  const failed = next(nc, "attemptFailed");
  await server.close();
  await failed;
  const closed = next(nc, "closed") as Promise<{ why: string; cause: unknown }>;
  await nc.close();
  assert.deepEqual(await closed, { why: "user", cause: undefined });
  assert.equal(await nc.closed(), undefined);
});

test("nats.go 1.8/f: handshakes that hang: each attempt's socket goes with it", async (t) => {
  const server = await fakeNats(t, { info: (n) => (n > 1 ? false : {}) });
  const nc = await connected(t, server.url, { timeout: 200 });
  drop(server);
  await until("five attempts", 10_000, () => server.accepted() > 5);
  assert.ok(server.open.size <= 2, `${server.open.size} sockets: one that hangs, one just ended`);
  await nc.close();
  await until("none left", 10_000, () => server.open.size === 0);
});

test("nats.go 1.8/g: failed handshakes are no reconnects", async (t) => {
  const server = await fakeNats(t, {
    line: (line, socket, n) => {
      if (line !== "PING" || n === 1 || n > 4) return undefined;
      socket.destroy();
      return false;
    },
  });
  const nc = await connected(t, server.url);
  const back = next(nc, "reconnected");
  drop(server);
  await back;
  assert.equal(server.accepted(), 5);
  assert.equal(nc.resilience.snapshot().connects, 2, "the first and one more");
});

test("nats.go 1.8/h: a status reader that reads late misses nothing", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { resilience: { stableAfterMs: 0 } });
  const unread = nc.status();
  for (let i = 0; i < 3; i++) {
    const back = next(nc, "reconnected");
    drop(server);
    await back;
  }
  await nc.close();
  const types: string[] = [];
  for await (const { type } of unread) types.push(type);
  assert.equal(types.filter((type) => type === "disconnect").length, 4, "three losses and the close");
  assert.equal(types.filter((type) => type === "reconnect").length, 3);
});

test("nats.go 1.8/i: a request whose caller has left is never sent", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  await lose(nc, () => server.close());
  const { port } = server;
  await assert.rejects(
    nc.request("r", "too late", { timeout: 50 }),
    (error) => isHoldfastError(error) && error.outcome === "not-applied",
  );
  nc.publish("p", "still wanted");
  const again = await fakeNats(t, {}, port);
  await nc.flush();
  assert.ok(again.lines.includes("still wanted"));
  assert.ok(!again.lines.includes("too late"));
});

test("nats.go 1.8/j: what waited and went out on a connection that died at once is told, each message once", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  const unconfirmed: number[] = [];
  nc.resilience.on("unconfirmed", ({ count }) => void unconfirmed.push(count));
  await lose(nc, () => server.close());
  const { port } = server;
  for (let i = 0; i < 7; i++) nc.publish("w", "waited");
  const again = await fakeNats(
    t,
    {
      line: (line, socket, n) => {
        if (n > 1 || line !== "waited") return undefined;
        socket.resetAndDestroy();
        return false;
      },
    },
    port,
  );
  await until("another connection", 5_000, () => again.accepted() === 2);
  await nc.flush();
  assert.deepEqual(unconfirmed, [7]);
});
