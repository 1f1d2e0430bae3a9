/** A property: whatever a session has been told, its successor on the next connection holds the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../../../src/drivers/pg/index.ts";
import { type Random, seededRandom } from "../../../src/time/index.ts";
import { next, rigFor } from "./rig.ts";

const seeds = 24;
const steps = 14;

/** One statement of a random session; `unique` because a name can be prepared once. */
function statement(random: Random, unique: number): string {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T;
  const zone = pick(["'Asia/Tokyo'", "'Europe/Paris'", "'UTC'"]);
  const channel = pick(["a", "b", '"C d"']);
  const setting = pick(["my.a", "my.b"]);
  const value = pick(["one", "two", "it''s"]);
  return pick([
    `SET timezone = ${zone}`,
    `SET SESSION TIME ZONE ${zone}`,
    `SET LOCAL timezone = ${zone}`,
    "RESET timezone",
    `SET ${setting} = '${value}'`,
    `SELECT set_config('${setting}', '${value}', ${pick(["true", "false"])})`,
    `SET statement_timeout = ${pick([10_000, 20_000])}`,
    "RESET statement_timeout",
    "SET search_path TO public, pg_catalog; SET DateStyle = 'German'",
    "RESET ALL",
    `LISTEN ${channel}`,
    `UNLISTEN ${channel}`,
    "UNLISTEN *",
    `PREPARE p${unique} AS SELECT ${unique}`,
    `DEALLOCATE p${unique - 1}`,
    "DEALLOCATE ALL",
    "DISCARD ALL",
    "BEGIN",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT 1 / 0",
  ]);
}

async function state(client: Pick<Client, "query">): Promise<string> {
  const { rows } = await client.query(
    `SELECT current_setting('timezone') AS zone, NULLIF(current_setting('my.a', true), '') AS a,
      NULLIF(current_setting('my.b', true), '') AS b, current_setting('statement_timeout') AS timeout,
      current_setting('search_path') AS path, current_setting('DateStyle') AS dates,
      (SELECT array_agg(c ORDER BY c) FROM pg_listening_channels() AS c) AS channels,
      (SELECT array_agg(name ORDER BY name) FROM pg_prepared_statements) AS prepared`,
  );
  return JSON.stringify(rows[0]);
}

test("pg: what a session was told, in any order, with transactions, is what its successor holds", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const first = Number(process.env.SEED ?? (process.pid * 7_919) % 100_000);
  for (let seed = first; seed < first + seeds; seed++) {
    const random = seededRandom(seed);
    const client: Client = await rig.connected();
    // The same said to one whose connection lives is what is expected.
    const twin: Pick<Client, "query" | "end"> = await rig.bare();
    const said: string[] = [];
    for (let n = 1; n <= steps; n++) {
      const text = statement(random, n);
      const [ours, theirs]: PromiseSettledResult<unknown>[] = await Promise.allSettled([
        client.query(text),
        twin.query(text),
      ]);
      assert.equal(ours?.status, theirs?.status, text);
      said.push(ours?.status === "rejected" ? `${text} -- refused\n` : text);
    }
    const open = client.getTransactionStatus() !== "I";
    if (open) await twin.query("ROLLBACK");
    const expected = await state(twin);
    const back = next(client, "reconnected");
    rig.proxy.cut("rst");
    await back;
    // What was open is told, once; what it had set is gone with it.
    if (open) await assert.rejects(client.query("SELECT 1"), { code: "HF_UNRECOVERABLE" });
    assert.equal(await state(client), expected, `seed ${seed}: ${said.join("; ")}`);
    await client.end();
    await twin.end();
  }
});
