import assert from "node:assert/strict";
import { test } from "node:test";
import {
  explainVerdict,
  faultProxy,
  runTrial,
  startTcpService,
  stormFaults,
  type TcpService,
  type TrialLink,
} from "../../../src/lab/index.ts";
import type { Link } from "../../../src/link/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { plainLink, plainWrite } from "../conformance/plain-driver.ts";

const resilience = {
  backoff: { minMs: 20, baseMs: 50, capMs: 200 },
  minDialGapMs: 20,
  connectTimeoutMs: 300,
  liveness: { idleProbeMs: 200, probeTimeoutMs: 200 },
};

function trialLink<C>(link: Link<C>, write: (id: number) => Promise<void>, service: TcpService): TrialLink {
  return {
    write,
    audit: async () => new Map(service.ledger.ids.map((id) => [id, service.ledger.count(id)])),
    get ready() {
      return link.phase === "ready";
    },
    onReady: (changed) =>
      link.on("state", ({ from, to }) => {
        if (to === "ready" || from === "ready") changed(to === "ready");
      }),
  };
}

const stormy = stormFaults.map((fault) => ({ fault, holdMs: 250, calmMs: 250 }));

test("four zeros and the rate between faults, through every fault, on a TCP service", async (t) => {
  const clean = checkLeaks(t);
  const service = await startTcpService();
  clean(() => service.kill());
  const proxy = await faultProxy({ upstream: { host: service.host, port: service.port } });
  clean(() => proxy.close());
  const link = plainLink([proxy.endpoint], resilience);
  clean(() => link.close());
  await link.connect();
  const result = await runTrial({
    script: stormy,
    stage: { proxy, server: { kill9: () => service.kill(), restart: () => service.restart() } },
    link: trialLink(link, (id) => plainWrite(link, id, 400), service),
    calmFirstMs: 500,
  });
  assert.ok(result.verdict.ok, explainVerdict(result.verdict));
  assert.ok(result.share >= 0.9, `${result.share} of the fault-free rate between faults`);
  assert.equal(result.verdict.cuts.length, stormFaults.length);
  assert.ok(result.verdict.acknowledged > 0.5 * result.verdict.sent);
  assert.ok(result.verdict.unknown > 0, "a storm that leaves nothing unknown did not hit anything");
});

test("a link that sends `once` calls again is caught: applied twice", async (t) => {
  const clean = checkLeaks(t);
  const service = await startTcpService();
  clean(() => service.kill());
  const proxy = await faultProxy({ upstream: { host: service.host, port: service.port } });
  clean(() => proxy.close());
  const link = plainLink([proxy.endpoint], {
    ...resilience,
    retry: { maxRetries: 3, unsafeResendMaybeApplied: true },
  });
  clean(() => link.close());
  await link.connect();
  const result = await runTrial({
    script: [{ fault: "black-hole-down", holdMs: 250, calmMs: 100 }],
    stage: { proxy, server: { kill9: () => service.kill(), restart: () => service.restart() } },
    link: trialLink(link, (id) => plainWrite(link, id, 5_000), service),
    calmFirstMs: 200,
  });
  assert.equal(result.verdict.ok, false);
  assert.ok(result.verdict.duplicated.length > 0);
});
