/** What an old connection still says, and when many clients of one server come back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Backoff, boundedExponential, immediately } from "../../src/backoff/index.ts";
import { Fake, refused } from "./support/fake.ts";

test("[mariadb-redis 56] whatever an old connection still says or answers changes nothing", async () => {
  const fake = new Fake();
  const heard: string[] = [];
  for (const name of ["asyncError", "lameDuck", "discovered"] as const)
    fake.link.on(name, () => void heard.push(name));
  await fake.link.connect();
  const old = fake.last;
  const call = fake.call("one");
  fake.lose();
  const [sent] = old.sent;
  sent?.reject(new Error("gone"));
  await assert.rejects(call, { code: "HF_LOST", outcome: "maybe-applied" });
  await fake.advance(1_000);
  assert.equal(fake.link.phase, "ready");
  assert.notEqual(fake.last, old);
  fake.news();
  heard.length = 0;
  const next = fake.call("two");
  old.sink.lost(new Error("late"));
  old.sink.alive();
  old.sink.discovered([{ host: "elsewhere", port: 1 }]);
  old.sink.asyncError(new Error("late"));
  old.sink.lameDuck("late");
  sent?.resolve("late");
  await fake.advance(60_000);
  assert.deepEqual([fake.news(), heard], [[], []]);
  assert.equal(fake.dials.length, 2);
  fake.last.sent[0]?.resolve("in time");
  assert.equal(await next, "in time");
  await fake.link.close();
});

/** When each of 200 clients dials, counted from the loss; the first `refusals` dials of each are refused. */
async function redials(backoff: Backoff, refusals: number): Promise<number[]> {
  const times: number[] = [];
  for (let seed = 1; seed <= 200; seed++) {
    const fake = new Fake({ seed, policy: { backoff, minDialGapMs: 0 } });
    const connected = fake.link.connect();
    await fake.advance(7_000); // also waits for its first turn
    await connected;
    const lostMs = fake.world.clock.nowMs();
    let left = refusals;
    fake.answer = () => (left-- > 0 ? refused() : "accept");
    fake.lose();
    await fake.advance(2_000);
    times.push((fake.dials.at(-1)?.atMs as number) - lostMs);
    await fake.link.close();
  }
  return times;
}

/** The most dials that fall into any 20 ms. */
function crowd(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((ms) => ms >= from && ms < from + 20).length));
}

test("[mariadb-redis 44] the first delay is honoured and drawn: 200 clients of one server spread over it", async () => {
  const shape = boundedExponential({ minMs: 50, baseMs: 200, capMs: 10_000 });
  const first = await redials(shape, 0);
  assert.ok(Math.min(...first) >= 50 && Math.max(...first) <= 250);
  assert.ok(crowd(first) < 40, "evenly spread would be 20");
});

test("[mariadb-redis 44] with an immediate first try, the clients it fails for are spread", async () => {
  const shape = immediately(boundedExponential({ minMs: 50, baseMs: 200, capMs: 10_000 }));
  assert.deepEqual(new Set(await redials(shape, 0)), new Set([0]));
  const second = await redials(shape, 1);
  assert.ok(Math.min(...second) >= 50 && Math.max(...second) <= 250);
  assert.ok(crowd(second) < 40);
});
