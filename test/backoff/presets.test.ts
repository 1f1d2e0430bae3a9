import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  awsDecorrelatedBackoff,
  datastaxJavaBackoff,
  decorrelatedV2Backoff,
  decorrelatedV2Corrected,
  etcdUnaryBackoff,
  goRedisBackoff,
  goRedisCorrected,
  grpcJsBackoff,
  hazards,
  LONGEST_DELAY_MS,
  libhvBackoff,
  natsGoBackoff,
  nsqBackoff,
  nsqFullJitterBackoff,
  type Preset,
  presetNamed,
  presets,
  redisPyBackoff,
  sqlServerBackoff,
  timeline,
} from "../../src/backoff/index.ts";
import { smithyBackoff } from "../../src/backoff/presets/aws.ts";
import { defaults } from "../../src/options/index.ts";
import { seededRandom } from "../../src/time/index.ts";
import { delays, draws, population, share } from "./helpers.ts";

const every = Object.entries(presets);

test("each preset has a name, a sentence, a source and constants", () => {
  assert.ok(every.length >= 40);
  for (const [name, preset] of every) {
    assert.equal(preset.name, name);
    assert.match(name, /^[a-z0-9.-]+$/);
    assert.ok(preset.describe.length > 20 && preset.source.length > 10, name);
    assert.ok(
      Object.values(preset.constants).every((value) => value >= 0),
      name,
    );
  }
});

test("a defective preset names a corrected one that has no defects", () => {
  const defective = Object.values(presets).filter((preset: Preset) => preset.defects.length > 0);
  assert.ok(defective.length >= 8);
  for (const preset of defective) {
    const corrected = presetNamed(preset.corrected ?? `none for ${preset.name}`);
    assert.deepEqual(corrected.defects, []);
  }
});

for (const [name, preset] of every) {
  test(`${name}: finite, never negative, up to n = 10,000 and at the edges of the draw`, () => {
    const generators = [draws(0), draws(1 - 2 ** -32), draws(0.15, 0.55), seededRandom(11)];
    for (const random of generators) {
      for (const delayMs of delays(preset.backoff, 10_000, random)) {
        assert.ok(delayMs >= 0 && delayMs <= LONGEST_DELAY_MS, `${delayMs}`);
      }
    }
  });
}

test("a preset serves any number of links: two schedules with twin generators agree", () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(presets)), fc.integer(), (preset, seed) => {
      const once = timeline(preset.backoff, 40, seededRandom(seed));
      assert.deepEqual(timeline(preset.backoff, 40, seededRandom(seed)), once);
    }),
  );
});

test("SQL Server: at once, then every interval, until the count or the login timeout", () => {
  const plan = (options: Parameters<typeof sqlServerBackoff>[0]): number[] =>
    timeline(sqlServerBackoff(options), 300, seededRandom(1)).attempts.map((planned) => planned.atMs);
  assert.deepEqual(plan({}), [0]);
  assert.deepEqual(plan({ connectRetryCount: 3 }), [0, 10_000, 20_000]);
  assert.deepEqual(plan({ connectRetryCount: 5, loginTimeoutS: 15 }), [0, 10_000]);
  assert.deepEqual(plan({ connectRetryCount: 5, loginTimeoutS: 0 }), [0, 10_000, 20_000]);
  assert.deepEqual(plan({ connectRetryCount: 0, connectRetryIntervalS: 60 }), []);
  assert.equal(plan({ connectRetryCount: 255, connectRetryIntervalS: 1, loginTimeoutS: 1000 }).length, 255);
  assert.throws(
    () => sqlServerBackoff({ connectRetryCount: 256 }),
    /connectRetryCount must be .* at most 255; got 256$/,
  );
  assert.throws(
    () => sqlServerBackoff({ connectRetryIntervalS: 0 }),
    /connectRetryIntervalS must be .* at least 1 and at most 60/,
  );
  assert.throws(() => sqlServerBackoff({ connectRetryIntervalS: 1.5 }), /must be a whole number/);
  assert.throws(() => sqlServerBackoff({ connectRetryCount: true as never }), TypeError);
});

