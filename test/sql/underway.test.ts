/** What is under way on one connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Underway } from "../../src/sql/index.ts";

test("underway: in any order of coming and going it holds what a map holds", () => {
  const keys = [{ n: 0 }, { n: 1 }, { n: 2 }] as const;
  let seen = 0;
  // Every sequence of six steps; a step sets one of the keys, or takes it.
  for (let sequence = 0; sequence < 6 ** 6; sequence++) {
    const underway = new Underway<object, number>();
    const map = new Map<object, number>();
    for (let rest = sequence, step = 0; step < 6; step++, rest = Math.floor(rest / 6)) {
      const key = keys[rest % 3] as object;
      if (rest % 6 < 3) {
        underway.set(key, step);
        map.set(key, step);
      } else {
        assert.equal(underway.take(key), map.get(key));
        map.delete(key);
      }
      assert.equal(underway.size, map.size);
      seen = Math.max(seen, map.size);
    }
    assert.deepEqual(new Set(underway.keys()), new Set(map.keys()));
    for (const key of keys) assert.equal(underway.has(key), map.has(key));
    for (const key of keys) assert.equal(underway.take(key), map.get(key));
    assert.equal(underway.size, 0);
  }
  assert.equal(seen, 3);
});
