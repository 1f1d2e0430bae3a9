import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { NatsConnectionImpl } from "../../../src/drivers/nats/index.ts";
import { until } from "../../support/until.ts";
import { connected, lose, told, withNats } from "./support.ts";

test("N1 N2 N6 [nats 6] [nats 8]: kill -9 and restart: subscriptions and queue groups live on, nothing published is lost", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const lines = told(nc);
  const seen: string[] = [];
  const queued: string[] = [];
  nc.subscribe("plain.*", { callback: (_e, msg) => void seen.push(msg.string()) });
  for (let member = 0; member < 3; member++)
    nc.subscribe("work", { queue: "crew", callback: (_e, msg) => void queued.push(msg.string()) });
  nc.publish("plain.a", "before");
  await nc.flush();

  await lose(nc, () => server.kill9());
  nc.publish("plain.a", "during");
  nc.publish("work", "once");
  await server.restart();
  await nc.flush();

  assert.deepEqual(seen, ["before", "during"]);
  assert.deepEqual(queued, ["once"], "one member of the group got it, once");
  assert.ok(nc instanceof NatsConnectionImpl, "the library's own class");
  assert.deepEqual(
    lines.filter((line) => line !== "attemptFailed" && line !== "gap"),
    ["disconnected", "reconnected"],
  );
  assert.equal(nc.resilience.snapshot().connects, 2);
});

test("[nats 7]: a subscription added while down works, one removed while down stays gone, the rest is exact", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const seen: string[] = [];
  const note = (name: string) => ({ callback: () => void seen.push(name) });
  const removed = nc.subscribe("s", note("removed"));
  nc.subscribe("s", note("kept"));
  await nc.flush();
  await lose(nc, () => server.kill9());
  removed.unsubscribe();
  nc.subscribe("s", note("added"));
  for (let i = 0; i < 4; i++) nc.publish("s");
  await server.restart();
  await nc.flush();
  assert.equal(seen.filter((name) => name === "kept").length, 4);
  assert.equal(seen.filter((name) => name === "added").length, 4);
  assert.equal(seen.filter((name) => name === "removed").length, 0);
});

test("[nats 68]: a subscription's maximum is exact across a reconnect", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  let count = 0;
  const sub = nc.subscribe("m", { max: 10, callback: () => void count++ });
  for (let i = 0; i < 4; i++) nc.publish("m");
  await nc.flush();
  await lose(nc, () => server.kill9());
  await server.restart();
  for (let i = 0; i < 20; i++) nc.publish("m");
  await nc.flush();
  assert.equal(count, 10);
  assert.ok(sub.isClosed());
});

test("requests: in flight at a loss they fail at once as maybe-applied; waiting they are answered by the next server", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  let arrived = 0;
  nc.subscribe("silent", { callback: () => void arrived++ });
  nc.subscribe("echo", { callback: (_e, msg) => void msg.respond(msg.data) });
  const inFlight = nc.request("silent", "x", { timeout: 60_000 });
  await until("the request to arrive", 5_000, () => arrived === 1);
  const settled = assert.rejects(inFlight, (error: unknown) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_LOST");
    assert.equal(error.outcome, "maybe-applied");
    return true;
  });
  await server.kill9();
  await settled;
  const waiting = nc.request("echo", "hello", { timeout: 30_000 });
  const expired = assert.rejects(nc.request("silent", "gone", { timeout: 30 }), (error: unknown) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.outcome, "not-applied");
    return true;
  });
  await expired;
  await server.restart();
  assert.equal((await waiting).string(), "hello");
  await nc.flush();
  assert.equal(arrived, 1, "the request whose caller left was never sent");
});