test("go-redis v8: [8,24), [8,40), [8,72) ms; three retries cover less than 0.14 s", () => {
  const backoff = presetNamed("go-redis").backoff;
  assert.deepEqual(delays(backoff, 9, draws(0)), [8, 8, 8]);
  const longest = delays(backoff, 9, draws(0.999999));
  [24, 40, 72].forEach((bound, n) => {
    assert.ok(longest[n]! < bound && longest[n]! > bound - 0.01);
  });
  assert.ok(longest.reduce((sum, delayMs) => sum + delayMs) < 140);
  assert.deepEqual(delays(presetNamed("go-redis-9.22").backoff, 9, draws(0.5)), [20, 30, 50]);
});

test("go-redis: an overflow is the maximum; the tenth delay is clamped for 94 %, corrected for none", () => {
  const many = { maxRetries: 10_000 };
  assert.deepEqual(new Set(delays(goRedisBackoff(many), 100, draws(0)).slice(41)), new Set([512]));
  const clamped = (delayMs: number): boolean => delayMs === 512;
  assert.ok(Math.abs(share(population(goRedisBackoff(many), 9, 5000), clamped) - 0.94) < 0.015);
  assert.equal(share(population(goRedisCorrected(many), 9, 5000), clamped), 0);
});

test("redis-py 8: the tenth delay is clamped to 1 s for 90 %, corrected for none", () => {
  const clamped = (delayMs: number): boolean => delayMs === 1000;
  assert.ok(Math.abs(share(population(redisPyBackoff(), 9, 5000), clamped) - 0.9) < 0.015);
  assert.equal(share(population(presetNamed("redis-py-corrected").backoff, 9, 5000), clamped), 0);
  assert.deepEqual(delays(presetNamed("redis-py-6").backoff, 9, draws(0.5)), [1000, 2000, 4000]);
  assert.equal(timeline(redisPyBackoff({ retries: -1 }), 500, seededRandom(1)).attempts.length, 500);
});

test("Lettuce and HikariCP double in lockstep to their caps", () => {
  assert.deepEqual(delays(presetNamed("lettuce").backoff, 16).slice(12), [4096, 8192, 16_384, 30_000]);
  assert.deepEqual(
    delays(presetNamed("hikaricp").backoff, 11),
    [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000],
  );
});

test("go-nsq: 2, 4, 8, 16, 32, 64 s, and 64 s is the real cap", () => {
  const seconds = delays(nsqBackoff(), 8).map((delayMs) => delayMs / 1000);
  assert.deepEqual(seconds, [2, 4, 8, 16, 32, 64, 64, 64]);
  assert.deepEqual(delays(nsqBackoff({ maxBackoffMs: 1999 }), 2), [0, 0]);
});

test("go-nsq full jitter climbs past its cap: late delays pile up at exactly 2 min, corrected never", () => {
  const clamped = (delayMs: number): boolean => delayMs === 120_000;
  assert.ok(share(population(nsqFullJitterBackoff(), 60, 2000), clamped) > 0.5);
  assert.equal(share(population(presetNamed("go-nsq-full-jitter-corrected").backoff, 60, 2000), clamped), 0);
});

test("etcd's unary calls wait 25 ms ± 10 % after each quorum, 100 attempts in all", () => {
  const three = delays(etcdUnaryBackoff(3), 200, draws(0.5));
  assert.equal(three.length, 99);
  assert.deepEqual(three.slice(0, 4), [0, 25, 0, 25]);
  assert.deepEqual(delays(etcdUnaryBackoff(5), 3, draws(0)), [0, 0, 22.5]);
  assert.ok(delays(etcdUnaryBackoff(1), 99).every((delayMs) => delayMs >= 22.5 && delayMs <= 27.5));
});

