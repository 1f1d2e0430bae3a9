import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isHoldfastError } from "../../../src/call/index.ts";
import { fromGoOptions, fromNatsOptions, type NatsConnectOptions } from "../../../src/drivers/nats/index.ts";
import { resolveResilience } from "../../../src/options/index.ts";

/** The first delays a plan would wait, all at the lowest or highest random number. */
function delays(options: NatsConnectOptions, count: number, low: boolean): number[] {
  const { policy } = resolveResilience(fromNatsOptions(options).resilience);
  const random = { next: () => (low ? 0 : 0.999_999) };
  const list: number[] = [];
  let schedule = policy.backoff.start();
  for (let attempt = 0; attempt < count; attempt++) {
    const drawn = schedule.next(random as never, { attempt, elapsedMs: 0 });
    if ("exhausted" in drawn) return list;
    list.push(drawn.delayMs);
    schedule = drawn.schedule;
  }
  return list;
}

const resolved = (options: NatsConnectOptions) => resolveResilience(fromNatsOptions(options).resilience);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_OPTION");
    return error.message;
  }
  return assert.fail("not refused");
}

test("N13 N16 N17 N23 N24 [nats 1] [nats 2]: nats.go's defaults, by both spellings", () => {
  for (const options of [{}, fromGoOptions({})]) {
    const r = resolved(options);
    assert.equal(r.policy.connectTimeoutMs, 2_000);
    assert.equal(r.policy.reconnect, true);
    assert.equal(r.endpointOptions.maxAttemptsPerEndpoint, 60);
    assert.equal(r.outbox.bytes, 8 * 1024 * 1024);
    assert.equal(r.outbox.entries, Number.POSITIVE_INFINITY);
    assert.equal(r.policy.retryInitial, false);
    assert.deepEqual(delays(options, 4, true), [0, 2_000, 2_000, 2_000]);
    const [first, second] = delays(options, 2, false);
    assert.equal(first, 0);
    assert.ok(second !== undefined && second > 2_090 && second <= 2_100, `${second}`);
  }
  assert.ok(60 * 2_000 >= 120_000);
});

test("N14 N15: pings: (out + 1) × interval; 0 or negative disables; nothing given = the engine's 20 s", () => {
  const bound = (options: NatsConnectOptions) => {
    const { idleProbeMs, probeTimeoutMs } = resolved(options).liveness;
    return idleProbeMs + probeTimeoutMs;
  };
  assert.equal(bound({ pingInterval: 20, maxPingOut: 2 }), 60);
  assert.equal(bound(fromGoOptions({ PingInterval: "20ms", MaxPingsOut: 2 })), 60);
  assert.equal(bound(fromGoOptions({ PingInterval: "2m", MaxPingsOut: 0 })), 360_000);
  assert.equal(bound({}), 20_000);
  for (const none of [{ pingInterval: 0 }, { pingInterval: -1 }, fromGoOptions({ PingInterval: -5 })])
    assert.equal(resolved(none).liveness.idleProbeMs, Number.POSITIVE_INFINITY);
});

test("N17: any negative MaxReconnect is for ever; 0: the lost server not again, each other one once", () => {
  const max = (n: number) => resolved(fromGoOptions({ MaxReconnect: n }));
  fc.assert(
    fc.property(fc.integer({ min: -1_000, max: -1 }), (n) => {
      assert.equal(max(n).endpointOptions.maxAttemptsPerEndpoint, Number.POSITIVE_INFINITY);
      assert.equal(resolved({ maxReconnectAttempts: n }).policy.reconnect, true);
    }),
  );
  assert.equal(max(7).endpointOptions.maxAttemptsPerEndpoint, 7);
  assert.equal(max(0).endpointOptions.maxAttemptsPerEndpoint, 0);
  assert.equal(resolved({ maxReconnectAttempts: 0 }).endpointOptions.maxAttemptsPerEndpoint, 0);
  assert.equal(resolved({ maxReconnectAttempts: null as never }).endpointOptions.maxAttemptsPerEndpoint, 0);
});

test("N18 N20 N21 N22: wait plus jitter, its own bound with TLS, capped by ReconnectJitterMax", () => {
  const go = (o: Parameters<typeof fromGoOptions>[0]) => fromGoOptions({ ReconnectWait: "300ms", ...o });
  const highest = (o: NatsConnectOptions) => Math.round(delays(o, 2, false)[1] as number);
  assert.equal(highest(go({})), 400);
  assert.equal(highest(go({ ReconnectJitter: 50 })), 350);
  assert.equal(highest(go({ Secure: true })), 1_300);
  assert.equal(highest(go({ Url: "tls://a.example:4222" })), 1_300);
  assert.equal(highest(go({ Secure: true, ReconnectJitterMax: "200ms" })), 500);
  assert.equal(highest({ reconnectTimeWait: 10, reconnectJitter: 5 }), 15);
});

