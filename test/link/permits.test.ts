/** Permits that throw: the link is not left waiting for a grant that nobody will give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { constant } from "../../src/backoff/index.ts";
import type { DialPermits } from "../../src/link/index.ts";
import { Fake, type FakeOptions } from "./support/fake.ts";

const broken = new Error("no permits today");

/** Throws as long as `broken` is true; counts. */
function permits(state: { broken: boolean; grantFirst?: boolean; asked: number; held: number }): DialPermits {
  return {
    request(_id, grant) {
      state.asked++;
      if (state.broken && state.grantFirst === true) grant();
      if (state.broken) throw broken;
      state.held++;
      grant();
      return { yield: () => void state.held-- };
    },
  };
}

function fakeWith(state: Parameters<typeof permits>[0], policy: FakeOptions["policy"] = {}): Fake {
  return new Fake({ config: { permits: permits(state) }, policy: { retryInitial: true, ...policy } });
}

test("permits that throw for a while are asked again by the schedule", async () => {
  const state = { broken: true, asked: 0, held: 0 };
  const fake = fakeWith(state, { backoff: constant(100) });
  const causes: unknown[] = [];
  fake.link.on("attemptFailed", ({ cause }) => causes.push(cause));
  const connecting = fake.link.connect();
  await fake.advance(1_050);
  assert.equal(fake.dials.length, 0);
  assert.equal(fake.link.phase, "waiting");
  assert.equal(state.asked, 11);
  assert.ok(causes.length === 11 && causes.every((cause) => cause === broken));
  assert.match(fake.link.snapshot().lastCause ?? "", /no permits today/);
  state.broken = false;
  await fake.advance(100);
  await connecting;
  assert.equal(fake.link.phase, "ready");
  await fake.link.close();
  assert.equal(state.held, 0, "every permit is given back");
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("without delays the minimum gap is left between two askings: no hot loop", async () => {
  const state = { broken: true, asked: 0, held: 0 };
  const fake = fakeWith(state, { backoff: constant(0), minDialGapMs: 50 });
  fake.link.connect().catch(() => {});
  await fake.advance(1_000);
  assert.ok(state.asked >= 20 && state.asked <= 21, `asked ${state.asked} times`);
  await fake.link.close();
});

test("where a first connect is not retried, the throw is why it failed", async () => {
  const fake = fakeWith({ broken: true, asked: 0, held: 0 }, { retryInitial: false });
  await assert.rejects(fake.link.connect(), (e) => (e as Error).cause === broken);
  assert.equal(fake.link.phase, "closed");
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("granted first and thrown then: the grant holds", async () => {
  const fake = fakeWith({ broken: true, grantFirst: true, asked: 0, held: 0 });
  await fake.link.connect();
  assert.equal(fake.dials.length, 1);
  await fake.link.close();
});
