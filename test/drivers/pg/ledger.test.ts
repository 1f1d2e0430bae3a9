/** Twenty times kill -9 under eight workers' inserts: what was told is what the server has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { until } from "../../support/until.ts";
import { rigFor } from "./rig.ts";

const workers = 8;
const kills = 20;

test("pg pool: kill -9 under 8 workers' inserts, 20 times: four zeros [mariadb-redis 34] [mariadb-redis 18]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: workers });
  await pool.query("CREATE TABLE t (id int)");
  const told = new Map<number, "done" | "not-applied" | "maybe-applied">();
  let last = 0;
  let running = true;
  let reads = 0;
  const work = async (): Promise<void> => {
    while (running) {
      const id = ++last;
      const outcome = await pool.query("INSERT INTO t VALUES ($1)", [id]).then(
        () => "done" as const,
        (error: unknown) => {
          assert.ok(isHoldfastError(error) && error.outcome !== undefined, String(error));
          return error.outcome;
        },
      );
      told.set(id, outcome);
      // Reads end without an error, whatever happens meanwhile.
      await pool.query("SELECT 1");
      reads++;
    }
  };
  const all = Promise.all(Array.from({ length: workers }, work));
  for (let kill = 0; kill < kills; kill++) {
    const before = told.size;
    await until("writes go on", 10_000, () => told.size > before + 2 * workers);
    await rig.server.kill9();
    await rig.server.restart();
  }
  running = false;
  await all;
  const rows = await rig.server.sql.query("SELECT id, COUNT(*) AS n FROM t GROUP BY id");
  const applied = new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
  const ids = Array.from({ length: last }, (_, i) => i + 1);
  const count = (wrong: (id: number) => boolean): number => ids.filter(wrong).length;
  const unknown = count((id) => told.get(id) === "maybe-applied");
  assert.deepEqual(
    {
      acknowledgedButAbsent: count((id) => told.get(id) === "done" && !applied.has(id)),
      appliedTwice: count((id) => (applied.get(id) ?? 0) > 1),
      toldNotAppliedButApplied: count((id) => told.get(id) === "not-applied" && applied.has(id)),
      neverSettled: count((id) => !told.has(id)),
    },
    { acknowledgedButAbsent: 0, appliedTwice: 0, toldNotAppliedButApplied: 0, neverSettled: 0 },
  );
  assert.ok(unknown <= workers * kills, `${unknown} unknown of ${last}`);
  assert.ok(reads >= last - workers);
  t.diagnostic(`${last} inserts, ${unknown} unknown, ${reads} reads without an error`);
});