test("N19: CustomReconnectDelayCB gets 1, 2, 3…, its answer is the wait, no jitter is added", () => {
  const asked: number[] = [];
  const options = fromGoOptions({
    CustomReconnectDelayCB: (attempts) => {
      asked.push(attempts);
      return attempts * 100;
    },
  });
  assert.deepEqual(delays(options, 4, false), [0, 100, 200, 300]);
  assert.deepEqual(asked, [1, 2, 3]);
  const bad = fromGoOptions({ CustomReconnectDelayCB: () => -1 });
  assert.match(
    refusal(() => delays(bad, 2, true)),
    /CustomReconnectDelayCB/,
  );
});

test("N23 [nats 13]: ReconnectBufSize: 0 is the default, negative keeps nothing", () => {
  const bytes = (n: number) => resolved(fromGoOptions({ ReconnectBufSize: n })).outbox.bytes;
  assert.deepEqual([bytes(0), bytes(-1), bytes(32)], [8 * 1024 * 1024, 0, 32]);
});

test("N3: AllowReconnect false, and nats.js' reconnect false", () => {
  assert.equal(resolved(fromGoOptions({ AllowReconnect: false })).policy.reconnect, false);
  assert.equal(resolved({ reconnect: false }).policy.reconnect, false);
});

test("N4: the URLs given, shuffled unless NoRandomize; Url and Servers together", () => {
  const plan = fromNatsOptions(fromGoOptions({ Url: "nats://a:1,b", Servers: ["[::1]:7", "tls://c"] }));
  assert.deepEqual(plan.endpoints, [
    { host: "a", port: 1 },
    { host: "b", port: 4222 },
    { host: "::1", port: 7 },
    { host: "c", port: 4222, tls: true },
  ]);
  assert.equal(resolved({}).endpointOptions.order, "shuffled");
  assert.equal(resolved(fromGoOptions({ NoRandomize: true })).endpointOptions.order, "given");
});

test("credentials in a URL are used, as in nats.go, and never shown", () => {
  const plan = fromNatsOptions({ servers: ["nats://me:s3cr%20t@h:1", "nats://t0ken@h", "h:3"] });
  assert.equal(plan.urlLogin, true);
  assert.deepEqual(
    plan.servers.map(({ user, pass, token }) => [user, pass, token]),
    [
      ["me", "s3cr t", undefined],
      [undefined, undefined, "t0ken"],
      [undefined, undefined, undefined],
    ],
  );
  assert.equal(fromNatsOptions({ servers: "nats://me:p@h", user: "other" }).urlLogin, false);
  const message = refusal(() => fromNatsOptions({ servers: "http://me:s3cret@h:1" }));
  assert.ok(!message.includes("s3cret"), message);
});

test("what the library keeps: its own reconnecting is off, everything else is passed on", () => {
  const { library } = fromNatsOptions({ servers: "h", name: "n", noEcho: true, reconnect: true });
  assert.equal(library.reconnect, false);
  assert.equal(library.ignoreClusterUpdates, true);
  assert.deepEqual([library.name, library.noEcho, library.servers], ["n", true, ["h:4222"]]);
});

test("wrong options are named, with what is allowed and what was meant", () => {
  assert.match(
    refusal(() => fromGoOptions({ MaxReconect: 3 } as never)),
    /MaxReconect.*MaxReconnect/,
  );
  assert.match(
    refusal(() => fromGoOptions({ ReconnectWait: "soon" })),
    /ReconnectWait/,
  );
  assert.match(
    refusal(() => fromNatsOptions({ servers: ["a", "ftp://b"] })),
    /servers\[1\]/,
  );
  assert.match(
    refusal(() => fromNatsOptions({ servers: "a", port: 4 })),
    /port/,
  );
  assert.match(
    refusal(() => resolved({ resilience: { reconect: true } as never })),
    /reconect.*reconnect/,
  );
});

test("the resilience option wins over the peer's spelling", () => {
  const r = resolved({ timeout: 1_000, resilience: { connectTimeoutMs: 77, outbox: { bytes: 9 } } });
  assert.equal(r.policy.connectTimeoutMs, 77);
  assert.equal(r.outbox.bytes, 9);
});
