/** The acceptance list for pools and SQL sessions, row by row; beside the bare library where that one fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import mysql2 from "mysql2/promise";
import { createPool } from "../../../src/drivers/mysql2/promise.ts";
import { faultProxy } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { failure, quick, type Rig, rigFor } from "./rig.ts";

type AnyPool = Pick<mysql2.Pool, "query" | "getConnection">;

/** So many idle connections. */
async function warm(pool: AnyPool, count: number): Promise<void> {
  const all = await Promise.all(Array.from({ length: count }, () => pool.getConnection()));
  for (const connection of all) connection.release();
}

async function bareOf(rig: Rig, options: mysql2.PoolOptions = {}): Promise<mysql2.Pool> {
  const pool = mysql2.createPool({ ...rig.where, ...options });
  rig.cleanUp(() => pool.end());
  return pool;
}

test("[mariadb-redis 17] [mariadb-redis 18]: all idle connections die at once: the next calls succeed; bare mysql2 fails", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const outcome = async (pool: AnyPool): Promise<number> => {
    await warm(pool, 3);
    // In one turn of the loop nobody can have heard of the deaths yet.
    rig.proxy.cut("fin");
    const all = await Promise.allSettled([1, 2, 3].map((n) => pool.query("SELECT ? AS n", [n])));
    return all.filter(({ status }) => status === "rejected").length;
  };
  assert.equal(await outcome(rig.pool()), 0);
  assert.ok((await outcome(await bareOf(rig))) > 0);
});

test("[mariadb-redis 19] [mariadb-redis 49]: half-open: an acquire ends at its deadline, a call at its own; bare mysql2 hangs", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({
    connectTimeout: 1_000,
    resilience: {
      callDeadlineMs: 2_000,
      pool: { acquireTimeoutMs: 1_500, validateAfterIdleMs: 0, validationTimeoutMs: 150 },
    },
  });
  const bare = mysql2.createPool({ ...rig.where, connectTimeout: 1_000 });
  await Promise.all([warm(pool, 2), warm(bare, 1)]);
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "both" });
  const sinceMs = systemClock.nowMs();
  let bareSettled = false;
  bare.query("SELECT 1").then(
    () => (bareSettled = true),
    () => (bareSettled = true),
  );
  const error = await failure(pool.query("SELECT 1"));
  assert.deepEqual([error.code, error.outcome], ["HF_DEADLINE", "not-applied"]);
  assert.ok(systemClock.nowMs() - sinceMs < 9_000);
  assert.equal(bareSettled, false);
  await hole.undo();
  assert.deepEqual((await pool.query("SELECT 1 AS one"))[0], [{ one: 1 }]);
  rig.proxy.cut("rst");
  await bare.end().catch(() => {});
});

test("[mariadb-redis 50]: a deadline on the wire ends the connection; the next call is not behind the old one", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 1 });
  await warm(pool, 1);
  const slow = await failure(pool.query({ sql: "SELECT SLEEP(20)", timeout: 300 }));
  assert.deepEqual([slow.code, slow.step], ["HF_DEADLINE", "reply"]);
  const sinceMs = systemClock.nowMs();
  assert.deepEqual((await pool.query("SELECT 1 AS one"))[0], [{ one: 1 }]);
  assert.ok(systemClock.nowMs() - sinceMs < 15_000, "the sleeper takes 20 s");
  // The bare library gives the same busy connection to the next caller, who waits for the sleeper.
  const bare = await bareOf(rig, { connectionLimit: 1 });
  await assert.rejects(bare.query({ sql: "SELECT SLEEP(4)", timeout: 200 }), {
    code: "PROTOCOL_SEQUENCE_TIMEOUT",
  });
  const bareSinceMs = systemClock.nowMs();
  await bare.query("SELECT 1");
  assert.ok(systemClock.nowMs() - bareSinceMs > 1_000);
});

test("[mariadb-redis 49]: a long query on a healthy connection is never cut, whatever waits behind it", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const connection = await rig.connection({
    resilience: { liveness: { idleProbeMs: 100, probeTimeoutMs: 600 } },
  });
  const long = connection.query("SELECT SLEEP(1.5) AS slept");
  const impatient = await failure(connection.query({ sql: "INSERT INTO nothing VALUES (1)", timeout: 300 }));
  assert.deepEqual(
    [impatient.code, impatient.step, impatient.outcome],
    ["HF_DEADLINE", "waiting", "not-applied"],
  );
  assert.deepEqual((await long)[0], [{ slept: 0 }]);
  assert.equal(connection.resilience.snapshot().connects, 1);
});

