import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backoff } from "../../../src/backoff/index.ts";
import type { RedisBackoffName } from "../../../src/drivers/redis/options.ts";
import { engineOptionsOf, retryBackoffOf } from "../../../src/drivers/redis/resilience.ts";
import { fromGoRedisUrl, fromRedisPy } from "../../../src/drivers/redis/translate/index.ts";
import { resolveResilience } from "../../../src/options/index.ts";
import { seededRandom } from "../../../src/time/index.ts";

/** Delays of one episode, at most `limit`. */
function delays(backoff: Backoff, seed: number, limit = 20): number[] {
  const random = seededRandom(seed);
  const drawn: number[] = [];
  let schedule = backoff.start();
  while (drawn.length < limit) {
    const step = schedule.next(random, { attempt: drawn.length, elapsedMs: 0 });
    if ("exhausted" in step) break;
    drawn.push(step.delayMs);
    schedule = step.schedule;
  }
  return drawn;
}

test("go-redis: three waits in [8,24), [8,40), [8,72) ms", () => {
  const backoff = retryBackoffOf(fromGoRedisUrl("redis://h").resilience.retries);
  for (let seed = 0; seed < 200; seed++) {
    const waits = delays(backoff, seed);
    assert.equal(waits.length, 3);
    for (const [i, below] of [24, 40, 72].entries())
      assert.ok(waits[i]! >= 8 && waits[i]! < below, `${waits}`);
  }
});

test("every curve stays within its bounds and ends after the last retry", () => {
  const bounds: Readonly<
    Record<RedisBackoffName, readonly [firstMin: number, firstMax: number, most: number]>
  > = {
    none: [0, 0, 0],
    constant: [100, 100, 100],
    "go-redis": [100, 300, 1_000],
    exponential: [200, 200, 1_000],
    "full-jitter": [0, 200, 1_000],
    "equal-jitter": [100, 200, 1_000],
    "exponential-with-jitter": [0, 200, 1_000],
    decorrelated: [100, 300, 1_000],
  };
  for (const [name, [firstMin, firstMax, most]] of Object.entries(bounds) as [
    RedisBackoffName,
    readonly [number, number, number],
  ][]) {
    const backoff = { name, minMs: 100, maxMs: 1_000 };
    for (let seed = 0; seed < 100; seed++) {
      const waits = delays(retryBackoffOf({ max: 7, backoff, onLoss: true, onTimeout: true }), seed);
      assert.equal(waits.length, 7, name);
      assert.ok(waits[0]! >= firstMin && waits[0]! <= firstMax, `${name} seed ${seed}: ${waits}`);
      for (const wait of waits) assert.ok(wait >= 0 && wait <= most, `${name} seed ${seed}: ${waits}`);
    }
  }
});

test("go-redis: a minimum above the maximum is taken as Go takes it", () => {
  const { retries } = fromGoRedisUrl("redis://h?min_retry_backoff=2s&max_retry_backoff=1s").resilience;
  assert.deepEqual(delays(retryBackoffOf(retries), 1), [1_000, 1_000, 1_000]);
});

test("no retries: no wait; for ever: no end", () => {
  assert.deepEqual(delays(retryBackoffOf(fromRedisPy({}, { version: "4" }).resilience.retries), 1), []);
  const forEver = fromRedisPy(
    { retry: { retries: -1, backoff: "ExponentialWithJitterBackoff" } },
    { version: "8" },
  );
  assert.equal(delays(retryBackoffOf(forEver.resilience.retries), 1, 500).length, 500);
});

test("what the peer says reaches the engine; what it leaves off keeps the engine's default", () => {
  const given = resolveResilience(
    engineOptionsOf(fromGoRedisUrl("redis://h?dial_timeout=3&max_retries=2").resilience),
  );
  assert.equal(given.policy.connectTimeoutMs, 3_000);
  assert.equal(given.retry.maxRetries, 2);
  assert.equal(given.tcpKeepAliveMs, 300_000);
  const ours = resolveResilience();
  const silent = resolveResilience(engineOptionsOf(fromRedisPy({}).resilience));
  assert.equal(silent.policy.connectTimeoutMs, ours.policy.connectTimeoutMs);
  assert.deepEqual(silent.liveness, ours.liveness);
  assert.equal(silent.tcpKeepAliveMs, ours.tcpKeepAliveMs);
  assert.equal(silent.retry.unsafeResendMaybeApplied, false);
});
