import assert from "node:assert/strict";
import { test } from "node:test";
import { constant, take } from "../../src/backoff/index.ts";
import { initialState, type LinkPolicy, type LinkState, step } from "../../src/link/index.ts";
import { resolveResilience } from "../../src/options/index.ts";
import { seededRandom } from "../../src/time/index.ts";

const random = seededRandom(1);
const { policy: ours } = resolveResilience({ retryInitial: true });
const policy: LinkPolicy = { ...ours, backoff: constant(1_000), minDialGapMs: 0 };

/** Runs events one after the other, a second apart; what is given up is gone at once. */
function run(state: LinkState, events: readonly Parameters<typeof step>[1][]): LinkState {
  return events.reduce((from, event, i) => {
    const input = { nowMs: i * 1_000, random };
    const [to] = step(from, event, input);
    return to.releasing.reduce((s, epoch) => step(s, { type: "connectionClosed", epoch }, input)[0], to);
  }, state);
}

function waiting(): LinkState {
  const idle = initialState(policy, [{ host: "a", port: 1 }], {}, { nowMs: 0, random });
  const granted = { type: "granted" } as const;
  const cause = new Error("refused");
  const ready = run(idle, [
    { type: "start" },
    granted,
    { type: "dialed", epoch: 1 },
    { type: "restored", epoch: 1, version: 0 },
  ]);
  return run(ready, [{ type: "lost", epoch: 1, linkClass: "transient", cause, pending: 0 }]);
}

test("a new policy's schedule is drawn from at the next failure; the wait under way keeps its end", () => {
  const before = waiting();
  assert.equal(before.phase, "waiting");
  const changed = run(before, [{ type: "policy", policy: { ...policy, backoff: constant(7_000) } }]);
  assert.equal(changed.dueMs, before.dueMs);
  const failed = run(changed, [
    { type: "timer", name: "phase" },
    { type: "granted" },
    { type: "failed", epoch: 2, linkClass: "transient", cause: new Error("refused") },
  ]);
  assert.equal(failed.dueMs, 2_000 + 7_000);
});

test("reconnecting switched off in back-off ends the link; while dialing, when the attempt fails", () => {
  const off = { type: "policy", policy: { ...policy, reconnect: false } } as const;
  const before = waiting();
  assert.deepEqual([run(before, [off]).phase, run(before, [off]).why], ["closed", "reconnect-disabled"]);
  const dialing = run(before, [{ type: "timer", name: "phase" }, { type: "granted" }, off]);
  assert.equal(dialing.phase, "dialing");
  const failed = run(dialing, [{ type: "failed", epoch: 2, linkClass: "transient", cause: new Error("no") }]);
  assert.deepEqual([failed.phase, failed.why], ["closed", "reconnect-disabled"]);
});

test("a schedule that ends by count closes as attempts-exhausted", () => {
  const limited = { ...policy, backoff: take(constant(1_000), 1) };
  const idle = initialState(limited, [{ host: "a", port: 1 }], {}, { nowMs: 0, random });
  const cause = new Error("refused");
  const end = run(idle, [
    { type: "start" },
    { type: "granted" },
    { type: "failed", epoch: 1, linkClass: "transient", cause },
    { type: "timer", name: "phase" },
    { type: "granted" },
    { type: "failed", epoch: 2, linkClass: "transient", cause },
  ]);
  assert.deepEqual([end.phase, end.why], ["closed", "attempts-exhausted"]);
});
