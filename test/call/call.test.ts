import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CallDescription,
  HoldfastError,
  isHoldfastError,
  mayResend,
  RetryBudget,
  reasonOf,
  redact,
} from "../../src/call/index.ts";
import { VirtualClock } from "../../src/time/index.ts";

test("what may be sent again", () => {
  const call = (
    effect: CallDescription["effect"],
    kind: CallDescription["kind"] = "unary",
  ): CallDescription => ({
    ...{ bytes: 1, effect, kind },
  });
  const policy = { maxRetries: 2 };
  assert.equal(mayResend(call("once"), "maybe-applied", 1, policy), false);
  assert.equal(mayResend(call("once"), "not-applied", 1, policy), true);
  assert.equal(mayResend(call("read"), "maybe-applied", 2, policy), true);
  assert.equal(mayResend(call("idempotent"), "maybe-applied", 3, policy), false, "two retries, three sends");
  assert.equal(mayResend(call("read", "pinned"), "not-applied", 0, policy), false);
  const unsafe = { maxRetries: 2, unsafeResendMaybeApplied: true };
  assert.equal(mayResend(call("once"), "maybe-applied", 1, unsafe), true);
  const left = { ...call("read"), signal: AbortSignal.abort() };
  assert.equal(mayResend(left, "not-applied", 0, policy), false);
});

test("a retry budget: a floor for the idle, a share of the traffic, and nothing beyond", () => {
  const clock = new VirtualClock();
  const budget = new RetryBudget(clock, { ratio: 0.2, minPerSecond: 1, ttlMs: 10_000 });
  const drain = (): number => {
    let taken = 0;
    while (budget.withdraw()) taken++;
    return taken;
  };
  assert.equal(drain(), 10, "one a second for the ttl");
  for (let i = 0; i < 50; i++) budget.deposit();
  const earned = drain();
  assert.ok(earned === 9 || earned === 10, `a fifth of 50 calls, not ${earned}`);
  clock.advance(5_000);
  assert.equal(drain(), 5);
});

test("credentials are hidden in reasons, and what is none is left alone", () => {
  for (const text of [
    "connect redis://bob:hunter2@h:1/0 failed",
    "redis://bob:hun@hunter2@h",
    "redis://bob:x/hunter2?y@h",
    "bob:hunter2@tcp(h:1)/db",
    "Authorization: Bearer hunter2",
    "password='hunter2 x'",
    '{"password":"hunter2"}',
    "access_token=hunter2&x=1",
    "Pwd=hunter2;Server=x",
    "api_key: hunter2",
  ]) {
    assert.doesNotMatch(redact(text), /hunter2/, text);
    assert.doesNotMatch(reasonOf(new Error(text)), /hunter2/);
  }
  for (const text of [
    "connect ECONNREFUSED 127.0.0.1:6379",
    "[::1]:4222: refused",
    "wrote to me@example.org",
  ])
    assert.equal(redact(text), text);
  assert.ok(redact("a@".repeat(100_000)).length < 5_000);
});

test("anything thrown has a reason", () => {
  const nothing = Object.create(null) as unknown;
  for (const thrown of [undefined, null, 1n, Symbol("s"), nothing, {}, new AggregateError([new Error("x")])])
    assert.equal(typeof reasonOf(thrown), "string");
  assert.equal(reasonOf(new AggregateError([new Error("x"), new Error("y")])), "x; y");
  assert.equal(reasonOf(Object.assign(new Error(""), { code: "ECONNREFUSED" })), "ECONNREFUSED");
});

test("our errors are known across copies of the package", () => {
  const error = new HoldfastError("HF_LOST", "m", { outcome: "maybe-applied", step: "reply" });
  assert.deepEqual(
    [error.code, error.outcome, error.step, error.name],
    ["HF_LOST", "maybe-applied", "reply", "HoldfastError"],
  );
  const copy = Object.defineProperty({}, Symbol.for("holdfast.error"), { value: true });
  assert.ok(isHoldfastError(error) && isHoldfastError(copy));
  for (const other of [undefined, null, {}, new Error("x")]) assert.equal(isHoldfastError(other), false);
});
