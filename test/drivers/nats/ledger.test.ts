/**
 * The outcome ledger of NATS. JetStream publishes are judged by their PubAck, core publishes by the PONG that follows
 * them. The long form is `npm run conformance -- nats --ledger`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../../src/drivers/nats/index.ts";
import { NatsWitnesses } from "../../../src/lab/conformance/targets/nats-witnesses.ts";
import {
  explainVerdict,
  faultProxy,
  loadTarget,
  runTrial,
  ServerUnavailable,
  stormFaults,
} from "../../../src/lab/index.ts";
import { withNats } from "./support.ts";

const { rolling = {} } = await loadTarget("nats");

for (const server of ["nats", "nats-current"]) {
  for (const [writes, run] of Object.entries(rolling)) {
    test(`ledger of ${writes} on ${server}: a rolling restart of three members leaves four zeros`, async (t) => {
      try {
        const { ok, told, verdict, restarts } = await run({ rounds: 1, perSecond: 2_000, server });
        assert.ok(ok, told);
        assert.equal(restarts, 3);
        assert.ok(verdict.acknowledged > 1_000, told);
        t.diagnostic(told);
      } catch (error) {
        if (!(error instanceof ServerUnavailable) || (process.env.CI === "true" && error.required))
          throw error;
        t.skip(error.message);
      }
    });
  }
}

test("ledger of core publishes through every fault of the line and a frozen server: four zeros", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const witnesses = await NatsWitnesses.start([server], "ledger");
  t.after(() => witnesses.close());
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port } });
  t.after(() => proxy.close());
  const nc = await connect({
    servers: proxy.address,
    reconnectTimeWait: 50,
    reconnectJitter: 20,
    maxReconnectAttempts: -1,
    resilience: {
      liveness: { idleProbeMs: 200, probeTimeoutMs: 400 },
      connectTimeoutMs: 1_000,
      stableAfterMs: 500,
    },
  });
  t.after(() => nc.close());
  // A killed server takes with it what it had confirmed and not yet passed on; that is for JetStream to survive.
  const faults = stormFaults.filter((fault) => fault !== "kill-9");
  const { verdict } = await runTrial({
    script: faults.map((fault) => ({ fault, holdMs: 600, calmMs: 300 })),
    stage: { proxy, server },
    perSecond: 2_000,
    calmFirstMs: 500,
    link: {
      write(id) {
        nc.publish("ledger", String(id));
        return nc.flush();
      },
      audit: () => witnesses.counts(),
      get ready() {
        return nc.resilience.snapshot().phase === "ready";
      },
      onReady: (changed) =>
        nc.resilience.on("state", ({ from, to }) => {
          if (from === "ready" || to === "ready") changed(to === "ready");
        }),
    },
  });
  assert.ok(verdict.ok, explainVerdict(verdict));
  for (const cut of verdict.cuts) assert.ok(cut.unknown <= cut.inFlight, cut.label);
  assert.ok(verdict.acknowledged > verdict.sent / 2, explainVerdict(verdict));
});
