/** The library's pipeline mode: many statements on the wire at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rigFor } from "./rig.ts";

test("pg: in pipeline mode each statement has its own verdict", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected({ pipeline: true });
  await client.query("CREATE TABLE t (n int PRIMARY KEY)");
  const settled = await Promise.allSettled([
    client.query("INSERT INTO t VALUES (1)"),
    client.query("INSERT INTO t VALUES (1)"),
    client.query("SELECT n FROM t"),
  ]);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const all = [
    client.query("SELECT 5 AS n"),
    client.query("INSERT INTO t VALUES (2)"),
    client.query("SELECT 6 AS n"),
  ];
  const ended = Promise.allSettled(all);
  rig.proxy.cut("rst");
  const [five, insert, six] = await ended;
  await hole.undo();
  assert.ok(five?.status === "fulfilled" && six?.status === "fulfilled");
  assert.deepEqual([five.value.rows, six.value.rows], [[{ n: 5 }], [{ n: 6 }]]);
  assert.equal(insert?.status === "rejected" && insert.reason.outcome, "maybe-applied");
});