test("[mariadb-redis 29]: no session state crosses borrowers, by query or by checkout; with bare mysql2 it does", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await rig.server.sql.query("CREATE TABLE t (id INT)");
  const leak = async (pool: AnyPool): Promise<unknown[]> => {
    await pool.query("SET @x = 1");
    const [[x]] = (await pool.query("SELECT @x AS x")) as unknown as [[{ x: unknown }]];
    const borrowed = await pool.getConnection();
    await borrowed.query("USE test2");
    await borrowed.query("CREATE TEMPORARY TABLE tt (id INT)");
    await borrowed.query("SET SESSION sql_mode = 'ANSI'");
    await borrowed.query("SELECT GET_LOCK('l', 0)");
    borrowed.release();
    const [[db]] = (await pool.query(
      "SELECT DATABASE() AS d, @@sql_mode AS m, IS_USED_LOCK('l') AS l",
    )) as unknown as [[{ d: string; m: string; l: unknown }]];
    const temporary = await pool.query("SELECT * FROM tt").then(
      () => true,
      () => false,
    );
    const open = await pool.getConnection();
    await open.beginTransaction();
    await open.query("INSERT INTO test.t VALUES (1)");
    open.release();
    const [[tx]] = (await pool.query("SELECT COUNT(*) AS n FROM test.t")) as unknown as [[{ n: number }]];
    return [x.x, db.d, db.m.includes("ANSI"), db.l, temporary, tx.n];
  };
  assert.deepEqual(await leak(rig.pool({ connectionLimit: 1 })), [null, "test", false, null, false, 0]);
  const bare = await leak(await bareOf(rig, { connectionLimit: 1 }));
  assert.deepEqual([bare[0], bare[1], bare[2], bare[4], bare[5]], [1, "test2", true, true, 1]);
});

test("[mariadb-redis 30]: a reset that fails discards the connection, and the next caller gets another", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 1, resilience: { pool: { validationTimeoutMs: 200 } } });
  const dirty = await pool.getConnection();
  await dirty.query("SET @x = 1");
  const id = dirty.threadId;
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  dirty.release();
  const [[row]] = (await pool.query("SELECT @x AS x, CONNECTION_ID() AS id")) as unknown as [
    [{ x: unknown; id: number }],
  ];
  assert.equal(row.x, null);
  assert.notEqual(row.id, id);
  assert.equal(pool.resilience.snapshot().closed.reset, 1);
  await hole.undo();
});

test("[mariadb-redis 31]: idle connections that die crash nothing without a listener, and are told once each", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  const retired: string[] = [];
  pool.resilience.on("retired", ({ reason }) => retired.push(reason));
  await warm(pool, 3);
  await rig.server.sql.killAll();
  await until("told", 5_000, () => retired.length === 3);
  assert.deepEqual(retired, ["lost", "lost", "lost"]);
  const single = await rig.connection();
  await rig.server.sql.killAll();
  assert.deepEqual((await single.query("SELECT 1 AS one"))[0], [{ one: 1 }]);
});

test("[mariadb-redis 34] [mariadb-redis 36]: in a transaction nothing is sent again, and a COMMIT in flight is unknown", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT)");
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  // Several at once: those the library still queues must not reach another session either.
  await rig.server.sql.query("CREATE TABLE blocker (id INT)");
  const all = [
    connection.query("SELECT SLEEP(5)"),
    connection.query("INSERT INTO t VALUES (1)"),
    connection.query("INSERT INTO t VALUES (2)"),
    connection.commit(),
  ].map((call) => failure(call));
  await until("the first is on its way", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("SLEEP") === true),
  );
  await rig.server.sql.killAll();
  const errors = await Promise.all(all);
  assert.deepEqual(
    errors.slice(1).map(({ outcome }) => outcome),
    ["not-applied", "not-applied", "not-applied"],
  );
  await connection.rollback();
  assert.equal(await rig.count("t"), 0);
  // And a COMMIT whose answer is lost.
  await connection.beginTransaction();
  await connection.query("INSERT INTO t VALUES (3)");
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const commit = failure(connection.commit());
  await until("committed", 5_000, async () => (await rig.count("t")) === 1);
  rig.proxy.cut("rst");
  assert.deepEqual([(await commit).code, (await commit).outcome], ["HF_LOST", "maybe-applied"]);
  await hole.undo();
  assert.deepEqual((await connection.query("SELECT COUNT(*) AS n FROM t"))[0], [{ n: 1 }]);
  connection.release();
});

