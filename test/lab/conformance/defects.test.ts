/** The suite finds what it is there to find: plain drivers with one defect each, and the case that must fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldfastError } from "../../../src/call/index.ts";
import {
  allCases,
  type ConformanceCase,
  type ConformanceTarget,
  type OpenOptions,
  runConformance,
  type TargetClient,
  trialCase,
} from "../../../src/lab/index.ts";
import { plainTarget } from "./plain-target.ts";

function defective(open: (options: OpenOptions) => TargetClient): ConformanceTarget {
  return { ...plainTarget, open };
}

/** Runs the one case whose name begins so; its reason for failing. */
async function failureOf(target: ConformanceTarget, name: string): Promise<string> {
  const cases = allCases.filter((one) => one.name.startsWith(name));
  assert.equal(cases.length, 1, name);
  return reasonOf(target, cases[0] as ConformanceCase);
}

async function reasonOf(target: ConformanceTarget, one: ConformanceCase): Promise<string> {
  const { cases: results } = await runConformance(target, { cases: [one] });
  assert.equal(results[0]?.status, "failed", "the defect was not found");
  return results[0]?.reason ?? "";
}

function withResilience(change: OpenOptions["resilience"]): ConformanceTarget {
  return defective((options) =>
    plainTarget.open({ ...options, resilience: { ...options.resilience, ...change } }),
  );
}

test("a driver that sends a write again is found", async () => {
  const target = withResilience({ retry: { maxRetries: 3, unsafeResendMaybeApplied: true } });
  const reason = await failureOf(target, "a write whose connection is reset");
  assert.match(reason, /Missing expected rejection/);
});

test("a driver that dials in a hot loop is found", async () => {
  const target = withResilience({ minDialGapMs: 0, backoff: { minMs: 0, baseMs: 1, capMs: 1 } });
  assert.match(await failureOf(target, "refused: backs off"), /\d attempts within \d/);
  assert.match(await failureOf(target, "accepted and dropped"), /\d attempts within \d/);
});

test("a driver that never probes is found", async () => {
  const target = withResilience({ liveness: { idleProbeMs: false } });
  assert.match(await failureOf(target, "black hole towards the client"), /no 1 × "disconnected"/);
});

test("a driver without a deadline for the handshake is found", async () => {
  const target = withResilience({ connectTimeoutMs: 60_000 });
  assert.match(await failureOf(target, "a hang in the handshake"), /no 2 × "attemptFailed"/);
});

test("a driver whose close leaves its socket is found", async () => {
  const left: TargetClient[] = [];
  const target = defective((options) => {
    const client = plainTarget.open(options);
    left.push(client);
    return { ...client, close: async () => {} };
  });
  const reason = await failureOf(target, "close while ready");
  for (const client of left) await client.close();
  assert.match(reason, /'ready'/);
});

test("a driver that acknowledges what it did not send is found by the ledger", async () => {
  const target = defective((options) => {
    const client = plainTarget.open(options);
    return { ...client, write: (id) => client.write(id).catch(() => {}) };
  });
  assert.match(await reasonOf(target, trialCase(["black-hole-up"])), /acknowledged but absent/);
});

test("a driver that calls everything unknown is found by the ledger", async () => {
  const target = defective((options) => {
    const client = plainTarget.open({
      ...options,
      resilience: { ...options.resilience, outbox: { entries: 0 } },
    });
    const unknown = (): never => {
      throw new HoldfastError("HF_LOST", "who knows", { outcome: "maybe-applied" });
    };
    return { ...client, write: (id) => client.write(id).catch(unknown) };
  });
  assert.match(await reasonOf(target, trialCase(["refuse"])), /unknown without having been in flight/);
});
