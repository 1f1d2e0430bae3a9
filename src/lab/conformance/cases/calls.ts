/** What becomes of calls while the link is down. */
import assert from "node:assert/strict";
import { isHoldfastError } from "../../../call/index.ts";
import { until } from "../../servers/until.ts";
import type { ConformanceCase } from "../case.ts";
import { works } from "./losses.ts";

export const callCases: readonly ConformanceCase[] = [
  {
    name: "calls made while the link is down wait, and all arrive once",
    items: ["[mariadb-redis 51]", "[nats 6]", "N5"],
    async run(context) {
      const opened = await context.connected();
      const refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("disconnected");
      const ids = Array.from({ length: 20 }, () => context.nextId());
      const writes = ids.map((id) => opened.client.write(id));
      assert.equal(opened.client.resilience.snapshot().waiting, ids.length);
      await refused.undo();
      await Promise.all(writes);
      const applied = await context.server.audit();
      const seen = [...applied.keys()].filter((id) => ids.includes(id));
      assert.equal(seen.length, ids.length);
      for (const id of ids) assert.equal(applied.get(id), 1);
    },
  },
  {
    name: "the outbox is bounded: what does not fit is refused at once as not-applied",
    items: ["[mariadb-redis 51]", "N23"],
    async run(context) {
      const opened = await context.connected({ resilience: { outbox: { entries: 3 } } });
      const refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("disconnected");
      const writes = [1, 2, 3].map(() => opened.client.write(context.nextId()));
      const tooMuch = context.nextId();
      await assert.rejects(
        opened.client.write(tooMuch),
        (error) =>
          isHoldfastError(error) && error.code === "HF_OUTBOX_FULL" && error.outcome === "not-applied",
      );
      await refused.undo();
      await Promise.all(writes);
      assert.equal(await context.applied(tooMuch), 0);
    },
  },
  {
    name: "a call that waited too long is not-applied and never sent",
    items: ["[mariadb-redis 51]"],
    async run(context) {
      const opened = await context.connected({ resilience: { outbox: { ageMs: 300 } } });
      const refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("disconnected");
      const id = context.nextId();
      await assert.rejects(
        opened.client.write(id),
        (error) => isHoldfastError(error) && error.outcome === "not-applied",
      );
      await refused.undo();
      await opened.events.until("reconnected");
      await works(context, opened);
      assert.equal(await context.applied(id), 0);
    },
  },
  {
    name: "a read that dies with its connection is answered by the next one",
    items: ["R8"],
    needs: "replies",
    async run(context) {
      const opened = await context.connected();
      const hole = await context.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
      const read = opened.client.read();
      read.catch(() => {});
      await until("the read on the wire", 10_000, () => hole.hits.length > 0);
      context.proxy.cut("rst");
      await read;
      assert.equal(opened.events.of("reconnected").length, 1);
    },
  },
  {
    name: "a write whose connection is reset is maybe-applied, and applied at most once",
    items: ["[mariadb-redis 38]", "R2"],
    async run(context) {
      const opened = await context.connected();
      const hole = await context.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
      const id = context.nextId();
      const write = opened.client.write(id);
      write.catch(() => {});
      await until("the write at the server", 10_000, async () => (await context.applied(id)) === 1);
      context.proxy.cut("rst");
      await assert.rejects(write, (error) => isHoldfastError(error) && error.outcome === "maybe-applied");
      await hole.undo();
      await opened.client.resilience.whenReady();
      await works(context, opened);
      assert.equal(await context.applied(id), 1);
    },
  },
];
