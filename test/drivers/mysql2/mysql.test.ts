/** MySQL itself, which differs from MariaDB in its login, its trackers and some of its errors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../support/until.ts";
import { failure, next, rigFor } from "./rig.ts";

test("MySQL: login by caching_sha2_password, session restored, kill -9 and restart outlived, poison told", async (t) => {
  const password = "s'ecret";
  const rig = await rigFor(t, { password }, "mysql");
  if (rig === undefined) return;
  const connection = await rig.connection({ password });
  await connection.query("USE test2");
  await connection.query("SET time_zone = '+05:00', sql_mode = 'ANSI', autocommit = 0");
  const look = "SELECT DATABASE() AS d, @@time_zone AS z, @@sql_mode AS m, @@autocommit AS a";
  const before = (await connection.query(look))[0];
  const pool = rig.pool({ password });
  await pool.query("CREATE TABLE t (id INT PRIMARY KEY)");
  for (const way of ["killed by hand", "kill -9"]) {
    const lost = next(connection, "disconnected");
    if (way === "kill -9") {
      await rig.server.kill9();
      await rig.server.restart();
    } else await rig.server.sql.killAll();
    await lost;
    assert.deepEqual((await connection.query(look))[0], before, way);
    await pool.query("INSERT INTO t VALUES (?)", [way.length]);
  }
  assert.equal(await rig.count("t"), 2);
  await connection.query("SET @a = 1");
  const lost = next(connection, "disconnected");
  await rig.server.sql.killAll();
  await lost;
  const poisoned = await failure(connection.query("SELECT @a AS a"));
  assert.deepEqual([poisoned.code, poisoned.outcome], ["HF_UNRECOVERABLE", "not-applied"]);
});

test("MySQL: no session state crosses borrowers; a deadlock is retried; read-only is the server's own answer", async (t) => {
  const rig = await rigFor(t, {}, "mysql");
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 1 });
  await pool.query("SET @x = 1");
  await pool.query("USE test2");
  const clean = (await pool.query("SELECT @x AS x, DATABASE() AS d"))[0];
  assert.deepEqual(clean, [{ x: null, d: "test" }]);
  assert.equal(pool.resilience.snapshot().opened, 1, "cleaned, not replaced");

  await pool.query("CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB");
  await pool.query("INSERT INTO t VALUES (1, 0), (2, 0)");
  const other = await rig.connection();
  await other.beginTransaction();
  await other.query("UPDATE t SET n = n + 1 WHERE id = 2");
  // The server undoes the cheaper of the two: this one has to be dearer.
  await other.query("INSERT INTO t VALUES (3, 0), (4, 0), (5, 0), (6, 0)");
  let runs = 0;
  let theirs: Promise<unknown> = Promise.resolve();
  await pool.transaction(
    async (mine) => {
      runs++;
      await mine.query("UPDATE t SET n = n + 1 WHERE id = 1");
      if (runs > 1) return;
      theirs = other.query("UPDATE t SET n = n + 1 WHERE id = 1").then(() => other.commit());
      await until("the other waits for this one", 5_000, async () =>
        (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("WHERE id = 1") === true),
      );
      await mine.query("UPDATE t SET n = n + 1 WHERE id = 2");
    },
    { retry: 1 },
  );
  await theirs;
  assert.equal(runs, 2);
  assert.deepEqual((await pool.query("SELECT n FROM t WHERE id < 3 ORDER BY id"))[0], [{ n: 2 }, { n: 1 }]);

  await rig.server.sql.setReadOnly(true);
  await assert.rejects(pool.query("INSERT INTO t VALUES (9, 9)"), { errno: 1290 });
});

test("MySQL: a graceful stop under a write is told as maybe-applied, and what waits goes on after the restart", async (t) => {
  const rig = await rigFor(t, {}, "mysql");
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (id INT PRIMARY KEY, n INT)");
  await pool.query("INSERT INTO t VALUES (1, 0)");
  const holder = await rig.connection();
  await holder.beginTransaction();
  await holder.query("UPDATE t SET n = 1");
  const flying = failure(pool.query("UPDATE t SET n = 2 WHERE id = 1"));
  await until("it waits for the lock", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("n = 2") === true),
  );
  await rig.server.stop();
  assert.deepEqual([(await flying).code, (await flying).outcome], ["HF_LOST", "maybe-applied"]);
  const waiting = pool.query("SELECT n FROM t");
  await rig.server.restart();
  assert.deepEqual((await waiting)[0], [{ n: 0 }]);
});
