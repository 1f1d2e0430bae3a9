/** The reconnection of a fixed pool: the transitions of the DataStax Java driver's ReconnectionTest, and its defects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Backoff, constant, linear, take } from "../../src/backoff/index.ts";
import { Reconnection } from "../../src/pool/index.ts";
import { virtualWorld } from "../../src/time/index.ts";

function setUp(backoff: Backoff = linear({ baseMs: 100, capMs: 1_000 })) {
  const world = virtualWorld();
  const said: string[] = [];
  let finish: { done: (well: boolean) => void; failed: (error: Error) => void } | undefined;
  const reconnection = new Reconnection({
    ...{ world, backoff },
    attempt: (number) => {
      said.push(`attempt ${number} at ${world.clock.nowMs()}`);
      return new Promise((done, failed) => {
        finish = { done, failed };
      });
    },
    started: () => said.push("started"),
    waiting: (delayMs) => said.push(`wait ${delayMs}`),
    stopped: (exhausted) => said.push(exhausted === undefined ? "stopped" : "gave up"),
  });
  const end = async (well: boolean | Error): Promise<void> => {
    if (well instanceof Error) finish?.failed(well);
    else finish?.done(well);
    await world.clock.advanceAsync(0);
  };
  return { ...{ world, reconnection, end }, said: () => said.splice(0) };
}

test("starts not running; the first attempt comes after one delay; a second start changes nothing", async () => {
  const { reconnection, said, world } = setUp();
  assert.equal(reconnection.running, false);
  reconnection.start();
  reconnection.start();
  assert.deepEqual(said(), ["started", "wait 100"]);
  assert.equal(reconnection.running, true);
  await world.clock.advanceAsync(100);
  assert.deepEqual(said(), ["attempt 1 at 100"]);
});

test("stops when the attempt succeeds; each failure takes the next delay; the next episode begins anew", async () => {
  const { reconnection, said, world, end } = setUp();
  reconnection.start();
  await world.clock.advanceAsync(100);
  await end(false);
  await world.clock.advanceAsync(200);
  assert.deepEqual(said(), ["started", "wait 100", "attempt 1 at 100", "wait 200", "attempt 2 at 300"]);
  await end(true);
  assert.deepEqual(said(), ["stopped"]);
  assert.equal(reconnection.running, false);
  reconnection.start();
  assert.deepEqual(said(), ["started", "wait 100"]);
});

test("a relapse goes on with the schedule where it was", async () => {
  const { reconnection, said, world, end } = setUp();
  reconnection.start();
  await world.clock.advanceAsync(100);
  await end(true);
  reconnection.start(true);
  assert.deepEqual(said(), ["started", "wait 100", "attempt 1 at 100", "stopped", "started", "wait 200"]);
});

test("reconnectNow attempts at once and starts the schedule again, as the Java driver's documentation says", async () => {
  const { reconnection, said, world, end } = setUp();
  reconnection.start();
  await world.clock.advanceAsync(100);
  await end(false);
  said();
  reconnection.reconnectNow(false);
  assert.deepEqual(said(), ["attempt 2 at 100"]);
  await end(false);
  assert.deepEqual(said(), ["wait 100"]);
  await world.clock.advanceAsync(100);
  assert.deepEqual(said(), ["attempt 3 at 200"]);
});

for (const force of [false, true]) {
  test(`reconnectNow(${force}) during an attempt lets it finish`, async () => {
    const { reconnection, said, world, end } = setUp();
    reconnection.start();
    await world.clock.advanceAsync(100);
    said();
    for (let i = 0; i < 1_000; i++) reconnection.reconnectNow(force);
    assert.deepEqual(said(), []);
    await end(true);
    assert.deepEqual(said(), ["stopped"]);
  });
}

test("reconnectNow when stopped does nothing, unless forced: then it is told like any other start", async () => {
  const { reconnection, said, end } = setUp();
  reconnection.reconnectNow(false);
  assert.deepEqual(said(), []);
  reconnection.reconnectNow(true);
  assert.deepEqual(said(), ["started", "attempt 1 at 0"]);
  await end(false);
  assert.deepEqual(said(), ["wait 100"]);
});

test("stop between attempts ends at once and leaves no timer", async () => {
  const { reconnection, said, world } = setUp();
  reconnection.start();
  reconnection.stop();
  assert.deepEqual(said(), ["started", "wait 100", "stopped"]);
  assert.equal(world.clock.pendingTimers, 0);
});

for (const well of [true, false]) {
  test(`stop during an attempt that ends ${well ? "well" : "badly"}: it runs until then, and stops once`, async () => {
    const { reconnection, said, world, end } = setUp();
    reconnection.start();
    await world.clock.advanceAsync(100);
    said();
    reconnection.stop();
    assert.equal(reconnection.running, true);
    await end(well);
    assert.deepEqual(said(), ["stopped"]);
    assert.equal(world.clock.pendingTimers, 0);
  });
}

test("start after a stop during an attempt takes the stop back", async () => {
  const { reconnection, said, world, end } = setUp();
  reconnection.start();
  await world.clock.advanceAsync(100);
  reconnection.stop();
  reconnection.start();
  said();
  await end(false);
  assert.deepEqual(said(), ["wait 200"]);
});

test("an attempt that rejects is a failure, not the end of all reconnecting (as in the Java driver)", async () => {
  const { reconnection, said, world, end } = setUp();
  reconnection.start();
  await world.clock.advanceAsync(100);
  said();
  await end(new Error("the attempt itself broke"));
  assert.deepEqual(said(), ["wait 200"]);
});

test("a backoff that comes to its end ends the episode and says so", async () => {
  const { reconnection, said, world, end } = setUp(take(constant(50), 1));
  reconnection.start();
  await world.clock.advanceAsync(50);
  await end(false);
  assert.deepEqual(said(), ["started", "wait 50", "attempt 1 at 50", "gave up"]);
  assert.equal(reconnection.running, false);
});