test("AWS decorrelated clamps its result: 29 % of late delays are exactly the cap; ours none", () => {
  const clamped = (delayMs: number): boolean => delayMs === 20_000;
  const late = delays(awsDecorrelatedBackoff(), 10_000).slice(20);
  assert.ok(Math.abs(share(late, clamped) - 0.29) < 0.03);
  assert.equal(share(delays(presetNamed("aws-decorrelated-corrected").backoff, 10_000), clamped), 0);
});

test("smithy: two retries; without the limit the 15th delay is exactly 20 s for 99 %", () => {
  assert.deepEqual(delays(presetNamed("smithy").backoff, 9, draws(0.5)), [50, 100]);
  assert.ok(share(population(smithyBackoff(), 14, 3000), (delayMs) => delayMs === 20_000) > 0.98);
});

test("socket.io: the first decimal of the draw is its sign", () => {
  const first = (draw: number): number => delays(presetNamed("socket.io").backoff, 1, draws(draw))[0]!;
  assert.deepEqual([0.05, 0.15, 0.25, 0.75, 0.85, 0.95].map(first), [975, 1075, 875, 1375, 575, 1475]);
  const thousand = population(presetNamed("socket.io").backoff, 0, 5000);
  assert.equal(
    share(thousand, (delayMs) => delayMs < 550 || (delayMs > 900 && delayMs < 950)),
    0,
  );
  const corrected = population(presetNamed("socket.io-corrected").backoff, 0, 5000);
  assert.ok(share(corrected, (delayMs) => delayMs < 550) > 0.03);
});

test("socket.io: exactly 5 s from the fifth delay on, and 0 ms for some after the 1,014th; corrected neither", () => {
  const exact = presetNamed("socket.io").backoff;
  assert.deepEqual(new Set(delays(exact, 200).slice(4)), new Set([5000]));
  assert.ok(share(delays(exact, 3000).slice(1020), (delayMs) => delayMs === 0) > 0.4);
  assert.equal(
    share(delays(exact, 1014), (delayMs) => delayMs === 0),
    0,
  );
  const corrected = delays(presetNamed("socket.io-corrected").backoff, 3000).slice(4);
  assert.ok(corrected.every((delayMs) => delayMs >= 2500 && delayMs < 5000));
  assert.ok(new Set(corrected).size > 2900);
});

test("Polly's decorrelated V2: medians of the third delay on near 2, 4, 8 times the base; 97 % of 12th delays clamped, ours none", () => {
  [2000, 4000, 8000, 16_000].forEach((expected, i) => {
    const drawn = population(decorrelatedV2Backoff({ baseMs: 1000 }), i + 2, 4001);
    assert.ok(Math.abs(drawn[2000]! / expected - 1) < 0.1, `${drawn[2000]} near ${expected}`);
    assert.ok(drawn.at(-1)! <= 1000 * (2 ** (i + 3) - 2 ** (i + 1)), "the bound Polly documents");
  });
  const cockatiel = { baseMs: 128, maxMs: 30_000 };
  const clamped = (delayMs: number): boolean => delayMs === 30_000;
  assert.ok(share(population(decorrelatedV2Backoff(cockatiel), 11, 3000), clamped) > 0.97);
  const spread = population(decorrelatedV2Corrected(cockatiel), 11, 3000);
  assert.equal(share(spread, clamped), 0);
  assert.ok(spread[0]! >= 0 && spread.at(-1)! < 30_000);
});

