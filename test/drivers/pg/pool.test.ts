/** `new Pool()`: the library's face, its options by name, and what its callers see of an outage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import bare from "pg";
import { isHoldfastError } from "../../../src/call/index.ts";
import { Pool, type PoolClient } from "../../../src/drivers/pg/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { rigFor } from "./rig.ts";

test("pg pool: the library's own face: class, promise and callback, counts, events, double release", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 3 });
  assert.ok(pool instanceof bare.Pool);
  assert.ok(pool instanceof Pool);
  assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [0, 0, 0]);
  const events: string[] = [];
  for (const name of ["connect", "acquire", "release", "remove", "error"] as const) {
    pool.on(name, () => events.push(name));
  }
  const { rows } = await pool.query("SELECT $1::int AS n", [1]);
  assert.deepEqual(rows, [{ n: 1 }]);
  await until("the release", 5_000, () => events.length === 3);
  assert.deepEqual(events.splice(0), ["connect", "acquire", "release"]);
  const called = await new Promise((resolve, reject) => {
    pool.query("SELECT 2 AS n", (error, result) => (error ? reject(error) : resolve(result.rows)));
  });
  assert.deepEqual(called, [{ n: 2 }]);
  await until("the release", 5_000, () => events.length === 2);
  events.length = 0;
  const client = await pool.connect();
  assert.ok(client instanceof bare.Client);
  assert.deepEqual((await client.query("SELECT 3 AS n")).rows, [{ n: 3 }]);
  assert.deepEqual([pool.totalCount, pool.idleCount], [1, 0]);
  client.release();
  assert.throws(() => client.release(), /already been released/);
  assert.deepEqual(events.splice(0), ["acquire", "release"]);
  await new Promise<void>((resolve, reject) => {
    pool.connect((error, lent, done) => {
      if (error || lent === undefined) return reject(error);
      lent.query("SELECT 4 AS n").then(() => {
        done(true);
        resolve();
      }, reject);
    });
  });
  await until("the removal", 5_000, () => events.includes("remove"));
  assert.equal(pool.totalCount, 0);
  await assert.rejects(pool.query("SELECT nothing"), { code: "42703" });
  await pool.end();
  assert.deepEqual([pool.ending, pool.ended], [true, true]);
  await assert.rejects(pool.query("SELECT 1"), /after calling end/);
  await assert.rejects(pool.connect(), /after calling end/);
  await assert.rejects(pool.end(), /more than once/);
  assert.ok(!events.includes("error"));
});

test("pg pool: session state never crosses borrowers, also for query [mariadb-redis 29]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const hooked: string[] = [];
  const pool = rig.pool({
    max: 1,
    onConnect: async (client) => {
      hooked.push("onConnect");
      await client.query("SET application_name = 'hooked'");
    },
    resilience: { setUp: ["SET my.setup = 'done'"] },
  });
  const leaks = async (from: { query: Pool["query"] }) => {
    const { rows } = await from.query(
      `SELECT current_setting('timezone') AS zone, NULLIF(current_setting('my.own', true), '') AS own,
        current_setting('application_name') AS name, current_setting('my.setup', true) AS setup,
        (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks,
        (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
        (SELECT count(*)::int FROM pg_listening_channels()) AS channels,
        to_regclass('pg_temp.scratch')::text AS scratch`,
    );
    return rows[0];
  };
  const fresh = await leaks(pool);
  assert.deepEqual([fresh.name, fresh.setup], ["hooked", "done"]);
  const dirt = [
    ...[
      "SET TIME ZONE 'Asia/Tokyo'",
      "SELECT set_config('my.own', 'x', false)",
      "SELECT pg_advisory_lock(1)",
    ],
    ...["PREPARE ten AS SELECT 10", "LISTEN jobs", "CREATE TEMP TABLE scratch (n int)", "BEGIN"],
    ...["DO $$ BEGIN PERFORM set_config('my.own', 'hidden', false); END $$", "SET my.setup = 'changed'"],
  ];
  for (const sql of dirt) {
    await pool.query(sql);
    assert.deepEqual(await leaks(pool), fresh, `pool.query: ${sql}`);
    const client = await pool.connect();
    await client.query(sql);
    client.release();
    assert.deepEqual(await leaks(pool), fresh, `client: ${sql}`);
  }
  // A named statement goes with a reset; the library's memory of it must go too.
  const named = { name: "named", text: "SELECT $1::int AS n", values: [1] };
  await pool.query(named);
  await pool.query("SET TIME ZONE 'Asia/Tokyo'");
  assert.deepEqual((await pool.query(named)).rows, [{ n: 1 }]);
  assert.deepEqual(hooked, ["onConnect"]);
});

test("pg pool: what a scan can't see is cleaned with reset: always", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const admin = await rig.bare();
  await admin.query(
    "CREATE FUNCTION hide() RETURNS text LANGUAGE sql AS $$ SELECT set_config('my.own', 'hidden', false) $$",
  );
  const own = async (pool: Pool) => {
    await pool.query("SELECT hide()");
    return (await pool.query("SELECT current_setting('my.own', true) AS own")).rows[0].own;
  };
  assert.equal(await own(rig.pool({ max: 1 })), "hidden"); // documented
  assert.ok(!(await own(rig.pool({ max: 1, resilience: { reset: "always" } }))));
});

test("pg pool: a clean return costs no round trip; an open transaction one", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1 });
  await pool.query("SELECT 1");
  const sent = () => rig.proxy.connections()[0]?.up.received ?? 0;
  const before = sent();
  await pool.query("SELECT 1");
  const one = sent() - before;
  assert.equal(one, "SELECT 1".length + 6); // the message and nothing else
});

test("pg pool: a lease whose connection dies goes on with another one when nothing was held", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 2 });
  const client = await pool.connect();
  await client.query("SET TIME ZONE 'Asia/Tokyo'");
  const pid = async (from: PoolClient) => (await from.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
  const before = await pid(client);
  await rig.server.sql.killAll();
  assert.notEqual(await pid(client), before);
  assert.equal((await client.query("SHOW timezone")).rows[0].TimeZone, "Asia/Tokyo");
  await client.query("BEGIN");
  const lost = new Promise<void>((resolve) => client.resilience.on("disconnected", () => resolve()));
  await rig.server.sql.killAll();
  await lost;
  await assert.rejects(client.query("SELECT 1"), { code: "HF_UNRECOVERABLE", outcome: "not-applied" });
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
  client.release();
  assert.equal((await pool.query("SHOW timezone")).rows[0].TimeZone === "Asia/Tokyo", false);
});

test("pg pool: all idle connections dead at once cost nobody an error [mariadb-redis 18] [mariadb-redis 20] [mariadb-redis 31]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 3 });
  await Promise.all([1, 2, 3].map(() => pool.query("SELECT pg_sleep(0.05)")));
  assert.equal(pool.totalCount, 3);
  await rig.server.sql.killAll();
  const answers = await Promise.all([1, 2, 3].map((n) => pool.query("SELECT $1::int AS n", [n])));
  assert.deepEqual(
    answers.map(({ rows }) => rows[0].n),
    [1, 2, 3],
  );
});

test("pg pool: bare pg, side by side: an idle loss kills the process, ours tells and goes on [mariadb-redis 31]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const theirs = new bare.Pool({ connectionString: rig.server.url });
  const crash = new Promise<unknown>((resolve) => theirs.on("error", resolve)); // without this: uncaughtException
  await theirs.query("SELECT 1");
  const pool = rig.pool();
  const told = new Promise<unknown>((resolve) => pool.on("error", resolve));
  await pool.query("SELECT 1");
  await rig.server.sql.killAll();
  assert.match(String(await crash), /terminating connection/);
  assert.match(String(await told), /terminating connection/);
  assert.equal((await pool.query("SELECT 1")).rowCount, 1);
  await theirs.end();
});

test("pg pool: kill -9 and restart: waiting reads end without an error, writes are done or told", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 4, connectionTimeoutMillis: 20_000 });
  await pool.query("CREATE TABLE t (n int PRIMARY KEY)");
  const told: unknown[] = [];
  const done: number[] = [];
  let stop = false;
  let next = 0;
  const worker = async () => {
    while (!stop) {
      const n = next++;
      await pool.query("SELECT count(*) FROM t");
      await pool.query("INSERT INTO t VALUES ($1)", [n]).then(
        () => done.push(n),
        (error: unknown) => told.push(error),
      );
    }
  };
  const workers = [1, 2, 3, 4].map(worker);
  await until("some work", 10_000, () => done.length > 20);
  await rig.server.kill9();
  await rig.server.restart();
  const before = done.length;
  await until("more work", 20_000, () => done.length > before + 20);
  stop = true;
  await Promise.all(workers);
  for (const error of told) {
    assert.ok(isHoldfastError(error), String(error));
    assert.equal(error.outcome, "maybe-applied");
  }
  assert.ok(told.length <= 4, `${told.length} unknown`);
  const { rows } = await pool.query("SELECT n FROM t");
  const there = new Set(rows.map(({ n }) => n));
  for (const n of done) assert.ok(there.has(n), `${n} was acknowledged and is not there`);
  assert.ok(there.size <= done.length + told.length);
});

test("pg pool: a server turned read-only is left for the next endpoint [mariadb-redis 40]", async (t) => {
  const rig = await rigFor(t);
  const standIn = await withServer(t, "postgres");
  if (rig === undefined || standIn === undefined) return;
  const endpoints = [
    { host: rig.proxy.host, port: rig.proxy.port },
    { host: standIn.host, port: standIn.port },
  ];
  for (const each of [rig.server, standIn]) await (await rig.bare(each)).query("CREATE TABLE t (n int)");
  const pool = rig.pool({ max: 2, resilience: { endpoints, order: "given" } });
  await pool.query("INSERT INTO t VALUES (1)");
  await rig.server.sql.setReadOnly(true);
  // Sessions that are open learn of it with their next statement.
  await until("the move", 10_000, async () => {
    await pool.query("INSERT INTO t VALUES (2)");
    const { rows } = await pool.query("SELECT count(*)::int AS n FROM t WHERE n = 1");
    return rows[0].n === 0;
  });
  const primary = rig.pool({ resilience: { endpoints, order: "given", target: "primary" } });
  await primary.query("INSERT INTO t VALUES (3)");
  const client = rig.client({ resilience: { endpoints, order: "given", target: "primary" } });
  await client.connect();
  await client.query("INSERT INTO t VALUES (4)");
});

test("pg pool: transaction() commits, rolls back, and runs again only when nothing was committed", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 2 });
  await pool.query("CREATE TABLE t (n int)");
  const answer = await pool.transaction(async (client) => {
    await client.query("INSERT INTO t VALUES (1)");
    return "done";
  });
  assert.equal(answer, "done");
  await assert.rejects(
    pool.transaction(async (client) => {
      await client.query("INSERT INTO t VALUES (2)");
      throw new Error("no");
    }),
    /^Error: no$/,
  );
  let runs = 0;
  await pool.transaction(
    async (client) => {
      runs++;
      await client.query("INSERT INTO t VALUES (3)");
      if (runs === 1) {
        const lost = new Promise<void>((resolve) => client.resilience.on("disconnected", () => resolve()));
        await rig.server.sql.killAll();
        await lost;
      }
      await client.query("INSERT INTO t VALUES (4)");
    },
    { retry: 2 },
  );
  assert.equal(runs, 2);
  // To the COMMIT of a failed transaction the server answers with a rollback, without an error.
  await assert.rejects(
    pool.transaction(async (client) => {
      await client.query("INSERT INTO t VALUES (5)");
      await client.query("SELECT nothing").catch(() => {});
    }),
    { outcome: "not-applied", message: /rolled back/ },
  );
  const { rows } = await pool.query("SELECT n FROM t ORDER BY n");
  assert.deepEqual(
    rows.map(({ n }) => n),
    [1, 3, 4],
  );
});

test("pg pool: a COMMIT whose reply is lost is maybe-applied and is never sent again [mariadb-redis 36]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1 });
  await pool.query("CREATE TABLE t (n int)");
  const direct = await rig.bare();
  const running = pool.transaction(
    async (client) => {
      await client.query("INSERT INTO t VALUES (1)");
      await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
    },
    { retry: 3 },
  );
  const ended = running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await until("the commit", 5_000, async () => (await direct.query("SELECT FROM t")).rowCount === 1);
  rig.proxy.cut("rst");
  const error = await ended;
  assert.ok(isHoldfastError(error), String(error));
  assert.equal(error.outcome, "maybe-applied");
  const { rows } = await pool.query("SELECT count(*)::int AS n FROM t");
  assert.deepEqual(rows, [{ n: 1 }]);
});

test("a client whose statement still runs when it is released never goes to the next caller", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1 });
  const client = await pool.connect();
  const pid = (await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
  const leaving = new AbortController();
  const left = client.query({ text: "SELECT pg_sleep(60)", resilience: { signal: leaving.signal } });
  const told = assert.rejects(left, /gone home/);
  await until("the query", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("pg_sleep") === true),
  );
  leaving.abort(new Error("gone home"));
  await told;
  client.release();
  const { rows } = await pool.query({
    text: "SELECT pg_backend_pid() AS pid",
    resilience: { deadlineMs: 10_000 },
  });
  assert.notEqual(rows[0].pid, pid);
});

test("pg pool: a query that the library fails to write is told, and its connection is never lent again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1 });
  const pid = (await pool.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
  // The library throws amid its write: the client waits for an answer to what it has not sent.
  await assert.rejects(pool.query({ name: "n", text: 1 as unknown as string }), {
    code: "ERR_INVALID_ARG_TYPE",
  });
  const { rows } = await pool.query({
    text: "SELECT pg_backend_pid() AS pid",
    resilience: { deadlineMs: 10_000 },
  });
  assert.notEqual(rows[0].pid, pid);
});
