/** `new Client()`: the library's face, and what happens to its session and its statements when the connection goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import bare from "pg";
import { isHoldfastError } from "../../../src/call/index.ts";
import pg, { Client, DatabaseError, Query } from "../../../src/drivers/pg/index.ts";
import { until } from "../../support/until.ts";
import { next, rigFor } from "./rig.ts";

test("pg client: the library's own face: class, promises, callbacks, query objects, rows, types", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  assert.ok(client instanceof bare.Client);
  assert.ok(client instanceof Client);
  assert.equal(pg.Client, Client);
  assert.equal(pg.types, bare.types);
  assert.equal(await client.connect(), client);
  await assert.rejects(client.connect(), /already been connected/);
  const { rows, rowCount, fields, command } = await client.query("SELECT 1 AS one, 'x' AS two");
  assert.deepEqual([rows, rowCount, command], [[{ one: 1, two: "x" }], 1, "SELECT"]);
  assert.deepEqual(
    fields.map(({ name }) => name),
    ["one", "two"],
  );
  const array = await client.query({ text: "SELECT $1::int, $2::text", values: [5, null], rowMode: "array" });
  assert.deepEqual(array.rows, [[5, null]]);
  const many = (await client.query("SELECT 1 AS a; SELECT 2 AS a")) as unknown as { rows: unknown[] }[];
  assert.deepEqual(
    many.map((result) => result.rows),
    [[{ a: 1 }], [{ a: 2 }]],
  );
  const called = await new Promise((resolve, reject) => {
    client.query("SELECT $1::int AS n", [7], (error, result) =>
      error ? reject(error) : resolve(result.rows),
    );
  });
  assert.deepEqual(called, [{ n: 7 }]);
  const seen: unknown[] = [];
  const query = client.query(new Query("SELECT generate_series(1, 3) AS n"));
  query.on("row", (row) => seen.push(row.n));
  await new Promise<void>((resolve) => query.on("end", () => resolve()));
  assert.deepEqual(seen, [1, 2, 3]);
  await assert.rejects(
    client.query("SELECT nothing"),
    (error) => error instanceof DatabaseError && error.code === "42703",
  );
  const failing = client.query(new Query("SELECT nothing"));
  const error = await new Promise((resolve) => failing.on("error", resolve));
  assert.ok(error instanceof DatabaseError);
  assert.equal(client.getTransactionStatus(), "I");
  const ended = new Promise<void>((resolve) => client.on("end", () => resolve()));
  await client.end();
  await ended;
  await assert.rejects(client.query("SELECT 1"), /Client was closed/);
});

test("pg client: a killed session comes back with what was set, in order, before the next statement", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected({ resilience: { setUp: ["SET application_name = 'from set-up'"] } });
  const session = async () => {
    const { rows } = await client.query(
      `SELECT current_setting('timezone') AS zone, current_setting('search_path') AS path,
        current_setting('application_name') AS name, current_setting('my.own', true) AS own, pg_backend_pid() AS pid`,
    );
    return rows[0];
  };
  await client.query("SET TIME ZONE 'Asia/Tokyo'");
  await client.query("CREATE SCHEMA aside");
  await client.query("SET search_path TO aside, public");
  await client.query("SELECT set_config('my.own', 'mine', false)");
  await client.query("CREATE TABLE t (n int)");
  await client.query("PREPARE ten AS SELECT 10 AS n");
  await client.query({ name: "named", text: "SELECT $1::int AS n", values: [1] });
  await client.query("BEGIN");
  await client.query("SET TIME ZONE 'Europe/Paris'");
  await client.query("ROLLBACK");
  await client.query("BEGIN; SET LOCAL TIME ZONE 'Europe/Rome'; COMMIT");
  const before = await session();
  assert.equal(before.name, "from set-up");
  await rig.server.sql.killAll();
  const after = await session();
  assert.notEqual(after.pid, before.pid);
  assert.deepEqual({ ...after, pid: 0 }, { ...before, pid: 0 });
  assert.deepEqual([before.zone, before.path, before.own], ["Asia/Tokyo", "aside, public", "mine"]);
  assert.deepEqual((await client.query("EXECUTE ten")).rows, [{ n: 10 }]);
  // Without its text: the library wants it the first time only.
  const { rows } = await client.query({ name: "named", values: [3] } as never);
  assert.deepEqual(rows, [{ n: 3 }]);
  await client.query("RESET timezone");
  await client.query("DISCARD ALL");
  await rig.server.sql.killAll();
  assert.equal((await session()).own, null);
});

test("pg client: LISTEN is issued again and the gap is told [mariadb-redis 54]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected();
  const heard: (string | undefined)[] = [];
  client.on("notification", ({ channel, payload }) => heard.push(`${channel} ${payload}`));
  const gaps: string[] = [];
  client.resilience.on("gap", ({ subscription, downMs }) => {
    assert.ok(downMs >= 0);
    gaps.push(subscription);
  });
  await client.query("LISTEN jobs");
  await client.query('LISTEN "Other One"');
  await client.query("LISTEN dropped");
  await client.query("UNLISTEN dropped");
  const other = await rig.bare();
  await other.query("NOTIFY jobs, 'before'");
  await until("the first notification", 5_000, () => heard.length === 1);
  const back = next(client, "reconnected");
  await rig.server.sql.killAll();
  // Nobody asks for anything: the link comes back by itself.
  await back;
  const again = await rig.bare();
  await again.query("NOTIFY jobs, 'after'");
  await again.query(`NOTIFY "Other One", 'too'`);
  await again.query("NOTIFY dropped, 'never'");
  await until("the others", 5_000, () => heard.length === 3);
  assert.deepEqual(heard, ["jobs before", "jobs after", "Other One too"]);
  assert.deepEqual(gaps, ["jobs", "Other One"]);
});

test("pg client: what can't be restored makes the next statement fail once, with the list of what was lost", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected();
  const kill = async () => {
    const lost = next(client, "disconnected");
    await rig.server.sql.killAll();
    await lost;
  };
  await client.query("CREATE TEMP TABLE scratch (n int)");
  await client.query("SELECT pg_advisory_lock(42)");
  await kill();
  await assert.rejects(client.query("SELECT 1"), (error) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_UNRECOVERABLE");
    assert.equal(error.outcome, "not-applied");
    assert.match(error.message, /temporary table scratch, advisory lock 42/);
    return true;
  });
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
  await client.query("BEGIN");
  await kill();
  await assert.rejects(client.query("SELECT 1"), { code: "HF_UNRECOVERABLE", message: /open transaction/ });
  await client.query("ROLLBACK");
  // Cured in good order: nothing is lost.
  await client.query("CREATE TEMP TABLE scratch (n int)");
  await client.query("DROP TABLE scratch");
  await client.query("SELECT pg_advisory_lock(42)");
  await client.query("SELECT pg_advisory_unlock(42)");
  await kill();
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
});

test("pg client: a read in flight is repeated, a write is told, one that waited is sent", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected();
  await client.query("CREATE TABLE t (n int)");
  const text = "SELECT 5 AS five FROM pg_sleep(0.3)";
  const running = client.query(text);
  await until("the sleeper", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing === text),
  );
  await rig.server.sql.killAll();
  assert.deepEqual((await running).rows, [{ five: 5 }]);
  const write = "INSERT INTO t SELECT 1 FROM pg_sleep(30)";
  const writing = assert.rejects(client.query(write), { code: "HF_LOST", outcome: "maybe-applied" });
  const behind = client.query("INSERT INTO t VALUES (2)");
  await until("the writer", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing === write),
  );
  await rig.server.sql.killAll();
  await writing;
  await behind;
  assert.deepEqual((await client.query("SELECT n FROM t")).rows, [{ n: 2 }]);
});
