/** Loops that peers run hot in, as counted dials in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { boundedExponential, constant, immediately, list } from "../../src/backoff/index.ts";
import { Governor } from "../../src/governor/index.ts";
import { Fake, refused } from "./support/fake.ts";

/** The smallest time between two dials to one endpoint. */
function smallestGapMs(fake: Fake): number {
  const last = new Map<string, number>();
  let smallest = Number.POSITIVE_INFINITY;
  for (const { host, atMs } of fake.dials) {
    smallest = Math.min(smallest, atMs - (last.get(host) ?? Number.NEGATIVE_INFINITY));
    last.set(host, atMs);
  }
  return smallest;
}

test("reconnectNow all the time in back-off: one dial per minimum gap, not 26,169 a second", async () => {
  const fake = new Fake({ policy: { backoff: constant(60_000), minDialGapMs: 100, retryInitial: true } });
  fake.answer = () => refused();
  fake.link.connect().catch(() => {});
  await fake.advance(60_000);
  const before = fake.dials.length;
  for (let ms = 0; ms < 2_000; ms++) {
    for (let i = 0; i < 10; i++) fake.link.reconnectNow();
    await fake.advance(1);
  }
  assert.equal(fake.dials.length - before, 20);
  assert.ok(smallestGapMs(fake) >= 100);
  await fake.link.close();
});

test("reconnectNow a thousand times while ready, waiting or parked is one dial", async () => {
  const governor = new Governor({ maxConcurrentDials: 1 });
  const blocked = governor.request("other", () => {});
  const fake = new Fake({ config: { permits: governor } });
  fake.link.connect().catch(() => {});
  for (let i = 0; i < 1_000; i++) fake.link.reconnectNow();
  assert.equal(governor.parked, 1);
  blocked.yield("up");
  await fake.advance(6_000);
  assert.equal(fake.dials.length, 1);
  for (let i = 0; i < 1_000; i++) fake.link.reconnectNow();
  await fake.advance(40);
  assert.equal(fake.dials.length, 2);
  await fake.link.close();
  assert.equal(governor.dialing, 0);
});

for (const hosts of [["a"], ["a", "b"]]) {
  test(`[mariadb-redis 45] accept, then drop, with ${hosts.length}: backs off like refused`, async () => {
    const backoff = immediately(boundedExponential({ minMs: 50, baseMs: 200, capMs: 10_000 }));
    const fake = new Fake({ hosts, policy: { backoff, minDialGapMs: 0, retryInitial: true } });
    for (const name of ["connected", "reconnected"] as const) fake.link.on(name, () => fake.lose("dropped"));
    fake.link.connect().catch(() => {});
    await fake.advance(60_000);
    const dropped = fake.dials.length;
    const refusing = new Fake({ hosts, policy: { backoff, minDialGapMs: 0, retryInitial: true } });
    refusing.answer = () => refused();
    refusing.link.connect().catch(() => {});
    await refusing.advance(60_000);
    assert.equal(dropped, refusing.dials.length, "the same draws, the same number of dials");
    assert.ok(dropped < 40 * hosts.length, `${dropped} dials in a minute`);
    await Promise.all([fake.link.close(), refusing.link.close()]);
  });
}

test("a wrong password is tried by the slow schedule, whatever the first connect's schedule says", async () => {
  const fake = new Fake({
    hosts: ["a", "b"],
    policy: { authBackoff: list([5_000]), retryInitial: true, minDialGapMs: 0 },
  });
  fake.answer = () => refused("auth");
  fake.link.connect().catch(() => {});
  await fake.advance(60_000);
  assert.equal(fake.dials.length, 2 * 13, "both endpoints at 0 s and then every 5 s");
  await fake.link.close();
});

test("a name that does not resolve is asked for by the schedule", async () => {
  const fake = new Fake({ policy: { backoff: list([0, 1_000]), retryInitial: true } });
  fake.answer = () => Object.assign(new Error("getaddrinfo ENOTFOUND a"), { code: "ENOTFOUND" });
  fake.link.connect().catch(() => {});
  await fake.advance(10_500);
  assert.equal(fake.dials.length, 11);
  await fake.link.close();
});

test("members that come and go in gossip are not dialled sooner than the minimum gap", async () => {
  const fake = new Fake({ policy: { retryInitial: true, backoff: constant(10_000), minDialGapMs: 500 } });
  fake.answer = () => refused();
  fake.link.connect().catch(() => {});
  await fake.advance(10_000);
  const b = { host: "b", port: 1 };
  const c = { host: "c", port: 1 };
  fake.answer = () => "accept";
  fake.link.on("connected", () => {
    fake.last.sink.discovered([b]);
    fake.answer = () => refused();
    fake.lose();
  });
  await fake.advance(60_000);
  for (let i = 0; i < 100; i++) {
    if (fake.link.phase === "restoring" || fake.link.phase === "ready")
      fake.last.sink.discovered(i % 2 ? [b] : [c]);
    await fake.advance(50);
  }
  assert.ok(smallestGapMs(fake) >= 500);
  await fake.link.close();
});

test("a backoff of no delay at all still leaves ten dials a second", async () => {
  const fake = new Fake({ policy: { retryInitial: true, backoff: constant(0), minDialGapMs: 100 } });
  fake.answer = () => refused();
  fake.link.connect().catch(() => {});
  await fake.advance(1_000);
  assert.ok(fake.dials.length <= 11, `${fake.dials.length} dials`);
  await fake.link.close();
});
