/** A thousand reconnects: memory stays flat, nothing piles up. */
import assert from "node:assert/strict";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ConformanceCase } from "../case.ts";
import { addressOf } from "../context.ts";
import { works } from "./losses.ts";

const warmUp = 300;
const reconnects = 1_000;
/** What 700 further reconnects may add: far below one kept connection (over 4 kB) each. */
const growthBytes = 700 * 1_024;

/** The heap in use after a full collection. */
function heapBytes(): number {
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
        if (i === warmUp) warmHeapBytes = heapBytes();
      }
      const grownBytes = heapBytes() - warmHeapBytes;
      const kb = Math.round(grownBytes / 1024);
      assert.ok(grownBytes < growthBytes, `the heap grew by ${kb} kB over ${reconnects - warmUp} reconnects`);
      assert.equal(client.resilience.snapshot().connects, reconnects + 1);
      await works(context, opened);
      assert.ok((await context.server.connectionCount()) <= 1, "one connection at the server");
    },
  },
];
