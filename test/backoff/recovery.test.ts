/** What the defaults were chosen by: what is left to wait when a server comes back, and the dials that cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Backoff, boundedExponential, immediately, presetNamed } from "../../src/backoff/index.ts";
import { seededRandom } from "../../src/time/index.ts";

const DIAL_MS = 1;
/** Outages are longer than their name by 0 to 50 %, evenly: no grid of attempts is favoured. */
const SPREAD = 0.5;
const CLIENTS = 2_000;

interface Recovery {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly dials: number;
}

function recovery(backoff: Backoff, outageMs: number): Recovery {
  const random = seededRandom(11);
  const left: number[] = [];
  let dials = 0;
  for (let i = 0; i < CLIENTS; i++) {
    const downMs = outageMs * (1 + (SPREAD * (i + 0.5)) / CLIENTS);
    let schedule = backoff.start();
    let atMs = 0;
    for (let attempt = 0; atMs < downMs; attempt++) {
      const step = schedule.next(random, { attempt, elapsedMs: atMs });
      assert.ok(!("exhausted" in step));
      schedule = step.schedule;
      atMs += step.delayMs + DIAL_MS;
      dials++;
    }
    left.push(atMs - downMs);
  }
  left.sort((a, b) => a - b);
  return {
    meanMs: left.reduce((sum, ms) => sum + ms) / CLIENTS,
    p99Ms: left[Math.floor(CLIENTS * 0.99)] as number,
    dials: dials / CLIENTS,
  };
}

const outagesMs = Array.from({ length: 31 }, (_, i) => 1_000 * 1.17 ** i); // 1 to 111 s
const of = (name: string): Backoff => presetNamed(name).backoff;

/** Of each length, ours against the peer's: what is left to wait, and dials. */
function against(ours: string, theirs: string): { waits: number[]; dials: number[] } {
  const waits: number[] = [];
  const dials: number[] = [];
  for (const outageMs of [...outagesMs, 120_000]) {
    const own = recovery(of(ours), outageMs);
    const peer = recovery(of(theirs), outageMs);
    waits.push(own.meanMs / peer.meanMs);
    dials.push(own.dials / peer.dials);
  }
  return { waits, dials };
}

const geometricMean = (ratios: readonly number[]): number =>
  Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);

// The peers' waits are nearly fixed: at single lengths their next dial happens to come soon. And once all wait about
// the same, nobody can be sooner at no more dials: a mean wait of half an interval costs one dial in each.
for (const [ours, theirs] of [
  ["holdfast-redis", "node-redis"],
  ["holdfast-sparing", "ioredis"],
] as const) {
  test(`${ours} against ${theirs} over outages of 1 to 120 s: sooner, at fewer dials`, () => {
    const { waits, dials } = against(ours, theirs);
    const where = JSON.stringify({ waits, dials });
    assert.ok(Math.max(...waits) <= 1.08, where);
    assert.ok(Math.max(...dials) <= 1.04, where);
    assert.ok(geometricMean(waits) < 0.92, where);
    assert.ok(geometricMean(dials) < 0.98, where);
  });
}

test("holdfast-redis against ioredis, which waits up to 5.2 s: sooner in every outage", () => {
  const { waits, dials } = against("holdfast-redis", "ioredis");
  assert.ok(Math.max(...waits) <= 1, JSON.stringify(waits));
  assert.ok(geometricMean(waits) < 0.6, JSON.stringify(waits));
  assert.ok(Math.max(...dials) < 2.2, JSON.stringify(dials));
});

test("the engine's default: sooner than full jitter up to 10 s after every outage, at the same dials", () => {
  const before = immediately(boundedExponential({ minMs: 50, baseMs: 200, capMs: 10_000 }));
  for (const outageMs of outagesMs) {
    const own = recovery(of("holdfast"), outageMs);
    const full = recovery(before, outageMs);
    const where = `${outageMs} ms: ${JSON.stringify({ own, full })}`;
    assert.ok(own.meanMs < full.meanMs * 0.9, where);
    assert.ok(own.p99Ms < full.p99Ms * 0.9, where);
    assert.ok(own.dials <= full.dials * 1.02, where);
  }
  assert.ok(recovery(of("holdfast"), 3_000).p99Ms < 4_500);
});

test("10,000 clients cut at once: at most 300 arrive in any 100 ms once ten seconds have passed", () => {
  const random = seededRandom(3);
  const arrivals = new Uint32Array(1_200);
  for (let client = 0; client < 10_000; client++) {
    let schedule = of("holdfast").start();
    let atMs = 0;
    for (let attempt = 0; ; attempt++) {
      const step = schedule.next(random, { attempt, elapsedMs: atMs });
      assert.ok(!("exhausted" in step));
      schedule = step.schedule;
      atMs += step.delayMs;
      if (atMs >= 120_000) break;
      arrivals[Math.floor(atMs / 100)]! += 1;
    }
  }
  assert.ok(Math.max(...arrivals.slice(100)) <= 300);
  assert.ok(Math.max(...arrivals.slice(3)) <= 2_800, "after the first try, which is at once");
});
