import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { Fake } from "./support/fake.ts";

const overdue = (error: unknown): boolean => isHoldfastError(error) && error.code === "HF_DEADLINE";

test("a connection is not suspect because a call on it had spent its deadline in the outbox", async () => {
  const fake = new Fake();
  await fake.link.connect();
  let refuse = true;
  fake.answer = () => (refuse ? new Error("connection refused") : "accept");
  await fake.advance(6_000);
  fake.lose();
  const late = fake.call("late", { deadlineMs: 1_000 });
  await fake.advance(950); // the next attempt is 1,000 ms after the loss at the latest
  refuse = false;
  fake.link.reconnectNow();
  await fake.advance(20);
  assert.equal(fake.last.sent.length, 1, "the call is on the wire, with 30 ms of its deadline left");
  fake.news();
  await fake.advance(200);
  await assert.rejects(late, overdue);
  assert.equal(fake.link.phase, "ready");
  assert.deepEqual(fake.news(), []);
  await fake.link.close();
});

test("a connection that stays silent for a call's whole deadline on the wire is half-open", async () => {
  const fake = new Fake();
  await fake.link.connect();
  await fake.advance(6_000);
  const silent = fake.call("silent", { deadlineMs: 1_000 });
  await fake.advance(1_100);
  await assert.rejects(silent, overdue);
  assert.ok(fake.news().includes("halfOpen a"));
  await fake.link.close();
});
