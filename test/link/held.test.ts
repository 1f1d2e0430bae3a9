/** Calls that the server asked to repeat after a while wait like all others: bounded in bytes, count and age. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { Fake, type FakeOptions } from "./support/fake.ts";

const loading = new Error("LOADING");

/** A ready link whose server refuses everything for now: try again in a second. */
async function refusing(outbox: {
  bytes?: number;
  entries?: number;
  ageMs?: number;
  whenFull?: "drop-oldest";
}) {
  const limits = { bytes: 100, entries: 10, ageMs: 30_000, whenFull: "reject", ...outbox } as const;
  const options: FakeOptions = {
    config: { outbox: limits },
    driver: { classifyCall: () => ({ outcome: "not-applied", retryAfterMs: 1_000 }) },
  };
  const fake = new Fake(options);
  await fake.link.connect();
  let up = false;
  const send = (id: string): Promise<string> => (up ? Promise.resolve(id) : Promise.reject(loading));
  return {
    fake,
    recover: () => {
      up = true;
    },
    call(id: string, bytes: number): Promise<string> {
      const call = fake.link.call({ bytes, effect: "once", kind: "unary", name: id }, () => send(id));
      call.catch(() => {});
      return call;
    },
  };
}

function full(error: unknown): boolean {
  return (
    isHoldfastError(error) &&
    error.code === "HF_OUTBOX_FULL" &&
    error.outcome === "not-applied" &&
    error.cause === loading &&
    error.message.includes("can't wait to be sent again")
  );
}

for (const [what, limits] of [
  ["bytes", { bytes: 100 }],
  ["count", { bytes: 1_000, entries: 2 }],
] as const) {
  test(`held calls count in the outbox: ${what}`, async () => {
    const { fake, call, recover } = await refusing(limits);
    const first = call("first", 50);
    const second = call("second", 50);
    await fake.advance(1);
    assert.equal(fake.link.snapshot().waiting, 2);
    assert.equal(fake.link.snapshot().waitingBytes, 100);
    await assert.rejects(call("third", 50), full);
    recover();
    await fake.advance(1_000);
    assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
    assert.equal(fake.link.snapshot().waitingBytes, 0);
    assert.equal(await call("fourth", 100), "fourth");
    await fake.link.close();
    assert.equal(fake.world.clock.pendingTimers, 0);
  });
}

test("held and waiting calls share the bounds, and the oldest of both makes room", async () => {
  const { fake, call } = await refusing({ bytes: 100, whenFull: "drop-oldest" });
  const held = call("held", 60);
  await fake.advance(1);
  fake.answer = () => "hang";
  fake.lose();
  const waiting = call("waiting", 40);
  assert.equal(fake.link.snapshot().waitingBytes, 100);
  const newest = call("newest", 60);
  await assert.rejects(held, /held was dropped from the full outbox/);
  assert.equal(fake.link.snapshot().waitingBytes, 100);
  await fake.link.close();
  for (const left of [waiting, newest])
    await assert.rejects(left, (e) => isHoldfastError(e) && e.outcome === "not-applied");
  assert.equal(fake.link.snapshot().waitingBytes, 0);
});

test("a held call grows no older than the outbox allows, and one that left gives its bytes back", async () => {
  const { fake, call } = await refusing({ ageMs: 400 });
  const old = call("old", 50);
  await fake.advance(500);
  await assert.rejects(
    old,
    (e) => isHoldfastError(e) && e.code === "HF_OUTBOX_EXPIRED" && /400 ms to be sent again/.test(e.message),
  );
  assert.equal(fake.link.snapshot().waitingBytes, 0);
  await fake.link.close();
});

test("where nothing may wait, nothing is held either", async () => {
  const { fake, call } = await refusing({ bytes: 0 });
  await assert.rejects(call("x", 1), full);
  await fake.link.close();
});

test("held over a loss: sent on the next connection, in its moment", async () => {
  const { fake, call, recover } = await refusing({});
  const held = call("held", 50);
  await fake.advance(500);
  fake.answer = () => "hang";
  fake.lose();
  recover();
  await fake.advance(1_000); // its moment comes while there is no connection
  assert.equal(fake.link.snapshot().waiting, 1);
  fake.answer = () => "accept";
  await fake.advance(6_000);
  assert.equal(await held, "held");
  await fake.link.close();
});