test("the smaller ones, row by row", () => {
  const row = (name: string, count = 9): number[] => delays(presetNamed(name).backoff, count, draws(0.5));
  assert.deepEqual(row("ioredis-5", 41).slice(38), [1950, 2000, 2000]);
  assert.deepEqual(row("partysocket", 6).map(Math.round), [3000, 3900, 5070, 6591, 8568, 10_000]);
  assert.deepEqual(row("graphql-ws"), [2650, 3650, 5650, 9650, 17_650]);
  assert.deepEqual(row("undici"), [500, 1000, 2000, 4000, 8000]);
  assert.deepEqual(
    row("p-retry", 20),
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((s) => s * 1000),
  );
  assert.deepEqual(row("p-retry-randomized", 3), [1500, 3000, 6000]);
  assert.deepEqual(row("tigerbeetle", 7), [75, 100, 150, 250, 450, 525, 525]);
  assert.deepEqual(row("polly"), [2000, 2000, 2000]);
  assert.deepEqual(row("tedious"), [500, 500, 500]);
  assert.deepEqual(row("redis-py-3"), [0]);
  assert.deepEqual(row("aws-full", 3), [50, 100, 200]);
  assert.deepEqual(row("aws-equal", 3), [75, 150, 300]);
  assert.deepEqual(row("effect", 4), [1000, 2000, 4000, 8000]);
  assert.deepEqual(row("holdfast", 8), [0, 400, 600, 900, 1350, 2025, 3037.5, 4556.25]);
});

test("ours has the figures of the defaults", () => {
  const { minMs, baseMs, capMs } = presetNamed("holdfast").constants;
  assert.deepEqual(
    [minMs, baseMs, capMs],
    [defaults["backoff.minMs"].value, defaults["backoff.baseMs"].value, defaults["backoff.capMs"].value],
  );
  assert.equal(defaults["backoff.immediateFirst"].value, delays(presetNamed("holdfast").backoff, 1)[0] === 0);
});

test("ours is without hazards; the presets' own are told", () => {
  assert.deepEqual(hazards(presetNamed("holdfast").backoff), []);
  const codes = (name: string): string[] => hazards(presetNamed(name).backoff).map((hazard) => hazard.code);
  assert.deepEqual(codes("go-redis"), ["too-fast"]);
  assert.deepEqual(codes("mqtt"), ["lockstep"]);
  assert.deepEqual(codes("datastax-java"), ["lockstep"]);
  assert.deepEqual(codes("datastax-java-corrected"), []);
  assert.deepEqual(codes("socket.io"), ["lockstep"]);
  assert.deepEqual(codes("socket.io-corrected"), []);
  assert.deepEqual(codes("lettuce"), ["too-fast", "lockstep"]);
});

test("an unknown preset or option is named, with the nearest", () => {
  assert.throws(() => presetNamed("nats-go"), /no backoff preset "nats-go" \(did you mean "nats\.go"\?\)$/);
  assert.throws(() => presetNamed("nodredis"), /did you mean "node-redis"/);
  assert.throws(() => presetNamed("toString"), /no backoff preset "toString"/);
  assert.throws(
    () => natsGoBackoff({ reconnectWait: 5 } as never),
    /no option "reconnectWait" \(did you mean "reconnectWaitMs"\?\)/,
  );
  assert.throws(() => natsGoBackoff({ reconnectWaitMs: -1 }), /reconnectWaitMs must be .* got -1$/);
  assert.throws(
    () => natsGoBackoff({ reconnectJitterMs: "1s" as never }),
    /reconnectJitterMs must be .* got "1s"$/,
  );
  assert.throws(() => natsGoBackoff({ maxReconnect: 1.5 }), /maxReconnect must be a whole number/);
  assert.throws(() => libhvBackoff({ minDelayMs: 2 ** 32 }), /minDelayMs must be .* at most 4294967295/);
  assert.throws(() => datastaxJavaBackoff({ baseDelayMs: 0 }), /baseDelayMs must be .* above 0/);
  assert.throws(
    () => datastaxJavaBackoff({ maxDelayMs: 10 }),
    /baseDelayMs must be at most maxDelayMs \(10\); got 1000$/,
  );
  assert.throws(() => grpcJsBackoff({ jitter: 2 }), /jitter must be .* at most 1; got 2$/);
});
