/** Several endpoints. */
import assert from "node:assert/strict";
import { until } from "../../servers/until.ts";
import type { ConformanceCase } from "../case.ts";

export const failoverCases: readonly ConformanceCase[] = [
  {
    name: "fail-over: the next endpoint takes over, and back",
    items: ["[nats 33]", "N4"],
    deadlineMs: 40_000,
    async run(context) {
      const other = await context.second();
      const opened = await context.connected({ endpoints: [context.proxy.endpoint, other.proxy.endpoint] });
      assert.equal(opened.client.resilience.snapshot().endpoint, context.proxy.address);
      const refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("reconnected");
      assert.equal(opened.client.resilience.snapshot().endpoint, other.proxy.address);
      const id = context.nextId();
      await opened.client.write(id);
      assert.equal((await other.server.audit()).get(id), 1);
      await refused.undo();
      await using _away = await other.proxy.fault({ kind: "refuse" });
      other.proxy.cut("rst");
      await opened.events.until("reconnected", 2);
      assert.equal(opened.client.resilience.snapshot().endpoint, context.proxy.address);
    },
  },
  {
    name: "failover() moves to the next endpoint while this one is well",
    deadlineMs: 40_000,
    async run(context) {
      const other = await context.second();
      const opened = await context.connected({ endpoints: [context.proxy.endpoint, other.proxy.endpoint] });
      opened.client.resilience.failover();
      await opened.events.until("reconnected");
      assert.equal(opened.client.resilience.snapshot().endpoint, other.proxy.address);
      await until("end of the old connection", 10_000, () => context.proxy.connections().length === 0);
    },
  },
  {
    name: "every endpoint away: each is tried, then the wait; the first back is used",
    items: ["N4", "N17"],
    deadlineMs: 40_000,
    async run(context) {
      const other = await context.second();
      const opened = await context.connected({ endpoints: [context.proxy.endpoint, other.proxy.endpoint] });
      const refusals = [
        await context.proxy.fault({ kind: "refuse" }),
        await other.proxy.fault({ kind: "refuse" }),
      ];
      context.proxy.cut("rst");
      await opened.events.until("attemptFailed", 4);
      const tried = new Set(opened.events.of("attemptFailed").map(({ data }) => data.endpoint));
      assert.deepEqual([...tried].sort(), [context.proxy.address, other.proxy.address].sort());
      await refusals[1]?.undo();
      await opened.events.until("reconnected");
      assert.equal(opened.client.resilience.snapshot().endpoint, other.proxy.address);
      await refusals[0]?.undo();
    },
  },
];
