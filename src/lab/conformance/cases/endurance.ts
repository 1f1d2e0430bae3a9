/** A thousand reconnects: memory stays flat, nothing piles up. */
import assert from "node:assert/strict";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "../../servers/until.ts";
import type { ConformanceCase } from "../case.ts";
import { addressOf } from "../context.ts";
import { works } from "./losses.ts";

/** Compiled code and its caches grow during the first few hundred. */
const warmUp = 500;
const reconnects = 1_000;
/** Far below what one kept connection takes (over 4 kB). */
const growthBytesEach = 2_048;

/** The heap in use after a full collection, once what ended in this turn has gone. */
async function heapBytes(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

export const enduranceCases: readonly ConformanceCase[] = [
  {
    name: "a thousand reconnects with flat memory",
    items: ["[mariadb-redis 57]", "L10"],
    deadlineMs: 120_000,
    async run(context) {
      // Straight to the server: the proxy's own log would be counted.
      const opened = context.open({
        endpoints: [addressOf(context.server)],
        resilience: { minDialGapMs: 0, stableAfterMs: 0 },
      });
      const { client, events } = opened;
      await client.connect();
      let warmHeapBytes = 0;
      for (let i = 1; i <= reconnects; i++) {
        events.all.length = 0;
        client.resilience.reconnectNow();
        await events.until("reconnected");
        if (i === warmUp) warmHeapBytes = await heapBytes();
      }
      const grownBytes = (await heapBytes()) - warmHeapBytes;
      const kb = Math.round(grownBytes / 1024);
      const allowed = (reconnects - warmUp) * growthBytesEach;
      assert.ok(grownBytes < allowed, `the heap grew by ${kb} kB over ${reconnects - warmUp} reconnects`);
      assert.equal(client.resilience.snapshot().connects, reconnects + 1);
      await works(context, opened);
      // A busy server needs a moment to see that the one before is gone.
      const { server } = context;
      await until("one connection at the server", 3_000, async () => (await server.connectionCount()) <= 1);
    },
  },
];
