/** What the source documents ask of back-off, by the ids of their items. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Backoff,
  constant,
  datastaxJavaCorrected,
  exponential,
  fromFunction,
  hazards,
  libhvBackoff,
  natsGoBackoff,
  presetNamed,
  type StepContext,
  timeline,
} from "../../src/backoff/index.ts";
import { seededRandom } from "../../src/time/index.ts";
import { delays, draws } from "./helpers.ts";

const high = draws(1 - 2 ** -32);

test("N17 N18 N20 N21: 60 attempts, 2 s apart, up to 100 ms of jitter, up to 1 s with TLS", () => {
  const { constants } = presetNamed("nats.go");
  assert.deepEqual(constants, {
    reconnectWaitMs: 2000,
    reconnectJitterMs: 100,
    reconnectJitterTlsMs: 1000,
    maxReconnect: 60,
  });
  assert.equal(timeline(natsGoBackoff(), 100, high).exhausted, "gave up after 60 attempts");
  const longest = (backoff: Backoff): number => Math.round(delays(backoff, 1, high)[0]!);
  assert.equal(longest(natsGoBackoff()), 2100);
  assert.equal(longest(natsGoBackoff({ tls: true })), 3000);
});

test("N17: a negative maximum never gives up", () => {
  assert.equal(timeline(natsGoBackoff({ maxReconnect: -1 }), 1000, high).exhausted, undefined);
});

test("N19: the caller's own delay gets the attempt's number and is used as it is", () => {
  const attempts: number[] = [];
  const backoff = fromFunction(({ attempt }: StepContext) => {
    attempts.push(attempt + 1);
    return 1000 * (attempt + 1);
  });
  assert.deepEqual(delays(backoff, 4), [1000, 2000, 3000, 4000]);
  assert.deepEqual(attempts, [1, 2, 3, 4]);
});

test("N22: any jitter is capped by the maximum", () => {
  const capped = natsGoBackoff({ tls: true, reconnectJitterMaxMs: 250 });
  assert.equal(Math.round(delays(capped, 1, high)[0]!), 2250);
});

test("L1: delay, maximum count and strategy of setReconnect", () => {
  const backoff = libhvBackoff({ minDelayMs: 1000, maxDelayMs: 10_000, delayPolicy: 2, maxRetries: 5 });
  assert.deepEqual(delays(backoff, 9), [1000, 2000, 4000, 8000, 10_000]);
});

test("L8: fast first, then growing intervals", () => {
  const means = delays(presetNamed("holdfast").backoff, 9, draws(0.5));
  assert.equal(means[0], 0);
  assert.deepEqual(
    means,
    means.toSorted((a, b) => a - b),
  );
});

test("S5 S6 S7: count 1 and interval 10 s by default, 0…255 and 1…60", () => {
  const { constants } = presetNamed("sql-server");
  assert.deepEqual(constants, { connectRetryCount: 1, connectRetryIntervalS: 10, loginTimeoutS: 30 });
});

test("C2 C6: exponential doubles from the base after each attempt; constant is always the same; or your own", () => {
  assert.deepEqual(
    delays(exponential({ baseMs: 1000, capMs: 60_000 }), 8),
    [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
  );
  assert.deepEqual(delays(constant(1000), 3), [1000, 1000, 1000]);
  assert.deepEqual(
    delays(
      fromFunction(({ elapsedMs }) => 500 + elapsedMs),
      3,
    ),
    [500, 1000, 2000],
  );
});

test("C7: 10 ms saturates the system, and that is said", () => {
  const warnings = hazards(constant(10)).map((hazard) => hazard.message);
  assert.ok(warnings.includes("delay 10 ms: below 50 ms a fleet can saturate the server"));
});

test("C8: a fresh, independent schedule per reconnection, even for pools already at it", () => {
  const backoff = datastaxJavaCorrected();
  const random = seededRandom(1);
  const context = { attempt: 0, elapsedMs: 0 };
  let node2 = backoff.start();
  for (let i = 0; i < 6; i++) {
    const step = node2.next(random, context);
    assert.ok("delayMs" in step);
    node2 = step.schedule;
  }
  const node3 = backoff.start().next(random, context);
  const later = node2.next(random, context);
  assert.ok("delayMs" in node3 && node3.delayMs <= 1150, "begins at the base");
  assert.ok("delayMs" in later && later.delayMs >= 51_000, "goes on where it was");
});
