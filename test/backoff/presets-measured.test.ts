/** The presets against what was measured at the peers themselves: dial times, rows of delays, shares at a clamp. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  datastaxJavaBackoff,
  datastaxJavaCorrected,
  datastaxNodeBackoff,
  grpcJsBackoff,
  libhvBackoff,
  natsGoBackoff,
  natsJsBackoff,
  presetNamed,
  timeline,
} from "../../src/backoff/index.ts";
import { partysocketBackoff } from "../../src/backoff/presets/web.ts";
import { seededRandom } from "../../src/time/index.ts";
import { delays, draws, mean, population, share } from "./helpers.ts";

const near = (actual: number, expected: number, within: number): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

/** Successive differences of measured instants. */
const gaps = (instantsMs: readonly number[]): number[] =>
  instantsMs.slice(1).map((instant, i) => instant - instantsMs[i]!);

/** Whether each measured gap lies between what the smallest and the largest draw give, timers being a little late. */
function explains(
  backoff: Parameters<typeof delays>[0],
  measuredGapsMs: readonly number[],
  lateMs = 25,
): void {
  const shortest = delays(backoff, measuredGapsMs.length, draws(0));
  const longest = delays(backoff, measuredGapsMs.length, draws(0.999999));
  measuredGapsMs.forEach((gap, n) => {
    assert.ok(gap >= shortest[n]! - 1, `gap ${n} of ${gap} ms is below ${shortest[n]}`);
    assert.ok(gap <= longest[n]! + lateMs, `gap ${n} of ${gap} ms is above ${longest[n]}`);
  });
}

test("nats.go, one server, wait 300 ms, max 4: lost at 100, dials at 401, 714, 1014, 1315, then closed without a wait", () => {
  const backoff = natsGoBackoff({ reconnectWaitMs: 300, reconnectJitterMs: 0, maxReconnect: 4 });
  explains(backoff, gaps([100, 401, 714, 1014, 1315]));
  assert.equal(timeline(backoff, 9, seededRandom(1)).attempts.length, 4);
});

test("nats.go with jitter 200: gaps 456, 494, 405, 428", () => {
  const backoff = natsGoBackoff({ reconnectWaitMs: 300, reconnectJitterMs: 200, maxReconnect: 4 });
  explains(backoff, [456, 494, 405, 428], 0);
});

test("nats.go with one server: MaxReconnect 0, 1, 2 are 0, 1, 2 dials; negative is for ever", () => {
  const dials = (maxReconnect: number): number =>
    timeline(natsGoBackoff({ maxReconnect }), 1000, seededRandom(1)).attempts.length;
  assert.deepEqual([0, 1, 2, -1, -7].map(dials), [0, 1, 2, 1000, 1000]);
});

test("nats.go's defaults give up after about 123 s", () => {
  const { attempts } = timeline(presetNamed("nats.go").backoff, 100, seededRandom(4));
  assert.equal(attempts.length, 60);
  near(attempts.at(-1)!.atMs, 123_000, 1000);
});

test("nats.js: at once, then every 2.0 to 2.1 s; closed for ever after some 20 s; 0 and -2 still try once", () => {
  const { attempts } = timeline(presetNamed("nats.js").backoff, 100, seededRandom(4));
  assert.equal(attempts.length, 10);
  assert.equal(attempts[0]!.delayMs, 0);
  near(attempts.at(-1)!.atMs, 20_000, 2000);
  for (const { delayMs } of attempts.slice(1)) assert.ok(delayMs >= 2000 && delayMs <= 2100, `${delayMs}`);
  const dials = (maxReconnect: number): number =>
    timeline(natsJsBackoff({ maxReconnect }), 1000, seededRandom(1)).attempts.length;
  assert.deepEqual([0, -2, 1, 3, -1].map(dials), [1, 1, 1, 3, 1000]);
});

