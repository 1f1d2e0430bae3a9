import assert from "node:assert/strict";
import { test } from "node:test";
import { Growth } from "../../../src/lab/index.ts";
import { seededRandom } from "../../../src/time/index.ts";

function grown(valueAt: (round: number) => number): number {
  const growth = new Growth();
  for (let round = 250; round <= 1_000; round += 50) growth.add(round, valueAt(round));
  return growth.perRound();
}

test("what is kept in every round is found, also under noise of many times its size", () => {
  assert.equal(
    grown((round) => 5e6 + 4_096 * round),
    4_096,
  );
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const noisy = grown((round) => 5e6 + 4_096 * round + 600_000 * random.next());
    assert.ok(noisy > 3_000, `seed ${seed}: ${noisy}`);
  }
});

test("noise, a step of a megabyte anywhere, and single outliers are no growth", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const noise = grown(() => 5e6 + 600_000 * random.next());
    assert.ok(Math.abs(noise) < 1_500, `seed ${seed}: ${noise}`);
  }
  for (let at = 250; at <= 1_000; at += 50) {
    const step = grown((round) => (round >= at ? 1_050_000 : 0));
    assert.ok(step < 2_000, `a step at ${at}: ${step}`);
    assert.equal(
      grown((round) => (round === at ? 9e6 : 0)),
      0,
    );
  }
});

test("one sample tells no growth", () => {
  const growth = new Growth();
  growth.add(1, 1);
  assert.throws(() => growth.perRound(), /two samples/);
});

test("a real leak of 4 kB in every round is found in the heap", async () => {
  const growth = new Growth();
  const kept: unknown[] = [];
  for (let round = 0; round <= 500; round++) {
    if (round % 50 === 0) await growth.addHeap(round);
    kept.push(new Array(512).fill(round)); // 8 bytes each
  }
  assert.ok(growth.perRound() > 3_500, `${growth}`);
  assert.equal(kept.length, 501);
});