test("[mariadb-redis 36]: the COMMIT of a transaction that was told lost fails too; bare servers say OK to it", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT)");
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  await connection.query("INSERT INTO t VALUES (1)");
  await rig.server.sql.killAll();
  await failure(connection.query("INSERT INTO t VALUES (2)"));
  const late = await failure(connection.commit());
  assert.deepEqual([late.code, late.outcome], ["HF_UNRECOVERABLE", "not-applied"]);
  // A function that swallows the failure of its statement is not taken for done.
  const swallowed = await failure(
    pool.transaction(async (mine) => {
      await mine.query("INSERT INTO t VALUES (3)");
      await rig.server.sql.killAll();
      for (const id of [4, 5]) await mine.query("INSERT INTO t VALUES (?)", [id]).catch(() => {});
    }),
  );
  assert.equal(swallowed.outcome, "not-applied");
  connection.release();
});

test("[mariadb-redis 37]: a transaction is run again only when asked, never past its bound, and refused when it was too long", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT)");
  const runs = async (retry: number, maxStatements?: number): Promise<[number, string, string]> => {
    let count = 0;
    const error = await failure(
      pool.transaction(
        async (connection) => {
          count++;
          await connection.query("INSERT INTO t VALUES (1)");
          await connection.query("INSERT INTO t VALUES (1)");
          await rig.server.sql.killAll();
          await connection.query("INSERT INTO t VALUES (2)");
        },
        { retry, ...(maxStatements !== undefined && { maxStatements }) },
      ),
    );
    return [count, String(error.outcome), /too many to run it again/.exec(error.message)?.[0] ?? ""];
  };
  assert.deepEqual(await runs(0), [1, "not-applied", ""]);
  assert.deepEqual(await runs(2), [3, "not-applied", ""]);
  // Two statements were passed, and perhaps the third, when it was lost: three are few enough, one is not.
  assert.deepEqual(await runs(1, 3), [2, "not-applied", ""]);
  assert.deepEqual(await runs(1, 1), [1, "not-applied", "too many to run it again"]);
  assert.equal(await rig.count("t"), 0);
});

test("[mariadb-redis 40]: a server turned read-only is left for the next endpoint; alone, it is asked a few times, not for ever", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const second = await withServer(t, "mariadb");
  if (second === undefined) return;
  const proxy = await faultProxy({ upstream: { host: second.host, port: second.port } });
  rig.cleanUp(() => proxy.close());
  for (const server of [rig.server, second]) await server.sql.query("CREATE TABLE t (id INT)");
  const pool = createPool({
    ...rig.where,
    resilience: {
      ...quick,
      endpoints: [rig.proxy.endpoint, proxy.endpoint],
      order: "given",
      target: "primary",
    },
  });
  rig.cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
  await warm(pool, 2);
  await pool.query("INSERT INTO t VALUES (1)");
  await rig.server.sql.setReadOnly(true);
  await pool.query("INSERT INTO t VALUES (2)");
  const [row] = await second.sql.query("SELECT COUNT(*) AS n FROM t");
  assert.deepEqual([await rig.count("t"), Number(row?.n)], [1, 1]);
  // Fail-back: when the first writes again and the second does not.
  await rig.server.sql.setReadOnly(false);
  await second.sql.setReadOnly(true);
  await pool.query("INSERT INTO t VALUES (3)");
  assert.equal(await rig.count("t"), 2);
  const lonely = rig.pool();
  await rig.server.sql.setReadOnly(true);
  const sinceMs = systemClock.nowMs();
  await assert.rejects(lonely.query("INSERT INTO t VALUES (4)"), { errno: 1290 });
  assert.ok(systemClock.nowMs() - sinceMs < 5_000);
  assert.ok(lonely.resilience.snapshot().opened <= 5);
});

test("[mariadb-redis 53]: what the server tracks is restored, also when a routine changed it; user variables are told lost", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await rig.server.sql.query(
    "CREATE PROCEDURE change_zone() SET time_zone = '+09:00', lock_wait_timeout = 77",
  );
  const connection = await rig.connection({ resilience: { track: ["lock_wait_timeout"] } });
  await connection.query("CALL change_zone()");
  const look = "SELECT @@time_zone AS z, @@lock_wait_timeout AS w";
  const before = (await connection.query(look))[0];
  assert.deepEqual(before, [{ z: "+09:00", w: 77 }]);
  const lost = new Promise<void>((resolve) => connection.resilience.on("disconnected", () => resolve()));
  await rig.server.sql.killAll();
  await lost;
  assert.deepEqual((await connection.query(look))[0], before);
  await connection.query("SELECT @n := 7");
  const again = new Promise<void>((resolve) => connection.resilience.on("disconnected", () => resolve()));
  await rig.server.sql.killAll();
  await again;
  const error = await failure(connection.query("SELECT @n AS n"));
  assert.deepEqual([error.code, error.outcome], ["HF_UNRECOVERABLE", "not-applied"]);
  assert.match(error.message, /user variables/);
  assert.deepEqual((await connection.query("SELECT @n AS n"))[0], [{ n: null }]);
});