test("libhv: the measured rows of its three policies, and max_delay below min_delay", () => {
  const row = (delayPolicy: number, count: number): number[] =>
    delays(libhvBackoff({ minDelayMs: 100, maxDelayMs: 1000, delayPolicy }), count);
  assert.deepEqual(row(0, 3), [100, 100, 100]);
  assert.deepEqual(row(1, 3), [100, 200, 300]);
  assert.deepEqual(row(2, 5), [100, 200, 400, 800, 1000]);
  assert.deepEqual(row(3, 4), [100, 300, 900, 1000]);
  assert.deepEqual(delays(libhvBackoff({ minDelayMs: 500, maxDelayMs: 200 }), 2), [200, 200]);
});

test("libhv, dead port, exponential 100…800, five retries: callbacks at 0, 100, 300, 701, 1502, 2303", () => {
  const backoff = libhvBackoff({ minDelayMs: 100, maxDelayMs: 800, maxRetries: 5 });
  explains(backoff, gaps([0, 100, 300, 701, 1502, 2303]), 5);
  assert.equal(timeline(backoff, 9, seededRandom(1)).attempts.length, 5);
});

test("libhv's uint32 product wraps when max_delay allows it to", () => {
  const backoff = libhvBackoff({ minDelayMs: 2 ** 31, maxDelayMs: 2 ** 32 - 1, delayPolicy: 3 });
  assert.deepEqual(delays(backoff, 2), [2 ** 31, 2 ** 31]); // 3 · 2^31 mod 2^32 = 2^31
});

test("DataStax Java: rows of 20,000 clients, base 1 s, max 60 s", () => {
  const rows = [
    { i: 0, min: 1000, max: 1150, mean: 1038.8, tolerance: 1.5 },
    { i: 1, min: 1700, max: 2300, mean: 1999.9, tolerance: 5 },
    { i: 3, min: 6800, max: 9200, mean: 7997.5, tolerance: 20 },
    { i: 5, min: 27_200, max: 36_800, mean: 32_007.7, tolerance: 80 },
    { i: 6, min: 51_000, max: 60_000, mean: 57_671, tolerance: 80 },
  ];
  for (const row of rows) {
    const drawn = population(datastaxJavaBackoff(), row.i, 20_000, row.i + 1);
    assert.deepEqual([drawn[0], drawn.at(-1)], [row.min, row.max], `row ${row.i}`);
    near(mean(drawn), row.mean, row.tolerance);
  }
});

test("DataStax Java: 51.7 % of first delays at exactly the base, 51.6 % at exactly the maximum; corrected none", () => {
  const at = (backoff: Parameters<typeof population>[0], n: number, ms: number): number =>
    share(population(backoff, n, 20_000), (delayMs) => delayMs === ms);
  near(at(datastaxJavaBackoff(), 0, 1000), 0.517, 0.012);
  near(at(datastaxJavaBackoff(), 6, 60_000), 0.516, 0.012);
  assert.ok(at(datastaxJavaCorrected(), 0, 1000) < 0.001);
  assert.ok(at(datastaxJavaCorrected(), 6, 60_000) < 0.001);
  const late = population(datastaxJavaCorrected(), 60, 500);
  assert.ok(late[0]! >= 51_000 && late.at(-1)! <= 60_000);
});

test("DataStax Java: exactly the maximum, without jitter, from the 55th delay on", () => {
  const far = population(datastaxJavaBackoff(), 53, 400);
  assert.ok(share(far, (delayMs) => delayMs === 60_000) < 0.7);
  assert.deepEqual(delays(datastaxJavaBackoff(), 60).slice(54), new Array(6).fill(60_000));
  assert.ok(new Set(delays(datastaxJavaCorrected(), 80).slice(54)).size > 20);
});

