import assert from "node:assert/strict";
import { test } from "node:test";
import { type Backoff, constant, immediately, list, take } from "../../src/backoff/index.ts";
import { isHoldfastError } from "../../src/call/index.ts";
import { Fake, refused } from "./support/fake.ts";

test("connect, then close", async () => {
  const fake = new Fake();
  await fake.link.connect();
  assert.deepEqual(fake.news(), ["parked", "dialing", "attempt a", "restoring", "ready", "connected a"]);
  const closed = fake.link.close();
  await closed;
  assert.deepEqual(fake.news(), ["closing", "disconnected a", "closed", "closed user"]);
  assert.equal(fake.last.closed, "graceful");
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("a loss, two failed attempts, and ready again", async () => {
  const fake = new Fake();
  await fake.link.connect();
  await fake.advance(6_000);
  fake.news();
  let left = 2;
  fake.answer = () => (left-- > 0 ? refused() : "accept");
  fake.lose();
  await fake.advance(1_000);
  assert.deepEqual(fake.news(), [
    ...["parked", "disconnected a"],
    ...["dialing", "attempt a", "waiting", "attemptFailed a"],
    ...["parked", "dialing", "attempt a", "waiting", "attemptFailed a"],
    ...["parked", "dialing", "attempt a", "restoring", "ready", "reconnected a"],
  ]);
  assert.deepEqual(
    fake.dials.map((dial) => dial.atMs),
    [0, 6_000, 6_100, 6_200],
  );
  await fake.link.close();
});

test("the first connect fails: every endpoint once, then one error with every cause", async () => {
  const fake = new Fake({ hosts: ["a", "b"] });
  fake.answer = ({ endpoint }) => new Error(`${endpoint.host} refused`);
  const error = await fake.link.connect().catch((e: unknown) => e);
  assert.deepEqual(fake.news(), [
    ...["parked", "dialing", "attempt a", "parked", "attemptFailed a"],
    ...["dialing", "attempt b", "closing", "attemptFailed b", "closed", "closed first-connect-failed"],
  ]);
  assert.ok(isHoldfastError(error) && error.cause instanceof AggregateError);
  assert.deepEqual(
    error.cause.errors.map((cause: Error) => cause.message),
    ["a refused", "b refused"],
  );
  assert.match(error.message, /a:1: a refused; b:1: b refused/);
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("lazy: dormant until a call asks, dormant again when nothing needs it", async () => {
  const fake = new Fake({ policy: { lazy: true, retryInitial: true } });
  await fake.link.connect();
  assert.deepEqual(fake.news(), ["dormant"]);
  assert.equal(fake.dials.length, 0);
  const call = fake.call("one");
  await fake.advance(0);
  assert.deepEqual(fake.news(), ["parked", "dialing", "attempt a", "restoring", "ready", "connected a"]);
  fake.last.sent[0]?.resolve(1);
  assert.equal(await call, 1);
  fake.lose();
  assert.deepEqual(fake.news(), ["dormant", "disconnected a"]);
  await fake.advance(60_000);
  assert.equal(fake.dials.length, 1);
  await fake.link.close();
  assert.deepEqual(fake.news(), ["closed", "closed user"]);
});

test("lazy: a call starts a link that nobody connected", async () => {
  const fake = new Fake({ policy: { lazy: true, retryInitial: true } });
  void fake.call("one");
  await fake.advance(0);
  assert.equal(fake.last.sent[0]?.id, "one");
  await fake.link.close();
});

test("drain while down: what waits is still sent, then the link closes", async () => {
  const fake = new Fake();
  await fake.link.connect();
  await fake.advance(6_000);
  fake.answer = () => refused();
  fake.lose();
  await fake.advance(150);
  const waiting = fake.call("waits");
  const drained = fake.link.drain();
  fake.news();
  fake.answer = () => "accept";
  await fake.advance(100);
  fake.last.sent[0]?.resolve("done");
  assert.equal(await waiting, "done");
  await fake.advance(0);
  await drained;
  assert.deepEqual(fake.news().slice(-4), ["closing", "disconnected a", "closed", "closed drained"]);
});

test("drain with nothing to do closes in back-off and while dormant; at its deadline it closes anyway", async () => {
  const down = new Fake({ policy: { retryInitial: true } });
  down.answer = () => refused();
  down.link.connect().catch(() => {});
  await down.advance(50);
  await down.link.drain();
  assert.equal(down.told.at(-1), "closed drained");

  const lazy = new Fake({ policy: { lazy: true } });
  await lazy.link.connect();
  await lazy.link.drain();
  assert.equal(lazy.told.at(-1), "closed drained");

  const slow = new Fake();
  await slow.link.connect();
  const call = slow.call("slow");
  const drained = slow.link.drain(2_000);
  await slow.advance(2_000);
  await drained;
  assert.equal(slow.told.at(-1), "closed drain-timeout");
  await assert.rejects(call, (e) => isHoldfastError(e) && e.outcome === "maybe-applied");
  for (const { world } of [down, lazy, slow]) assert.equal(world.clock.pendingTimers, 0);
});

test("close while dialing: the dial is aborted, connect says why, nothing is left", async () => {
  const fake = new Fake();
  fake.answer = () => "hang";
  const connecting = fake.link.connect();
  connecting.catch(() => {});
  await fake.advance(10);
  await fake.link.close();
  assert.deepEqual(fake.news(), ["parked", "dialing", "attempt a", "closing", "closed", "closed user"]);
  await assert.rejects(connecting, /closed by its owner/);
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("failover goes to the next endpoint: ready, waiting, and from a dial that hangs", async () => {
  const fake = new Fake({ hosts: ["a", "b"] });
  await fake.link.connect();
  await fake.advance(6_000);
  fake.news();
  fake.link.failover();
  await fake.advance(0);
  const there = ["parked", "disconnected a", "dialing", "attempt b", "restoring", "ready", "reconnected b"];
  assert.deepEqual(fake.news(), there);
  await fake.advance(6_000);
  fake.answer = ({ endpoint }) => (endpoint.host === "a" ? "hang" : "accept");
  fake.lose();
  await fake.advance(0);
  fake.news();
  fake.link.failover(); // a hangs and b was just lost: nothing is left of this round
  await fake.advance(6_000);
  assert.equal(fake.link.phase, "ready");
  assert.equal(fake.last.host, "b");
  await fake.link.close();
});

test("failover in back-off dials the other endpoint at once", async () => {
  const fake = new Fake({ hosts: ["a", "b"], policy: { backoff: list([0, 10_000]) } });
  await fake.link.connect();
  await fake.advance(20_000);
  fake.answer = () => refused();
  fake.lose();
  await fake.advance(1_000);
  assert.equal(fake.link.phase, "waiting");
  const next = fake.link.snapshot().next?.endpoint;
  fake.answer = () => "accept";
  fake.link.failover();
  await fake.advance(0);
  assert.equal(fake.link.phase, "ready");
  assert.notEqual(`${fake.last.host}:1`, next);
  await fake.link.close();
});

test("refused credentials wait by their own schedule; a limit closes with HF_AUTH", async () => {
  const fake = new Fake({ policy: { maxAuthFailures: 3 } });
  await fake.link.connect();
  await fake.advance(6_000);
  fake.answer = () => refused("auth");
  fake.lose();
  await fake.advance(10_000);
  assert.deepEqual(
    fake.dials.map((dial) => dial.atMs),
    [0, 6_000, 7_000, 8_000],
  );
  assert.equal(fake.told.at(-1), "closed auth");
  await assert.rejects(fake.link.whenReady(), (e) => isHoldfastError(e) && e.code === "HF_AUTH");
});

test("fatal closes at once; reconnect: false closes at the loss", async () => {
  const fatal = new Fake({ hosts: ["a", "b"] });
  fatal.answer = () => refused("fatal");
  await assert.rejects(fatal.link.connect(), /can't go on: fatal/);
  assert.equal(fatal.dials.length, 1);

  const once = new Fake({ policy: { reconnect: false } });
  await once.link.connect();
  once.news();
  once.lose();
  await once.advance(0);
  assert.deepEqual(once.news(), ["closing", "disconnected a", "closed", "closed reconnect-disabled"]);
});

test("limits: attempts, elapsed time, also while parked for a permit", async () => {
  const few = new Fake({ policy: { retryInitial: true, maxAttempts: 3 } });
  few.answer = () => refused();
  await Promise.all([assert.rejects(few.link.connect(), /attempts-exhausted/), few.advance(1_000)]);
  assert.equal(few.dials.length, 3);

  const brief = new Fake({ policy: { retryInitial: true, maxElapsedMs: 250 } });
  brief.answer = () => refused();
  await Promise.all([assert.rejects(brief.link.connect(), /time-exhausted/), brief.advance(1_000)]);
  assert.deepEqual(
    brief.dials.map((dial) => dial.atMs),
    [0, 100, 200],
  );

  let yielded = 0;
  const permits = { request: () => ({ yield: () => void yielded++ }) };
  const parked = new Fake({ policy: { maxElapsedMs: 250 }, config: { permits } });
  await Promise.all([assert.rejects(parked.link.connect(), /time-exhausted/), parked.advance(250)]);
  assert.equal(yielded, 1);
  assert.equal(parked.world.clock.pendingTimers, 0);
});

test("a subscribe during the restore runs it again before any call passes", async () => {
  const fake = new Fake();
  const versions: number[] = [];
  fake.restore = async (_connection, session) => {
    versions.push(session.items.length);
    if (versions.length === 1) session.set("sub", 1);
    return { restored: [] };
  };
  const early = fake.call("early");
  await fake.link.connect();
  assert.deepEqual(versions, [0, 1]);
  assert.equal(fake.last.sent[0]?.id, "early");
  await fake.link.close();
  await assert.rejects(early);
});

test("a first connect that is refused for its credentials by every endpoint says so", async () => {
  const fake = new Fake({ hosts: ["a", "b"] });
  fake.answer = () => Object.assign(new Error("WRONGPASS"), { linkClass: "auth" as const });
  const error = await fake.link.connect().catch((e: unknown) => e);
  assert.ok(isHoldfastError(error));
  assert.equal(error.code, "HF_AUTH");
  assert.match(error.message, /refused the credentials: WRONGPASS/);
  assert.equal(fake.news().at(-1), "closed auth");
});

test("a first connect refused by one endpoint for other reasons is no matter of credentials", async () => {
  const fake = new Fake({ hosts: ["a", "b"] });
  fake.answer = ({ endpoint }) =>
    endpoint.host === "a" ? refused() : Object.assign(new Error("WRONGPASS"), { linkClass: "auth" as const });
  const error = await fake.link.connect().catch((e: unknown) => e);
  assert.ok(isHoldfastError(error));
  assert.equal(error.code, "HF_CONNECT");
});

test("a call larger than the whole write buffer is refused, also when the buffer is empty", async () => {
  const fake = new Fake();
  await fake.link.connect();
  await assert.rejects(fake.call("SET", { bytes: 1_001 }), (error) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_WRITE_BUFFER_FULL");
    assert.equal(error.outcome, "not-applied");
    assert.match(
      error.message,
      /SET was refused: its 1001 bytes are more than the write buffer holds \(1000\)/,
    );
    return true;
  });
  assert.equal(fake.last.sent.length, 0);
  await fake.link.close();
});

test("the first connect of a link dials at once, also where the schedule begins with a wait", async () => {
  const waits = constant(1_000);
  const cases: readonly [string, Backoff, readonly number[]][] = [
    ["a wait comes behind a failure", waits, [0, 1_000, 2_000, 3_000]],
    ["an immediate first try is that first dial", immediately(waits), [0, 1_000, 2_000, 3_000]],
    ["what a schedule allows, it allows behind it", take(waits, 2), [0, 1_000, 2_000]],
    ["even nothing", take(waits, 0), [0]],
  ];
  for (const [why, backoff, dials] of cases) {
    for (const lazy of [false, true]) {
      const fake = new Fake({ policy: { backoff, retryInitial: true, lazy } });
      fake.answer = () => refused();
      fake.link.connect().catch(() => {});
      const call = fake.call("one");
      call.catch(() => {});
      await fake.advance(3_500);
      assert.deepEqual(
        fake.dials.map(({ atMs }) => atMs),
        dials,
        why,
      );
      await fake.link.close();
    }
  }
  const fake = new Fake({ policy: { backoff: waits } });
  await fake.link.connect();
  fake.lose();
  await fake.advance(2_000);
  assert.deepEqual(
    fake.dials.map(({ atMs }) => atMs),
    [0, 1_000],
    "after a loss the schedule's first wait is kept",
  );
  await fake.link.close();
});
