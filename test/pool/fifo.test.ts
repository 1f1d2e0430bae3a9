import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fifo } from "../../src/pool/fifo.ts";

test("a ring does what an array does, whatever the order of pushes, shifts and clearings", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant("push" as const) },
    { weight: 4, arbitrary: fc.constant("shift" as const) },
    { weight: 1, arbitrary: fc.constant("keep" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const ring = new Fifo<number>();
      let array: number[] = [];
      for (const [i, each] of steps.entries()) {
        if (each === "push") {
          ring.push(i);
          array.push(i);
        } else if (each === "shift") assert.equal(ring.shift(), array.shift());
        else {
          ring.keep((item) => item % 3 > 0);
          array = array.filter((item) => item % 3 > 0);
        }
        assert.equal(ring.size, array.length);
      }
      const rest: number[] = [];
      ring.each((item) => rest.push(item));
      assert.deepEqual(rest, array);
    }),
  );
});