test("DataStax Java: a base of 1,024 collapses once to 1,024 ms at index 53", () => {
  const all = delays(datastaxJavaBackoff({ baseDelayMs: 1024 }), 60);
  assert.equal(all[53], 1024);
  assert.ok(all[52]! >= 51_000);
  assert.deepEqual(all.slice(54), new Array(6).fill(60_000));
  for (const baseDelayMs of [1, 2, 8, 512, 2048, 4096]) {
    const collapsed = delays(datastaxJavaBackoff({ baseDelayMs }), 80).slice(20);
    assert.equal(collapsed.filter((delayMs) => delayMs === baseDelayMs).length, 1, `base ${baseDelayMs}`);
  }
  const corrected = delays(datastaxJavaCorrected({ baseDelayMs: 1024 }), 60).slice(10);
  assert.ok(corrected.every((delayMs) => delayMs >= 51_000));
});

test("DataStax Node: leaks over its bounds as measured", () => {
  const sixth = population(datastaxNodeBackoff({ maxDelayMs: 33_000 }), 5, 20_000);
  near(
    share(sixth, (delayMs) => delayMs > 33_000),
    0.39,
    0.012,
  );
  near(sixth.at(-1)!, 36_799, 10);
  const equal = population(datastaxNodeBackoff({ maxDelayMs: 1000 }), 3, 5000);
  near(
    share(equal, (delayMs) => delayMs > 1000),
    0.99,
    0.01,
  );
  const second = population(datastaxNodeBackoff({ startWithNoDelay: true }), 1, 20_000);
  near(
    share(second, (delayMs) => delayMs < 1000),
    0.5,
    0.012,
  );
  assert.equal(
    share(population(datastaxNodeBackoff(), 0, 5000), (delayMs) => delayMs < 1000),
    0,
  );
});

test("DataStax Node, policy 100·2ⁿ: restored after 112, 208, 410, 807, 1607, 3209 ms", () => {
  const pure = [100, 200, 400, 800, 1600, 3200];
  assert.deepEqual(delays(datastaxNodeBackoff({ baseDelayMs: 100 }), 6, draws(0.5)).slice(1), pure.slice(1));
  explains(datastaxNodeBackoff({ baseDelayMs: 100 }), [112, 208, 410, 807, 1607, 3209]);
});

test("gRPC: the ninth wait is 34.4 to 51.5 s by the specification, 10.5 to 134 s in grpc-js, means equal", () => {
  const specified = population(presetNamed("grpc").backoff, 8, 20_000);
  near(specified[0]!, 34_400, 100);
  near(specified.at(-1)!, 51_500, 100);
  const compounding = population(grpcJsBackoff(), 8, 100_000);
  near(compounding[0]!, 10_500, 1500);
  near(compounding.at(-1)!, 134_000, 12_000);
  near(compounding[5000]!, 23_500, 400);
  near(compounding[95_000]!, 69_900, 900);
  near(mean(compounding), mean(specified), 600);
});

test("grpc-js: both measured runs on a peer that accepts and closes", () => {
  const first = [990, 1769, 3122, 4613, 6153, 8034];
  const second = [994, 1355, 2314, 3996, 6490, 8949];
  for (const run of [first, second]) {
    run.slice(1).forEach((gap, i) => {
      const grown = run[i]! * 1.6; // from the jittered last one
      assert.ok(gap > grown * 0.79 && gap < grown * 1.22, `${gap} after ${run[i]}`);
    });
    explains(grpcJsBackoff(), run.slice(1), 1e6);
  }
});

test("ioredis and node-redis: the measured instants of dials after a loss", () => {
  explains(presetNamed("ioredis").backoff, gaps([0, 247, 505, 862, 1445, 2252, 4048, 7332, 12_432]));
  explains(presetNamed("node-redis").backoff, gaps([0, 4, 198, 449, 857, 1760, 3540, 5640]));
});

test("amqplib, mqtt and the WebSocket clients: the measured instants of dials after a loss", () => {
  explains(presetNamed("amqplib").backoff, gaps([0, 111, 282, 708, 1404, 3020, 6095, 11_895]));
  explains(presetNamed("mqtt").backoff, [1002, 1002]);
  // reconnecting-websocket, which draws its minimum once per process, had 2,186 ms in that one; then × 1.3 as here
  explains(partysocketBackoff(2186), gaps([0, 2221, 5065, 8760, 13_565, 19_810]), 40);
});
