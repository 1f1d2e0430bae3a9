/** What a session is through losses: streams, users, credentials, pipelined statements, what the last one left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as callbacks from "../../../src/drivers/mysql2/index.ts";
import { until } from "../../support/until.ts";
import { failure, next, quick, rigFor } from "./rig.ts";

test("a stream that has handed out rows is not repeated: it fails, and the session goes on", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = callbacks.createConnection({ ...rig.where, resilience: quick });
  rig.cleanUp(() => connection.resilience.close());
  const rows: unknown[] = [];
  // Rows so big that the first ones leave the server while the later ones are still slept over.
  const sql = "SELECT seq, REPEAT('x', 100000) AS x, SLEEP(IF(seq < 20, 0, 5)) AS s FROM seq_1_to_100";
  const stream = connection.query(sql).stream();
  const ended = new Promise<unknown>((resolve) => stream.once("error", resolve));
  stream.on("data", (row) => rows.push(row));
  const behind = connection.promise().query("SELECT 1");
  await until("the first rows are here", 5_000, () => rows.length > 0);
  await rig.server.sql.killAll();
  const error = (await ended) as { outcome?: string };
  assert.ok(error.outcome !== undefined, String(error));
  await behind;
  assert.deepEqual((await connection.promise().query("SELECT 2 AS two"))[0], [{ two: 2 }]);
});

test("a stream of which nothing was handed out is repeated, and its rows come once", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = callbacks.createConnection({ ...rig.where, resilience: quick });
  rig.cleanUp(() => connection.resilience.close());
  await connection.promise().query("SELECT 1");
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const rows: unknown[] = [];
  const stream = connection.query("SELECT seq FROM seq_1_to_1000").stream();
  const ended = new Promise<void>((resolve, reject) => {
    stream.once("end", resolve);
    stream.once("error", reject);
  });
  stream.on("data", (row) => rows.push(row));
  await until("the answer is held", 5_000, () =>
    rig.proxy.connections().some(({ down }) => down.received > down.delivered),
  );
  rig.proxy.cut("rst");
  await hole.undo();
  await ended;
  assert.equal(rows.length, 1_000);
});

test("LAST_INSERT_ID() of a lost connection fails once instead of answering for another", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = await rig.connection();
  await connection.query("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY)");
  await connection.query("INSERT INTO t () VALUES ()");
  assert.deepEqual((await connection.query("SELECT LAST_INSERT_ID() AS id"))[0], [{ id: 1 }]);
  const lost = next(connection, "reconnected");
  await rig.server.sql.killAll();
  await lost;
  const error = await failure(connection.query("SELECT LAST_INSERT_ID() AS id"));
  assert.deepEqual([error.code, error.outcome], ["HF_UNRECOVERABLE", "not-applied"]);
});

test("the user of changeUser is the user after a loss; a pool replaces such a connection", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await rig.server.sql.query("CREATE USER other@'%' IDENTIFIED BY 'pw'", "GRANT ALL ON test2.* TO other@'%'");
  const connection = await rig.connection();
  const who = async (): Promise<unknown> =>
    (await connection.query("SELECT USER() AS u, DATABASE() AS d"))[0];
  await connection.changeUser({ user: "other", password: "pw", database: "test2" });
  const before = await who();
  assert.match(JSON.stringify(before), /other@.*test2/);
  await assert.rejects(connection.changeUser({ user: "nobody", password: "no" }));
  assert.deepEqual(await who(), before);
  await rig.server.sql.query("KILL USER other");
  assert.deepEqual(await who(), before);
  const pool = rig.pool({ connectionLimit: 1 });
  const borrowed = await pool.getConnection();
  await borrowed.changeUser({ user: "other", password: "pw", database: "test2" });
  borrowed.release();
  assert.match(JSON.stringify((await pool.query("SELECT USER() AS u"))[0]), /holdfast@/);
});

test("credentials are asked before each dial of a pool, so that a rotated password is found", async (t) => {
  const rig = await rigFor(t, { password: "one" });
  if (rig === undefined) return;
  let password = "one";
  const pool = rig.pool({ resilience: { credentials: async () => ({ password }) } });
  await pool.query("SELECT 1");
  await rig.server.sql.changePassword("two");
  password = "two";
  await rig.server.sql.killAll();
  assert.deepEqual((await pool.query("SELECT 1 AS one"))[0], [{ one: 1 }]);
});

test("setUp is there on every connection, and again after a reset", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({
    connectionLimit: 1,
    resilience: { setUp: ["SET @app = 'shop'", "SET time_zone = '+01:00'"] },
  });
  const look = async (): Promise<unknown> => (await pool.query("SELECT @app AS a, @@time_zone AS z"))[0];
  const expected = [{ a: "shop", z: "+01:00" }];
  assert.deepEqual(await look(), expected);
  await pool.query("SET @app = 'mine', time_zone = '+02:00'");
  assert.deepEqual(await look(), expected);
  await rig.server.sql.killAll();
  assert.deepEqual(await look(), expected);
});

test("[mariadb-redis 20]: after one connection died the other idle ones are asked before they are used", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ resilience: { pool: { validateAfterIdleMs: 60_000, validationTimeoutMs: 300 } } });
  const all = await Promise.all([1, 2, 3].map(() => pool.getConnection()));
  const ids = all.map(({ threadId }) => threadId);
  for (const connection of all) connection.release();
  // All are silent, and only one is known to be dead.
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "both", applyTo: "existing" });
  const dead = new Promise<void>((resolve) => pool.resilience.on("retired", () => resolve()));
  rig.proxy.cut("rst", { connections: rig.proxy.connections()[0]?.id ?? 0 });
  await dead;
  // Without validation this would wait for an answer that never comes.
  const [[row]] = (await pool.query("SELECT CONNECTION_ID() AS id")) as unknown as [[{ id: number }]];
  assert.ok(!ids.includes(row.id));
  await hole.undo();
});
