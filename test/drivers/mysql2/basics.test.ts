/** The library's API over our pools and connections: nothing is missing on a healthy server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import mysql2 from "mysql2";
import * as callbacks from "../../../src/drivers/mysql2/index.ts";
import * as ours from "../../../src/drivers/mysql2/promise.ts";
import { quick, rigFor } from "./rig.ts";

/** The classes that the library's types do not name. */
const bare = mysql2 as unknown as Record<"Pool" | "Connection" | "PoolConnection", new () => object>;

test("pool: query and execute with values, rows, fields, errors of the server as they are", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  assert.ok((pool as unknown as { pool: unknown }).pool instanceof bare.Pool);
  const [rows, fields] = await pool.query("SELECT ? AS a, ? AS b", [1, "it's"]);
  assert.deepEqual(rows, [{ a: 1, b: "it's" }]);
  assert.deepEqual(
    (fields as { name: string }[]).map(({ name }) => name),
    ["a", "b"],
  );
  const [executed] = await pool.execute("SELECT ? AS a", [7]);
  assert.deepEqual(executed, [{ a: 7 }]);
  await pool.query("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)");
  const [done] = await pool.query("INSERT INTO t SET ?", { id: 1, v: "x" });
  assert.equal((done as { affectedRows: number }).affectedRows, 1);
  await assert.rejects(pool.query("INSERT INTO t VALUES (1, 'y')"), { code: "ER_DUP_ENTRY", errno: 1062 });
  await assert.rejects(pool.execute("SELECT nothing FROM t"), { code: "ER_BAD_FIELD_ERROR" });
  await assert.rejects(pool.query("SELEC 1"), { code: "ER_PARSE_ERROR" });
  assert.deepEqual((await pool.query({ sql: "SELECT 1", rowsAsArray: true }))[0], [[1]]);
  await assert.rejects(pool.execute("SELECT ?", [undefined as unknown as null]), TypeError);
});

test("pool: a checked-out connection, its transaction, prepared statement and double release", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT PRIMARY KEY)");
  const connection = await pool.getConnection();
  assert.ok((connection as unknown as { connection: unknown }).connection instanceof bare.PoolConnection);
  await connection.beginTransaction();
  await connection.query("INSERT INTO t VALUES (1)");
  await connection.rollback();
  await connection.beginTransaction();
  await connection.query("INSERT INTO t VALUES (2)");
  await connection.commit();
  const statement = await connection.prepare("SELECT id FROM t WHERE id = ?");
  assert.deepEqual((await statement.execute([2]))[0], [{ id: 2 }]);
  await statement.close();
  await connection.ping();
  connection.release();
  connection.release();
  assert.deepEqual(pool.resilience.snapshot().idle, 1);
  assert.deepEqual((await pool.query("SELECT id FROM t"))[0], [{ id: 2 }]);
  assert.equal(
    await pool.transaction(async (c) => ((await c.query("SELECT 1 AS n"))[0] as { n: number }[])[0]?.n),
    1,
  );
});

test("connection: the promise API, changeUser, reset, end", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = await rig.connection();
  assert.ok(Number(connection.threadId) > 0);
  assert.deepEqual((await connection.query("SELECT DATABASE() AS d"))[0], [{ d: "test" }]);
  await connection.changeUser({ database: "test2" });
  assert.deepEqual((await connection.query("SELECT DATABASE() AS d"))[0], [{ d: "test2" }]);
  await connection.query("SET @x = 1");
  await (connection as unknown as { reset(): Promise<void> }).reset();
  assert.deepEqual((await connection.query("SELECT @x AS x"))[0], [{ x: null }]);
  await connection.end();
  await assert.rejects(connection.query("SELECT 1"), { code: "HF_CLOSED" });
});

test("callbacks: queries, events, a stream of rows, and the end", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = callbacks.createConnection({ ...rig.where, resilience: quick });
  rig.cleanUp(() => connection.resilience.close());
  assert.ok(connection instanceof bare.Connection);
  connection.connect();
  await once(connection, "connect");
  const rows = await new Promise((resolve, reject) => {
    connection.query("SELECT 1 AS one", (error: unknown, found: unknown) =>
      error ? reject(error) : resolve(found),
    );
  });
  assert.deepEqual(rows, [{ one: 1 }]);
  const streamed: unknown[] = [];
  for await (const row of connection.query("SELECT seq AS n FROM seq_1_to_500").stream()) streamed.push(row);
  assert.equal(streamed.length, 500);
  const emitter = connection.query("SELECT 2 AS two");
  const results: unknown[] = [];
  emitter.on("result", (row) => results.push(row));
  await once(emitter, "end");
  assert.deepEqual(results, [{ two: 2 }]);
  const failing = connection.query("SELEC");
  const [error] = await once(failing, "error");
  assert.equal(error.code, "ER_PARSE_ERROR");
  await new Promise<void>((resolve) => connection.end(() => resolve()));
});

test("the doors export what the library exports", () => {
  for (const name of ["createServer", "createPoolCluster", "escape", "format", "raw", "Pool", "Connection"]) {
    assert.ok(name in callbacks, name);
  }
  for (const name of ["createPoolCluster", "escape", "format", "raw", "PromisePool", "PromiseConnection"]) {
    assert.ok(name in ours, name);
  }
});

test("promise() of the callback door has what the promise door has: resilience, transaction, on what it lends too", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = callbacks.createPool({ ...rig.where, resilience: quick });
  rig.cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
  const promised = pool.promise();
  assert.equal(promised.resilience, pool.resilience);
  await promised.query("CREATE TABLE t (id INT)");
  await promised.transaction((connection) => connection.query("INSERT INTO t VALUES (1)"));
  const lent = await promised.getConnection();
  assert.equal(lent.resilience.snapshot().phase, "ready");
  await assert.rejects(
    lent.transaction(async (connection) => {
      assert.equal(connection, lent);
      await connection.query("INSERT INTO t VALUES (2)");
      throw new Error("mine");
    }),
    /^Error: mine$/,
  );
  lent.release();
  const single = callbacks.createConnection({ ...rig.where, resilience: quick });
  rig.cleanUp(() => single.resilience.close());
  const one = single.promise();
  assert.equal(one.resilience, single.resilience);
  await one.transaction((connection) => connection.query("INSERT INTO t VALUES (3)"));
  assert.equal(await rig.count("t"), 2);
});
