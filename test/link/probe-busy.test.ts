import assert from "node:assert/strict";
import { test } from "node:test";
import { constant, immediately } from "../../src/backoff/index.ts";
import { type Driver, Link } from "../../src/link/index.ts";
import { resolveResilience } from "../../src/options/index.ts";
import { virtualWorld } from "../../src/time/index.ts";

/** A link with one call in flight on a connection that is never heard of again; how often it was probed in 10 s. */
async function probesOf(probesWhileBusy: boolean): Promise<number> {
  const world = virtualWorld(1);
  let probes = 0;
  const driver: Driver<object> = {
    name: "fake",
    open: async () => ({}),
    restore: async () => ({ restored: [] }),
    probe: async () => void probes++,
    probesWhileBusy,
    close: async () => {},
    classifyLink: () => "transient",
    classifyCall: () => ({ outcome: "maybe-applied" }),
  };
  const config = resolveResilience({ liveness: { idleProbeMs: 1_000 }, world });
  const link = new Link({
    ...config,
    policy: { ...config.policy, backoff: immediately(constant(100)) },
    name: "busy",
    driver,
    endpoints: [{ host: "a", port: 1 }],
  });
  await link.connect();
  link.call({ bytes: 1, effect: "read", kind: "blocking" }, () => new Promise(() => {})).catch(() => {});
  await world.clock.advanceAsync(10_000);
  await link.close();
  return probes;
}

test("a quiet connection with calls in flight is probed only where the driver says that a probe overtakes them", async () => {
  assert.equal(await probesOf(false), 0);
  assert.ok((await probesOf(true)) >= 8);
});
