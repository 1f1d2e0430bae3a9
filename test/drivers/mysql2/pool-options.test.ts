/** The library's pool options act under their names, its events are told, wrong options are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import mysql2 from "mysql2/promise";
import * as callbacks from "../../../src/drivers/mysql2/index.ts";
import { createConnection, createPool } from "../../../src/drivers/mysql2/promise.ts";
import { until } from "../../support/until.ts";
import { failure, quick, rigFor } from "./rig.ts";

test("connectionLimit and queueLimit: never more connections, one caller too many is refused", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 2, queueLimit: 3 });
  const first = await Promise.all([pool.getConnection(), pool.getConnection()]);
  const waiting = [1, 2, 3].map((n) => pool.query("SELECT ? AS n", [n]));
  const refused = await failure(pool.query("SELECT 4"));
  assert.deepEqual([refused.code, refused.outcome], ["HF_POOL_FULL", "not-applied"]);
  for (const connection of first) connection.release();
  assert.deepEqual(
    (await Promise.all(waiting)).map(([rows]) => (rows as { n: number }[])[0]?.n),
    [1, 2, 3],
  );
  assert.equal(pool.resilience.snapshot().opened, 2);
});

test("connectionLimit 0 is no limit, as in the library", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 0 });
  const all = await Promise.all(Array.from({ length: 12 }, () => pool.getConnection()));
  for (const connection of all) connection.release();
  assert.equal(pool.resilience.snapshot().opened, 12);
});

test("waitForConnections: false refuses with the library's words instead of waiting", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 1, waitForConnections: false });
  const connection = await pool.getConnection();
  await assert.rejects(pool.getConnection(), { message: "No connections available." });
  await assert.rejects(pool.query("SELECT 1"), { message: "No connections available." });
  connection.release();
  await pool.query("SELECT 1");
});

test("maxIdle and idleTimeout close what is idle", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ connectionLimit: 4, maxIdle: 2, idleTimeout: 300 });
  const all = await Promise.all([1, 2, 3, 4].map(() => pool.getConnection()));
  for (const connection of all) connection.release();
  const { idle, closed } = pool.resilience.snapshot();
  assert.deepEqual([idle, closed["max-idle"]], [2, 2]);
  await until("the rest is closed", 5_000, () => pool.resilience.snapshot().closed["idle-time"] === 2);
  await until("the server has none", 5_000, async () => (await rig.server.sql.sessions()).length === 0);
});

test("[mariadb-redis 46]: connectTimeout covers the handshake: a silent server is given up, and dialled again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down" });
  const pool = rig.pool({ connectTimeout: 500, resilience: { pool: { acquireTimeoutMs: 3_000 } } });
  const error = await failure(pool.query("SELECT 1"));
  assert.deepEqual([error.code, error.step, error.outcome], ["HF_DEADLINE", "acquire", "not-applied"]);
  assert.ok(pool.resilience.snapshot().dialFailures >= 2);
  const later = pool.query("SELECT 1 AS one");
  await hole.undo();
  assert.deepEqual((await later)[0], [{ one: 1 }]);
});

test("events: connection with its set-up statements, acquire, release, enqueue", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = callbacks.createPool({ ...rig.where, connectionLimit: 1, resilience: quick });
  rig.cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
  const told: string[] = [];
  pool.on("connection", (connection) => {
    told.push("connection");
    connection.query("SET time_zone = '+02:00'");
  });
  pool.on("acquire", (connection) => told.push(`acquire ${connection.threadId > 0}`));
  pool.on("release", () => told.push("release"));
  pool.on("enqueue", () => told.push("enqueue"));
  const zone = async (): Promise<unknown> => (await pool.promise().query("SELECT @@time_zone AS z"))[0];
  assert.deepEqual(await zone(), [{ z: "+02:00" }]);
  await until("told", 10_000, () => told.includes("release"));
  assert.deepEqual(told, ["connection", "acquire true", "release"]);
  // A borrower that changes it does not change it for the next; what the listener set is set again.
  await pool.promise().query("SET time_zone = '+07:00'");
  assert.deepEqual(await zone(), [{ z: "+02:00" }]);
  const held = await pool.promise().getConnection();
  const waiting = zone();
  assert.ok(told.includes("enqueue"));
  held.release();
  await waiting;
});

test("resetOnRelease and reset: always clean what no scan can see", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await rig.server.sql.query(
    "CREATE FUNCTION remember() RETURNS INT DETERMINISTIC BEGIN SET @hidden = 42; RETURN 1; END",
  );
  for (const options of [{ resetOnRelease: true }, { resilience: { reset: "always" } }] as const) {
    const pool = rig.pool({ connectionLimit: 1, ...options });
    await pool.query("SELECT remember()");
    assert.deepEqual((await pool.query("SELECT @hidden AS h"))[0], [{ h: null }]);
  }
});

test("wrong options are refused before anything is dialled, naming key and value, without a secret", async () => {
  const make = (options: object): unknown => createPool(options as never);
  assert.throws(() => make({ conectionLimit: 3 }), /did you mean "connectionLimit"/);
  assert.throws(() => make({ connectionLimit: -1 }), /"connectionLimit" is -1/);
  assert.throws(() => make({ queueLimit: "many" }), /"queueLimit" is "many"/);
  assert.throws(() => make({ port: 70_000 }), /"port"/);
  assert.throws(() => make({ resilience: { reset: "never" } }), /"resilience.reset" is "never"/);
  assert.throws(() => make({ resilience: { endpoints: [] } }), /resilience.endpoints/);
  assert.throws(() => make({ resilience: { endpoints: ["u:p@host"] } }), /resilience.endpoints\[0\]/);
  assert.throws(() => make({ resilience: { pool: { max: 5 } } }), /its name is connectionLimit/);
  assert.throws(() => make({ resilience: { track: ["a b"] } }), /resilience.track/);
  const bad = "mysql://me:s3cret@host:99999/db";
  assert.throws(
    () => createPool(bad),
    (error: Error) => !error.message.includes("s3cret") && /"uri"/.test(error.message),
  );
  await assert.rejects(createConnection({ resilience: { lazzy: true } } as never), /did you mean "lazy"/);
});

test("[mariadb-redis 14]: a wrong password and an unknown database surface at once", async (t) => {
  const rig = await rigFor(t, { password: "right" });
  if (rig === undefined) return;
  const wrong = await failure(rig.pool({ password: "s3cret" }).query("SELECT 1"));
  assert.deepEqual([wrong.code, (wrong.cause as { errno: number }).errno], ["HF_AUTH", 1045]);
  assert.ok(!wrong.message.includes("s3cret"));
  const unknown = await failure(
    rig.pool({ password: "right", database: "testing_nothing" }).query("SELECT 1"),
  );
  assert.ok([1044, 1049].includes((unknown.cause as { errno: number }).errno), unknown.message);
});

test("the bare library's options and ours give the same connection", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const options = { ...rig.where, namedPlaceholders: true, dateStrings: true, timezone: "Z" } as const;
  const sql = "SELECT :a AS a, CAST('2026-01-02 03:04:05' AS DATETIME) AS d, @@character_set_client AS c";
  const bare = mysql2.createPool(options);
  const [expected] = await bare.query(sql, { a: 1 });
  await bare.end();
  const [found] = await rig.pool(options).query(sql, { a: 1 });
  assert.deepEqual(found, expected);
});
