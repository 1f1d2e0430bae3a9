/** A lazy link dials for those who wait, and for nobody else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { constant, immediately, list } from "../../src/backoff/index.ts";
import { Fake, refused } from "./support/fake.ts";

const lazy = { lazy: true, retryInitial: true } as const;

test("after a failed dial with nobody waiting a lazy link sleeps; the next call wakes it", async () => {
  const fake = new Fake({ policy: { ...lazy, backoff: list([0, 1_000]) } });
  fake.answer = () => refused();
  await fake.link.connect();
  const failures: (number | undefined)[] = [];
  fake.link.on("attemptFailed", ({ nextDelayMs }) => failures.push(nextDelayMs));
  const call = fake.call("left", { deadlineMs: 500 });
  await fake.advance(10);
  assert.equal(fake.link.phase, "waiting");
  await fake.advance(60_000);
  await assert.rejects(call);
  assert.equal(fake.link.phase, "dormant");
  assert.equal(fake.dials.length, 2, "the one for the caller, and the one already planned");
  assert.deepEqual(failures, [1_000, undefined]);
  assert.equal(fake.world.clock.pendingTimers, 0, "asleep without a timer");

  fake.answer = () => "accept";
  const next = fake.call("next");
  await fake.advance(10);
  assert.equal(fake.link.phase, "ready");
  assert.equal(fake.dials.length, 3);
  fake.last.sent[0]?.resolve("done");
  assert.equal(await next, "done");
  await fake.link.close();
});

test("callers that come and go don't dial a dead server as often as they come: the back-off goes on", async () => {
  const fake = new Fake({ policy: { ...lazy, backoff: immediately(constant(10_000)), minDialGapMs: 0 } });
  fake.answer = () => refused();
  await fake.link.connect();
  for (let i = 0; i < 600; i++) {
    fake.call(`call ${i}`, { deadlineMs: 50 });
    await fake.advance(100);
  }
  const gaps = fake.dials.slice(1).map(({ atMs }, i) => atMs - (fake.dials[i]?.atMs ?? 0));
  assert.ok(gaps.length >= 4 && gaps.length <= 6, `${gaps}`);
  for (const gap of gaps) assert.ok(gap >= 10_000, `${gaps}`);
  await fake.link.close();
});

test("a round over several endpoints is finished before it sleeps", async () => {
  const fake = new Fake({
    hosts: ["a", "b", "c"],
    policy: { ...lazy, backoff: immediately(constant(1_000)) },
  });
  fake.answer = () => refused();
  await fake.link.connect();
  const abort = new AbortController();
  fake.call("left", { signal: abort.signal });
  abort.abort();
  await fake.advance(10_000);
  assert.deepEqual(
    fake.dials.map(({ host }) => host),
    ["a", "b", "c"],
  );
  assert.equal(fake.link.phase, "dormant");
  await fake.link.close();
});

test("time asleep is not time down: it counts for no limit", async () => {
  const fake = new Fake({ policy: { ...lazy, backoff: immediately(constant(1_000)), maxElapsedMs: 5_000 } });
  fake.answer = () => refused();
  await fake.link.connect();
  fake.call("left", { deadlineMs: 50 });
  await fake.advance(3_600_000);
  assert.equal(fake.link.phase, "dormant");
  fake.answer = () => "accept";
  void fake.call("next");
  await fake.advance(10);
  assert.equal(fake.link.phase, "ready");
  await fake.link.close();
});

test("reconnectNow wakes it at once, whatever was left of the wait; who waits for ready is not left hanging", async () => {
  const fake = new Fake({ policy: { ...lazy, backoff: list([0, 60_000]) } });
  fake.answer = () => refused();
  await fake.link.connect();
  const abort = new AbortController();
  fake.call("left", { signal: abort.signal });
  abort.abort();
  const asleep = fake.link.whenReady();
  await fake.advance(10);
  assert.equal(fake.link.phase, "dormant");
  await asleep;
  fake.answer = () => "accept";
  fake.link.reconnectNow();
  await fake.advance(50); // the minimum gap
  assert.equal(fake.link.phase, "ready");
  assert.deepEqual(fake.news().slice(-3), ["restoring", "ready", "connected a"]);
  await fake.link.close();
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("other endpoints given while it sleeps: the next call dials the new one at once", async () => {
  const fake = new Fake({ policy: { ...lazy, backoff: immediately(constant(60_000)) } });
  fake.answer = ({ endpoint }) => (endpoint.host === "b" ? "accept" : refused());
  await fake.link.connect();
  const abort = new AbortController();
  fake.call("left", { signal: abort.signal });
  abort.abort();
  await fake.advance(10);
  assert.equal(fake.link.phase, "dormant");
  fake.link.setEndpoints([{ host: "b", port: 1 }]);
  void fake.call("next");
  await fake.advance(10);
  assert.equal(fake.link.phase, "ready");
  assert.deepEqual(
    fake.dials.map(({ host }) => host),
    ["a", "b"],
  );
  await fake.link.close();
});

test("a link that is not lazy goes on trying, with or without callers", async () => {
  const fake = new Fake({ policy: { ...lazy, lazy: false, backoff: immediately(constant(1_000)) } });
  fake.answer = () => refused();
  fake.link.connect().catch(() => {});
  await fake.advance(10_000);
  assert.equal(fake.dials.length, 11);
  await fake.link.close();
});
