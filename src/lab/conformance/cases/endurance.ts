/** A thousand reconnects: memory stays flat, nothing piles up. */
import assert from "node:assert/strict";
import { until } from "../../servers/until.ts";
import type { ConformanceCase } from "../case.ts";
import { addressOf } from "../context.ts";
import { Growth } from "../heap-growth.ts";
import { works } from "./losses.ts";

const reconnects = 1_000;
/** Before these, compiled code and its caches grow. */
const warmUp = 250;
const sampleEvery = 50;
/** A kept connection takes over 4 kB. */
const growthBytesEach = 3_000;

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
      const heap = new Growth();
      for (let i = 1; i <= reconnects; i++) {
        events.all.length = 0;
        client.resilience.reconnectNow();
        await events.until("reconnected");
        if (i >= warmUp && i % sampleEvery === 0) await heap.addHeap(i);
      }
      const bytesEach = heap.perRound();
      assert.ok(bytesEach < growthBytesEach, `each reconnect leaves ${bytesEach} bytes: ${heap}`);
      assert.equal(client.resilience.snapshot().connects, reconnects + 1);
      await works(context, opened);
      // A busy server needs a moment to see that the one before is gone.
      const { server } = context;
      await until("one connection at the server", 3_000, async () => (await server.connectionCount()) <= 1);
    },
  },
];
