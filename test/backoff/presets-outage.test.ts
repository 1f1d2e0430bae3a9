/** How often each default dials during an outage of 60 and of 600 s, against an independent simulation of 10,000 clients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Backoff,
  boundedExponential,
  concat,
  exponential,
  fullJitter,
  grpcBackoff,
  immediately,
  natsGoBackoff,
  presetNamed,
  timeline,
} from "../../src/backoff/index.ts";
import { seededRandom } from "../../src/time/index.ts";
import { mean } from "./helpers.ts";

/** Dials per client before `outageMs`, over `clients` clients. */
function dials(backoff: Backoff, outageMs: number, clients = 60): number {
  const random = seededRandom(outageMs);
  return mean(
    Array.from(
      { length: clients },
      () => timeline(backoff, 1000, random).attempts.filter((planned) => planned.atMs < outageMs).length,
    ),
  );
}

const unlimited = (name: string): Backoff => presetNamed(name).backoff;

const rows: readonly [name: string, backoff: Backoff, in60s: number, in600s: number][] = [
  ["mqtt", unlimited("mqtt"), 59, 599],
  ["amqp-connection-manager", unlimited("amqp-connection-manager"), 11, 119],
  ["nats.go", natsGoBackoff({ maxReconnect: -1 }), 29, 292],
  ["nats.go-tls", natsGoBackoff({ maxReconnect: -1, tls: true }), 24, 240],
  ["ioredis", unlimited("ioredis"), 17, 123],
  ["socket.io", unlimited("socket.io"), 13, 121],
  ["gRPC", grpcBackoff(), 7, 13],
  ["undici without its limit", exponential({ baseMs: 500, capMs: 30_000 }), 6, 24],
  ["HikariCP", unlimited("hikaricp"), 19, 127],
  ["smithy as full jitter", fullJitter(exponential({ baseMs: 100, capMs: 20_000 })), 12, 66],
  ["full jitter 1…30 s", fullJitter(exponential({ baseMs: 1000, capMs: 30_000 })), 8, 44],
  ["TigerBeetle 1…30 s", boundedExponential({ minMs: 1000, baseMs: 1000, capMs: 30_000 }), 7, 42],
  ["Effect", unlimited("effect"), 5, 9],
];

for (const [name, backoff, in60s, in600s] of rows) {
  test(`${name}: ${in60s} dials in 60 s, ${in600s} in 600 s`, () => {
    for (const [outageMs, expected] of [
      [60_000, in60s],
      [600_000, in600s],
    ] as const) {
      const counted = dials(backoff, outageMs);
      assert.ok(Math.abs(counted - expected) <= Math.max(1, expected * 0.02), `${counted}, not ${expected}`);
    }
  });
}

test("node-redis: 32 dials in 60 s and 290 in 600 s, counted from its first strategy answer", () => {
  const counted = [60_000, 600_000].map((outageMs) => dials(unlimited("node-redis"), outageMs));
  assert.ok(Math.abs(counted[0]! - 32) <= 1 && Math.abs(counted[1]! - 290) <= 3, `${counted}`);
});

test("graphql-ws never comes back from 60 s: every client gave up before", () => {
  const random = seededRandom(1);
  for (let client = 0; client < 2000; client++) {
    const { attempts, exhausted } = timeline(unlimited("graphql-ws"), 100, random);
    assert.equal(attempts.length, 5);
    assert.ok(attempts.at(-1)!.atMs < 60_000);
    assert.equal(exhausted, "gave up after 5 attempts");
  }
});

test("a preset composes with the combinators like any backoff", () => {
  const patient = concat(presetNamed("go-redis").backoff, immediately(presetNamed("holdfast").backoff));
  const { attempts } = timeline(patient, 6, seededRandom(1));
  assert.equal(attempts.length, 6);
  assert.equal(attempts[3]!.delayMs, 0);
});
