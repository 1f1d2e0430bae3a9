import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { explain, health, resilienceOf, type TracedMessage, tracedEvents } from "../../src/observe/index.ts";
import { Fake, refused } from "../link/support/fake.ts";

test("explain and health follow a link through its life", async () => {
  const fake = new Fake();
  const r = resilienceOf(fake.link);
  assert.equal(r.explain(), "not started");
  assert.equal(r.health().status, "degraded");
  await fake.link.connect();
  await fake.advance(20_000);
  assert.equal(r.explain(), "ready on a:1 for 20 s");
  assert.deepEqual(r.health(), { status: "up", reason: r.explain(), downMs: 0 });
  fake.answer = () => refused();
  fake.lose();
  await fake.advance(160);
  void fake.call("INCR");
  assert.equal(r.explain(), "waiting 40 ms before attempt 3 to a:1: refused; 1 calls waiting (10 bytes)");
  assert.deepEqual([r.health().status, r.health().downMs], ["degraded", 160]);
  fake.answer = () => "hang";
  await fake.advance(50);
  assert.match(r.explain(), /^dialing a:1 \(attempt 3, for 10 ms\): refused/);
  await r.close();
  assert.equal(r.explain(), "closed (user)");
  assert.equal(r.health().status, "down");
});

test("a lazy link that fell asleep after failed attempts is degraded, with the last failure; one that nobody needed is up", async () => {
  const fake = new Fake({ policy: { lazy: true, retryInitial: true } });
  const r = resilienceOf(fake.link);
  await fake.link.connect();
  assert.deepEqual(r.health(), { status: "up", reason: "no connection; the next call dials", downMs: 0 });
  fake.answer = () => refused();
  const left = assert.rejects(fake.call("left", { deadlineMs: 50 }));
  await fake.advance(60_000);
  await left;
  assert.equal(fake.link.phase, "dormant");
  const { status, reason, downMs } = r.health();
  assert.deepEqual([status, downMs], ["degraded", 60_000]);
  assert.match(reason, /^no connection, attempt \d+ failed: refused; the next call dials$/);

  fake.answer = () => "accept";
  void fake.call("next");
  await fake.advance(10);
  assert.equal(r.health().status, "up");
  fake.last.sent[0]?.resolve("done");
  await fake.advance(10_000);
  fake.lose();
  assert.equal(fake.link.phase, "dormant");
  assert.equal(r.health().status, "up", "lost when nobody needed it: no attempt has failed since");
  await r.close();
});

test("a draining link is down for whoever balances load", async () => {
  const fake = new Fake();
  await fake.link.connect();
  void fake.call("slow");
  void fake.link.drain();
  assert.equal(fake.link.phase, "ready");
  assert.equal(health(fake.link.snapshot()).status, "down");
  await fake.link.close();
});

test("no credential in what a link says of its failures, also of a library's own", async () => {
  const fake = new Fake();
  fake.answer = () => new Error("can't reach redis://bob:hunter2@a:1/0?password=hunter2");
  const said: unknown[] = [];
  fake.link.on("closed", () => {
    said.push(fake.link.snapshot(), explain(fake.link.snapshot()), health(fake.link.snapshot()));
  });
  const error = await fake.link.connect().catch((e: Error) => e.message);
  assert.match(String(error), /can't reach/);
  assert.equal(said.length, 3);
  assert.doesNotMatch(JSON.stringify([said, error]), /hunter2/);
});

test("what a link tells is published on its diagnostics channels", async () => {
  const fake = new Fake();
  const heard: string[] = [];
  const note = (message: unknown): void => {
    const { link, event } = message as TracedMessage;
    heard.push(`${link} ${event}`);
  };
  const names = tracedEvents.filter((event) => event !== "state").map((event) => `holdfast:link:${event}`);
  for (const name of names) subscribe(name, note);
  resilienceOf(fake.link);
  await fake.link.connect();
  fake.lose();
  await fake.advance(200);
  await fake.link.close();
  for (const name of names) unsubscribe(name, note);
  assert.deepEqual(
    heard,
    ["attempt", "connected", "disconnected", "attempt", "reconnected", "disconnected", "closed"].map(
      (event) => `test ${event}`,
    ),
  );
});

test("the handle refuses what a closed link can't do", async () => {
  const fake = new Fake();
  const r = resilienceOf(fake.link);
  await r.close();
  assert.throws(() => r.reconnectNow(), /closed by its owner/);
  assert.throws(() => r.failover(), /closed by its owner/);
  await assert.rejects(r.whenReady(), /closed by its owner/);
  await Promise.all([r.close(), r.drain()]);
});
