/** What becomes of statements, transactions and sessions when the connection dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoolConnection } from "../../../src/drivers/mysql2/promise.ts";
import { until } from "../../support/until.ts";
import { type Connection, failure, next, type Rig, rigFor } from "./rig.ts";

test("pool: a read whose reply is lost is repeated; an INSERT is told maybe-applied and applied once", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT)");
  const insertHole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const insert = failure(pool.query("INSERT INTO t VALUES (1)"));
  await until("the server has it", 5_000, async () => (await rig.count("t")) === 1);
  rig.proxy.cut("rst");
  await insertHole.undo();
  const error = await insert;
  assert.deepEqual([error.code, error.outcome], ["HF_LOST", "maybe-applied"]);
  assert.equal(await rig.count("t"), 1);
  await pool.query("SELECT 1");
  const readHole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const read = pool.query("SELECT id FROM t");
  await until("the server has been asked", 5_000, () =>
    rig.proxy.connections().some(({ down }) => down.received > down.delivered),
  );
  rig.proxy.cut("rst");
  await readHole.undo();
  assert.deepEqual((await read)[0], [{ id: 1 }]);
});

test("pool: the server is killed and restarted; what waits is done, nothing fails that need not", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT)");
  await rig.server.kill9();
  await until("the pool has noticed", 5_000, () => pool.resilience.snapshot().open === 0);
  const waiting = Promise.all([1, 2, 3].map((id) => pool.query("INSERT INTO t VALUES (?)", [id])));
  const read = pool.query("SELECT 1 AS one");
  await rig.server.restart();
  await waiting;
  assert.deepEqual((await read)[0], [{ one: 1 }]);
  assert.equal(await rig.count("t"), 3);
});

/** Every session is killed from the server's side, and this one has heard of it. */
async function killed(rig: Rig, connection: Pick<Connection, "resilience">): Promise<void> {
  const lost = next(connection, "disconnected");
  await rig.server.sql.killAll();
  await lost;
}

for (const kind of ["connection", "lease"] as const) {
  test(`${kind}: a lost transaction fails the next statement once, with what was lost; ROLLBACK passes`, async (t) => {
    const rig = await rigFor(t);
    if (rig === undefined) return;
    const pool = rig.pool();
    await pool.query("CREATE TABLE t (id INT)");
    const connection = kind === "connection" ? await rig.connection() : await pool.getConnection();
    await connection.beginTransaction();
    await connection.query("INSERT INTO t VALUES (1)");
    await killed(rig, connection);
    const error = await failure(connection.commit());
    assert.deepEqual([error.code, error.outcome], ["HF_UNRECOVERABLE", "not-applied"]);
    assert.match(error.message, /open transaction/);
    assert.deepEqual((await connection.query("SELECT COUNT(*) AS n FROM t"))[0], [{ n: 0 }]);
    await connection.beginTransaction();
    await connection.query("SET @x = 1");
    await killed(rig, connection);
    await connection.rollback();
    const rest = await failure(connection.query("SELECT @x"));
    assert.deepEqual([rest.code, rest.details], ["HF_UNRECOVERABLE", { lost: ["user-variables"] }]);
    assert.deepEqual((await connection.query("SELECT 1 AS one"))[0], [{ one: 1 }]);
    if (kind === "lease") (connection as unknown as PoolConnection).release();
  });

  test(`${kind}: database, charset, time zone, autocommit and sql_mode are there again; prepared statements too`, async (t) => {
    const rig = await rigFor(t);
    if (rig === undefined) return;
    const pool = rig.pool();
    const connection = kind === "connection" ? await rig.connection() : await pool.getConnection();
    const statement = await connection.prepare("SELECT ? AS n");
    assert.deepEqual((await statement.execute([1]))[0], [{ n: 1 }]);
    await connection.query("USE test2");
    await connection.query("SET NAMES latin1 COLLATE latin1_bin");
    await connection.query("SET time_zone = '+03:00', sql_mode = 'ANSI'");
    await connection.query("SET autocommit = 0");
    const look =
      "SELECT DATABASE() AS d, @@collation_connection AS c, @@time_zone AS z, @@sql_mode AS m, @@autocommit AS a";
    const before = (await connection.query(look))[0];
    await connection.query("COMMIT");
    await killed(rig, connection);
    assert.deepEqual((await connection.query(look))[0], before);
    assert.deepEqual((await statement.execute([2]))[0], [{ n: 2 }]);
  });
}

test("transaction(): run again when the connection was lost before COMMIT, never when COMMIT was on its way", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT)");
  let runs = 0;
  await pool.transaction(
    async (connection) => {
      await connection.query("INSERT INTO t VALUES (1)");
      if (++runs === 1) await rig.server.sql.killAll();
      await connection.query("INSERT INTO t VALUES (2)");
    },
    { retry: 1 },
  );
  assert.deepEqual([runs, await rig.count("t")], [2, 2]);
  let again = 0;
  const hole = { undo: async () => {} };
  const commit = failure(
    pool.transaction(
      async (connection) => {
        again++;
        await connection.query("INSERT INTO t VALUES (3)");
        Object.assign(
          hole,
          await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" }),
        );
      },
      { retry: 3 },
    ),
  );
  await until("committed", 5_000, async () => (await rig.count("t")) === 3);
  rig.proxy.cut("rst");
  const error = await commit;
  assert.deepEqual([error.code, error.outcome, again], ["HF_LOST", "maybe-applied", 1]);
});

test("connection: idle loss without a listener kills nothing, and the next statement passes", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = await rig.connection();
  const back = next(connection, "reconnected");
  await rig.server.sql.killAll();
  await back;
  assert.deepEqual((await connection.query("SELECT 1 AS one"))[0], [{ one: 1 }]);
});
