import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { constant } from "../../src/backoff/index.ts";
import { isHoldfastError } from "../../src/call/index.ts";
import { defaults, type ResilienceOptions, resolveResilience } from "../../src/options/index.ts";
import { seededRandom } from "../../src/time/index.ts";
import { defaultsPage } from "./defaults-page.ts";

test("without options, every default is the documented one", () => {
  const { policy, outbox, retry, liveness, endpointOptions, ...rest } = resolveResilience();
  const d = (name: keyof typeof defaults): unknown => defaults[name].value;
  for (const name of [
    ...(["delayPer", "reconnect", "retryInitial", "lazy", "connectTimeoutMs", "restoreTimeoutMs"] as const),
    ...(["stableAfterMs", "minDialGapMs", "closeTimeoutMs"] as const),
  ])
    assert.equal(policy[name], d(name), name);
  assert.equal(policy.maxAttempts, d("limits.maxAttempts"));
  assert.equal(policy.maxElapsedMs, d("limits.maxElapsedMs"));
  assert.equal(policy.maxAuthFailures, d("auth.maxFailures"));
  for (const name of ["bytes", "entries", "ageMs", "whenFull"] as const)
    assert.equal(outbox[name], d(`outbox.${name}`), name);
  assert.equal(retry.maxRetries, d("retry.maxRetries"));
  assert.equal(retry.unsafeResendMaybeApplied, false);
  assert.equal(liveness.idleProbeMs, d("liveness.idleProbeMs"));
  assert.equal(liveness.probeTimeoutMs, d("liveness.probeTimeoutMs"));
  assert.equal(rest.tcpKeepAliveMs, d("liveness.tcpKeepAliveMs"));
  assert.equal(rest.drainTimeoutMs, d("drainTimeoutMs"));
  assert.equal(rest.writeBufferBytes, d("writeBufferBytes"));
  assert.equal(endpointOptions.order, d("order"));
  assert.equal(endpointOptions.maxAttemptsPerEndpoint, d("limits.maxAttemptsPerEndpoint"));
});

test("the default backoff: at once, then 200 to 600 ms, never above the cap", () => {
  const random = seededRandom(1);
  let schedule = resolveResilience().policy.backoff.start();
  const drawn: number[] = [];
  for (let attempt = 0; attempt < 30; attempt++) {
    const step = schedule.next(random, { attempt, elapsedMs: 0 });
    assert.ok("delayMs" in step);
    drawn.push(step.delayMs);
    schedule = step.schedule;
  }
  assert.equal(drawn[0], 0);
  assert.ok(drawn[1]! >= 200 && drawn[1]! <= 600);
  assert.ok(drawn.slice(1).every((ms) => ms >= 50 && ms <= 7_500));
});

test("what is given is used", () => {
  const backoff = constant(7);
  const r = resolveResilience({
    ...{
      name: "n",
      backoff,
      auth: { backoff, maxFailures: 2 },
      order: "given",
      lazy: true,
      reconnect: false,
    },
    ...{ limits: { maxAttempts: 1, maxAttemptsPerEndpoint: 2, maxElapsedMs: 3 }, connectTimeoutMs: 4 },
    ...{ liveness: { idleProbeMs: false, tcpKeepAliveMs: false }, outbox: { bytes: 0 }, drainTimeoutMs: 0 },
    ...{ retry: { maxRetries: 0, unsafeResendMaybeApplied: true } },
  });
  assert.equal(r.policy.backoff, backoff);
  assert.equal(r.policy.authBackoff, backoff);
  assert.equal(r.policy.retryInitial, true, "lazy has no first connect to fail");
  assert.equal(r.liveness.idleProbeMs, Number.POSITIVE_INFINITY);
  assert.deepEqual([r.tcpKeepAliveMs, r.outbox.bytes, r.drainTimeoutMs], [false, 0, 0]);
  assert.deepEqual(r.retry, { maxRetries: 0, unsafeResendMaybeApplied: true });
});

const wrong: readonly (readonly [object, RegExp])[] = [
  [{ conectTimeoutMs: 1 }, /unknown option "resilience.conectTimeoutMs"; did you mean "connectTimeoutMs"\?/],
  [{ outbox: { byte: 1 } }, /unknown option "resilience.outbox.byte"; did you mean "bytes"\?/],
  [{ connectTimeoutMs: 0 }, /"resilience.connectTimeoutMs" is 0, but must be .* at least 1 ms/],
  [{ connectTimeoutMs: Number.NaN }, /is NaN, but must be/],
  [{ stableAfterMs: -1 }, /"resilience.stableAfterMs" is -1, but must be .* at least 0 ms/],
  [{ delayPer: "rond" }, /one of "round", "attempt"; did you mean "round"\?/],
  [{ order: "random" }, /"resilience.order" is "random", but must be one of "shuffled", "given"/],
  [{ reconnect: 1 }, /"resilience.reconnect" is 1, but must be true or false/],
  [{ limits: { maxAttempts: -1 } }, /"resilience.limits.maxAttempts" is -1, but must be a number/],
  [{ limits: 3 }, /"resilience.limits" is 3, but must be an object with maxAttempts/],
  [{ outbox: { whenFull: "drop" } }, /must be one of "reject", "drop-oldest"/],
  [{ backoff: 5 }, /"resilience.backoff" is 5, but must be a backoff/],
  [
    { backoff: "nats.js-defualt-xyzzy" },
    /"resilience.backoff" is "nats.js-defualt-xyzzy", but must be the name/,
  ],
  [{ backoff: { minMs: 20_000 } }, /"resilience.backoff.minMs" is 20000, but must be at most capMs \(7500/],
  [{ backoff: { capMs: 10 } }, /"resilience.backoff.capMs" is 10, but must be at least minMs \(50/],
  [{ backoff: { baseMs: Number.POSITIVE_INFINITY } }, /"resilience.backoff.baseMs" is Infinity/],
  [{ backoff: { mins: 1 } }, /unknown option "resilience.backoff.mins"; did you mean "minMs"\?/],
  [{ auth: { backoff: "slow" } }, /"resilience.auth.backoff" is "slow", but must be a backoff/],
  [{ retryBudget: {} }, /"resilience.retryBudget" is \{\}, but must be a RetryBudget/],
  [{ governor: { ask() {} } }, /"resilience.governor" .* but must be a governor/],
  [{ world: 1 }, /"resilience.world" is 1, but must be a world/],
  [{ choose: "first" }, /"resilience.choose" is "first", but must be a function/],
  [{ name: "" }, /"resilience.name" is "", but must be a string that is not empty/],
];

for (const [options, message] of wrong) {
  test(`refused before anything is dialled: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => resolveResilience(options as ResilienceOptions),
      (error) => isHoldfastError(error) && error.code === "HF_OPTION" && message.test(error.message),
    );
  });
}

test("docs/defaults.md is what the code says", () => {
  const page = readFileSync(new URL("../../../docs/defaults.md", import.meta.url), "utf8");
  assert.equal(page, defaultsPage());
});
