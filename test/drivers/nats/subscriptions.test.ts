/** Subscriptions across reconnects: callbacks and iterators, queue groups, maximum, what was missed. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { errors, type ResilientNatsConnection } from "../../../src/drivers/nats/index.ts";
import type { RunningServer } from "../../../src/lab/index.ts";
import { until } from "../../support/until.ts";
import { connected, next, withNats } from "./support.ts";

/** Killed and started again; resolves when the connection is back. `down` runs in between. */
async function outage(nc: ResilientNatsConnection, server: RunningServer, down: () => unknown = () => {}) {
  const [lost, back] = [next(nc, "disconnected"), next(nc, "reconnected")];
  await server.kill9();
  await lost;
  await down();
  await server.restart();
  await back;
}

/** What an iterator yields, as it comes. */
function reading(sub: AsyncIterable<{ string(): string }>): { seen: string[]; ended: Promise<void> } {
  const seen: string[] = [];
  const ended = (async () => {
    for await (const message of sub) seen.push(message.string());
  })();
  return { seen, ended };
}

async function server(t: TestContext): Promise<RunningServer | undefined> {
  return withNats(t);
}

test("[nats 68]: a maximum is exact across several reconnects, for callbacks and iterators, given at once or later", async (t) => {
  const nats = await server(t);
  if (nats === undefined) return;
  const nc = await connected(t, nats.url);
  let called = 0;
  const byCallback = nc.subscribe("m", { max: 10, callback: () => void called++ });
  const byIterator = nc.subscribe("m", { max: 10 });
  const later = nc.subscribe("m");
  const [iterated, given] = [reading(byIterator), reading(later)];
  const publish = (count: number): void => {
    for (let i = 0; i < count; i++) nc.publish("m", "x");
  };
  publish(3);
  await nc.flush();
  await outage(nc, nats, () => publish(2));
  await nc.flush();
  later.unsubscribe(7); // five had been received
  await outage(nc, nats, () => publish(1));
  await nc.flush();
  assert.equal(called, 6);
  publish(20);
  await nc.flush();
  await Promise.all([iterated.ended, given.ended]);
  assert.equal(called, 10);
  assert.equal(iterated.seen.length, 10);
  assert.equal(given.seen.length, 7);
  for (const sub of [byCallback, byIterator, later]) assert.ok(sub.isClosed());
});

test("an iterator goes on over an outage in order, and ends when its subscription does, also while down", async (t) => {
  const nats = await server(t);
  if (nats === undefined) return;
  const nc = await connected(t, nats.url);
  const kept = reading(nc.subscribe("i"));
  const sub = nc.subscribe("i");
  const dropped = reading(sub);
  nc.publish("i", "1");
  await nc.flush();
  let added: ReturnType<typeof reading> | undefined;
  await outage(nc, nats, async () => {
    nc.publish("i", "2");
    sub.unsubscribe();
    await dropped.ended;
    added = reading(nc.subscribe("i"));
    nc.publish("i", "3");
  });
  nc.publish("i", "4");
  await nc.flush();
  await until("all of it", 5_000, () => kept.seen.length === 4 && added?.seen.length === 3);
  assert.deepEqual(kept.seen, ["1", "2", "3", "4"]);
  assert.deepEqual(dropped.seen, ["1"]);
  assert.deepEqual(added?.seen, ["2", "3", "4"], "a subscription is in force before what waited is sent");
  await nc.drain();
  await kept.ended;
});

test("[nats 8] N2: queue groups over an outage: each message to one member, plain subscribers get all", async (t) => {
  const nats = await server(t);
  if (nats === undefined) return;
  const clients = [await connected(t, nats.url), await connected(t, nats.url), await connected(t, nats.url)];
  const worked: string[] = [];
  const all: string[] = [];
  for (const nc of clients) {
    nc.subscribe("work", { queue: "crew", callback: (_e, msg) => void worked.push(msg.string()) });
    nc.subscribe("work", { callback: (_e, msg) => void all.push(msg.string()) });
    await nc.flush();
  }
  const back = clients.map((nc) => next(nc, "reconnected"));
  await nats.kill9();
  await nats.restart();
  await Promise.all(back);
  for (const nc of clients) await nc.flush();
  const [first] = clients as [ResilientNatsConnection];
  for (let i = 0; i < 60; i++) first.publish("work", `${i}`);
  await first.flush();
  await until("all of it", 5_000, () => worked.length === 60 && all.length === 180);
  assert.equal(new Set(worked).size, 60);
});

test("a gap is told for each subscription that missed what was sent while it was down, not for the library's own inbox", async (t) => {
  const nats = await server(t);
  if (nats === undefined) return;
  const nc = await connected(t, nats.url);
  nc.subscribe("a.*", { callback: () => {} });
  nc.subscribe("b", { queue: "q", callback: () => {} });
  nc.subscribe("echo", { callback: (_e, msg) => void msg.respond("") });
  await nc.request("echo");
  const gaps: { subscription: string; downMs: number }[] = [];
  nc.resilience.on("gap", (gap) => void gaps.push(gap));
  await outage(nc, nats, () => {
    nc.subscribe("new", { callback: () => {} });
  });
  assert.deepEqual(gaps.map(({ subscription }) => subscription).sort(), ["a.*", "b", "echo"]);
  for (const { downMs } of gaps) assert.ok(downMs > 0 && downMs < 10_000, `${downMs}`);
});

test("a subscription that is not permitted ends with the error, the others and the connection go on", async (t) => {
  const nats = await withNats(t, {
    config: {
      authorization: '{ users: [ { user: u, password: p, permissions: { subscribe: { deny: "no" } } } ] }',
    },
  });
  if (nats === undefined) return;
  const nc = await connected(t, nats.url, { user: "u", pass: "p" });
  const told = next(nc, "asyncError");
  let heard = 0;
  nc.subscribe("yes", { callback: () => void heard++ });
  const denied = nc.subscribe("no");
  await assert.rejects(async () => {
    for await (const _ of denied) assert.fail("nothing is delivered");
  }, errors.PermissionViolationError);
  await told;
  nc.publish("yes");
  await nc.flush();
  assert.equal(heard, 1);
  assert.equal(nc.resilience.snapshot().connects, 1);
  await outage(nc, nats);
  nc.publish("yes");
  await nc.flush();
  assert.equal(heard, 2);
});

test("a subscription that drains over a loss ends, and the server keeps no interest in it", async (t) => {
  const nats = await server(t);
  if (nats === undefined) return;
  const nc = await connected(t, nats.url);
  const witness = await connected(t, nats.url);
  let heard = 0;
  const sub = nc.subscribe("d", { callback: () => void heard++ });
  await nc.flush();
  const back = next(witness, "reconnected");
  await outage(nc, nats, () => void sub.drain());
  await back;
  await nc.flush();
  await assert.rejects(witness.request("d", "", { timeout: 2_000 }), /no responders/i);
  assert.equal(heard, 0);
  assert.ok(sub.isClosed());
});
