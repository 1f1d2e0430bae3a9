import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { boundedExponential, constant, immediately, take } from "../../src/backoff/index.ts";
import type { LinkEvent, LinkPolicy } from "../../src/link/index.ts";
import { MachineWorld } from "./support/machine-world.ts";

const unlimited = Number.POSITIVE_INFINITY;
const backoffs = [
  immediately(boundedExponential({ minMs: 50, baseMs: 200, capMs: 2_000 })),
  constant(0), // the hazard: only the minimum gap is left between two dials
  constant(300),
  take(constant(100), 5),
];

const policies: fc.Arbitrary<LinkPolicy> = fc.record({
  backoff: fc.constantFrom(...backoffs),
  authBackoff: fc.constant(constant(1_000)),
  delayPer: fc.constantFrom("round", "attempt"),
  reconnect: fc.nat(9).map((n) => n > 0),
  retryInitial: fc.nat(4).map((n) => n > 0),
  lazy: fc.nat(3).map((n) => n === 0),
  maxAttempts: fc.constantFrom(unlimited, unlimited, unlimited, unlimited, 7, 1, 0),
  maxElapsedMs: fc.constantFrom(unlimited, unlimited, unlimited, 5_000),
  maxAuthFailures: fc.constantFrom(unlimited, unlimited, 2),
  connectTimeoutMs: fc.constant(700),
  restoreTimeoutMs: fc.constant(900),
  stableAfterMs: fc.constantFrom(0, 1_000),
  minDialGapMs: fc.constantFrom(100, 250),
  closeTimeoutMs: fc.constant(500),
  choose: fc.constantFrom(
    undefined,
    undefined,
    () => ({ delayMs: Number.NaN }),
    () => ({ delayMs: 0, endpointId: "given-1:1" }),
    () => {
      throw new Error("a chooser's own mistake");
    },
  ),
}) as fc.Arbitrary<LinkPolicy>;

type Act = readonly [name: string, argument: number];

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 45, arbitrary: fc.tuple(fc.constant("advance"), fc.nat(1_500)) },
  { weight: 12, arbitrary: fc.tuple(fc.constant("lose"), fc.nat(30)) },
  {
    weight: 24,
    arbitrary: fc.tuple(
      fc.constantFrom(
        ...[
          "start",
          "demand",
          "reconnectNow",
          "failover",
          "discovered",
          "replaced",
          "session",
          "wake",
          "late",
        ],
      ),
      fc.nat(20),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("drain", "policy", "policy", "inFlightZero"), fc.nat(3_000)),
  },
);

function play(world: MachineWorld, [name, n]: Act): void {
  const plain: Readonly<Record<string, LinkEvent>> = {
    start: { type: "start" },
    demand: { type: "demand" },
    reconnectNow: { type: "reconnectNow", pending: n % 2 },
    failover: { type: "failover", pending: n % 2 },
    wake: { type: "wake" },
    drain: { type: "drain", pending: n % 2, deadlineMs: n },
    inFlightZero: { type: "inFlightZero" },
    policy: { type: "policy", policy: { ...world.state.policy, reconnect: n % 9 > 0 } },
  };
  if (name === "advance") world.clock.advance(n);
  else if (name === "lose") world.lose(n === 0 ? "fatal" : "transient");
  else if (name === "session") world.changeSession();
  else if (name === "late") world.sendLate(n);
  else if (name === "discovered") {
    const endpoints = Array.from({ length: n % 4 }, (_, i) => ({ host: `found-${(n + i) % 5}`, port: 1 }));
    world.send({ type: "discovered", endpoints });
  } else if (name === "replaced") {
    // Some stay, some are gone, some were only discovered until now, some are new.
    const endpoints = Array.from({ length: 1 + (n % 3) }, (_, i) => ({
      host: ["given-0", "given-1", "found-1", "found-2", "new-1", "new-2"][(n + i) % 6] as string,
      port: 1,
    }));
    world.send({ type: "replaced", endpoints, order: n % 2 ? "given" : "shuffled" });
  } else world.send(plain[name] as LinkEvent);
}

test("the nine invariants of a link hold in any order of events", () => {
  const seen = { connected: 0, reconnected: 0, closed: 0 };
  fc.assert(
    fc.property(
      policies,
      fc.integer({ min: 1, max: 3 }),
      fc.integer(),
      fc.array(acts, { minLength: 20, maxLength: 80 }),
      (policy, endpoints, seed, script) => {
        const world = new MachineWorld(policy, endpoints, seed);
        world.send({ type: "start" });
        for (const act of script) play(world, act);
        world.send({ type: "close" });
        world.send({ type: "close" });
        world.clock.advance(20_000);
        world.assertOver();
        for (const act of script) play(world, act); // nothing wakes it up again
        world.assertOver();
        for (const name of ["connected", "reconnected", "closed"] as const)
          seen[name] += world.grammar.counts[name] ?? 0;
      },
    ),
    { numRuns: 4_000, includeErrorInReport: true },
  );
  // The script must reach the interesting places, or it proves nothing.
  assert.ok(seen.connected > 1_000 && seen.reconnected > 1_000, JSON.stringify(seen));
});

test("close ends every phase, and closed comes within the time a close may take", () => {
  fc.assert(
    fc.property(policies, fc.integer(), fc.array(acts, { maxLength: 30 }), (policy, seed, script) => {
      const world = new MachineWorld(policy, 2, seed);
      for (const act of script) play(world, act);
      world.send({ type: "close" });
      assert.ok(["closing", "closed"].includes(world.state.phase));
      world.clock.advance(policy.closeTimeoutMs + 50);
      assert.equal(world.state.phase, "closed");
    }),
    { numRuns: 1_500, includeErrorInReport: true },
  );
});

test("left alone, a link that may go on for ever becomes ready", () => {
  fc.assert(
    fc.property(policies, fc.integer(), (policy, seed) => {
      const patient = {
        ...policy,
        backoff: boundedExponential(),
        reconnect: true,
        retryInitial: true,
        maxAttempts: unlimited,
        maxElapsedMs: unlimited,
        maxAuthFailures: unlimited,
      };
      const world = new MachineWorld(patient, 2, seed);
      world.waiting = () => 1;
      world.send({ type: "start" });
      world.send({ type: "demand" });
      world.clock.advance(600_000);
      assert.equal(world.state.phase, "ready");
    }),
    { numRuns: 300, includeErrorInReport: true },
  );
});
