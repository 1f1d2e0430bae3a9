/** The acceptance list for pools and SQL sessions, row by row; beside bare pg where that one fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import bare from "pg";
import { isHoldfastError } from "../../../src/call/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { next, type Rig, rigFor } from "./rig.ts";

interface AnyClient {
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
  release(): void;
}
interface AnyPool {
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
  connect(): Promise<AnyClient>;
}

/** So many idle connections. */
async function warm(pool: AnyPool, count: number): Promise<void> {
  const all = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of all) client.release();
}

function bareOf(rig: Rig, t: { after(fn: () => unknown): void }, options: bare.PoolConfig = {}): bare.Pool {
  const pool = new bare.Pool({ ...rig.where, ...options });
  pool.on("error", () => {}); // without it, any idle loss would end this process
  pool.on("connect", (client) => client.on("error", () => {}));
  t.after(() => pool.end().catch(() => {}));
  return pool;
}

/** What it fails with. */
async function failure(
  promise: Promise<unknown>,
): Promise<{ code?: string; outcome?: string; message: string }> {
  return promise.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => error as { code?: string; outcome?: string; message: string },
  );
}

test("[mariadb-redis 17] [mariadb-redis 18]: all idle connections die at once: the next calls succeed; bare pg fails", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const outcome = async (pool: AnyPool): Promise<number> => {
    await warm(pool, 3);
    // In one turn of the loop nobody can have heard of the deaths yet.
    rig.proxy.cut("fin");
    const all = await Promise.allSettled([1, 2, 3].map((n) => pool.query(`SELECT ${n} AS n`)));
    return all.filter(({ status }) => status === "rejected").length;
  };
  assert.equal(await outcome(rig.pool()), 0);
  const theirs = bareOf(rig, t);
  assert.ok((await outcome(theirs)) > 0);
  await theirs.end();
});

test("[mariadb-redis 29]: no session state crosses borrowers; with bare pg it does", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const leaks = async (pool: AnyPool): Promise<unknown[]> => {
    await pool.query("SET my.own = 'leaked'");
    await pool.query("BEGIN");
    const { rows } = await pool.query(
      "SELECT NULLIF(current_setting('my.own', true), '') AS own, now() = statement_timestamp() AS fresh",
    );
    return [rows[0]?.own, rows[0]?.fresh];
  };
  assert.deepEqual(await leaks(rig.pool({ max: 1 })), [null, true]);
  const theirs = bareOf(rig, t, { max: 1 });
  assert.deepEqual(await leaks(theirs), ["leaked", false]);
  await theirs.end();
});

test("[mariadb-redis 30]: a reset that fails discards the connection, and the next caller gets another", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 1, resilience: { pool: { validationTimeoutMs: 150 } } });
  const client = await pool.connect();
  const pid = (await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
  await client.query("SET TIME ZONE 'Asia/Tokyo'");
  const hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "existing" });
  client.release();
  const { rows } = await pool.query("SELECT pg_backend_pid() AS pid, current_setting('timezone') AS zone");
  assert.notEqual(rows[0].pid, pid);
  assert.notEqual(rows[0].zone, "Asia/Tokyo");
  assert.equal(pool.resilience.snapshot().closed.reset, 1);
  await hole.undo();
});

test("[mariadb-redis 11] [mariadb-redis 12] [mariadb-redis 13]: server down: dials are few whatever waits, nobody is refused, and they stop with the need; bare pg dials for each", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const refused = await rig.proxy.fault({ kind: "refuse" });
  const pool = rig.pool({ max: 20, connectionTimeoutMillis: 10_000 });
  let failed = 0;
  pool.resilience.on("dialFailed", () => failed++);
  const waiting = Array.from({ length: 50 }, (_, n) => pool.query(`SELECT ${n} AS n`));
  await until("some failed dials", 10_000, () => failed >= 4);
  assert.ok(failed < 20, `${failed} dials for 50 callers`);
  const theirs = bareOf(rig, t, { max: 20 });
  const lost = await Promise.allSettled(Array.from({ length: 50 }, () => theirs.query("SELECT 1")));
  assert.equal(lost.filter(({ status }) => status === "rejected").length, 50);
  await refused.undo();
  const answers = await Promise.all(waiting);
  assert.deepEqual(
    answers.map(({ rows }) => rows[0].n),
    Array.from({ length: 50 }, (_, n) => n),
  );
  // With nobody waiting nothing dials.
  const lonely = rig.pool({ connectionTimeoutMillis: 100 });
  let dials = 0;
  const again = await rig.proxy.fault({ kind: "refuse" });
  lonely.resilience.on("dialFailed", () => dials++);
  assert.equal((await failure(lonely.query("SELECT 1"))).code, "HF_DEADLINE");
  // A dial that was under way may end; another one begins only with a need.
  await until("no dial is under way", 5_000, () => lonely.resilience.snapshot().dialing === 0);
  const ended = dials;
  const needy = rig.pool({ connectionTimeoutMillis: 500 });
  assert.equal((await failure(needy.query("SELECT 1"))).code, "HF_DEADLINE");
  assert.deepEqual([dials, lonely.resilience.snapshot().dialing], [ended, 0]);
  await again.undo();
  await theirs.end();
});

test("[mariadb-redis 32]: a graceful end waits for what is in use, up to its deadline, and leaves nothing", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 2 });
  const running = pool.query("SELECT 1 AS one FROM pg_sleep(0.3)");
  await until("the query", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("pg_sleep") === true),
  );
  const ended = pool.end();
  assert.equal((await running).rowCount, 1);
  await ended;
  assert.deepEqual([pool.totalCount, pool.ended], [0, true]);
  const stubborn = rig.pool({ resilience: { drainTimeoutMs: 100 } });
  const held = failure(stubborn.query("SELECT pg_sleep(60)"));
  await until("the query", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("60")),
  );
  const sinceMs = systemClock.nowMs();
  await stubborn.end();
  assert.ok(systemClock.nowMs() - sinceMs < 5_000);
  assert.ok(isHoldfastError(await held));
});

test("[mariadb-redis 34] [mariadb-redis 36]: in a transaction nothing is sent again, and what was queued never reaches another session", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (n int)");
  const client = await pool.connect();
  await client.query("BEGIN");
  // Several at once: those the library still queues must not reach another session either.
  const texts = ["SELECT pg_sleep(5)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "COMMIT"];
  const all = texts.map((text) => failure(client.query(text)));
  await until("the first is on its way", 5_000, async () =>
    (await rig.server.sql.sessions()).some(({ doing }) => doing?.includes("pg_sleep") === true),
  );
  await rig.server.sql.killAll();
  const errors = await Promise.all(all);
  assert.deepEqual(
    errors.slice(1).map(({ outcome }) => outcome),
    ["not-applied", "not-applied", "not-applied"],
  );
  await client.query("ROLLBACK");
  assert.equal((await client.query("SELECT FROM t")).rowCount, 0);
  client.release();
});

test("[mariadb-redis 36]: the COMMIT of a transaction that was told lost fails too; a bare server only warns", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.pool().connect();
  await client.query("CREATE TABLE t (n int)");
  await client.query("BEGIN");
  await client.query("INSERT INTO t VALUES (1)");
  await rig.server.sql.killAll();
  await failure(client.query("INSERT INTO t VALUES (2)"));
  const late = await failure(client.query("COMMIT"));
  assert.deepEqual([late.code, late.outcome], ["HF_UNRECOVERABLE", "not-applied"]);
  client.release();
});

test("[mariadb-redis 37]: a transaction is run again only when asked, never past its bound, and refused when it was too long", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool();
  await pool.query("CREATE TABLE t (n int)");
  const runs = async (retry: number, maxStatements?: number): Promise<[number, string, string]> => {
    let count = 0;
    const error = await failure(
      pool.transaction(
        async (client) => {
          count++;
          await client.query("INSERT INTO t VALUES (1)");
          await client.query("INSERT INTO t VALUES (1)");
          await rig.server.sql.killAll();
          await client.query("INSERT INTO t VALUES (2)");
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
  assert.equal((await pool.query("SELECT FROM t")).rowCount, 0);
});

test("[mariadb-redis 53]: what the server reports is restored, also when a function changed it", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await (await rig.bare()).query(
    `CREATE FUNCTION change_zone() RETURNS text LANGUAGE sql AS $$ SELECT set_config('timezone', 'Asia/Tokyo', false) $$`,
  );
  const client = await rig.connected();
  await client.query("SELECT change_zone()");
  const lost = next(client, "disconnected");
  await rig.server.sql.killAll();
  await lost;
  assert.equal((await client.query("SHOW timezone")).rows[0].TimeZone, "Asia/Tokyo");
  // What was only for a transaction is not.
  await client.query("BEGIN; SET LOCAL timezone = 'Europe/Rome'");
  await client.query("COMMIT");
  await rig.server.sql.killAll();
  assert.equal((await client.query("SHOW timezone")).rows[0].TimeZone, "Asia/Tokyo");
});

test("[mariadb-redis 54]: a leased client that listens is reconnected unasked, with a gap event; bare pg goes deaf", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const theirs = bareOf(rig, t);
  const deaf = await theirs.connect();
  const missed: unknown[] = [];
  deaf.on("notification", (message) => missed.push(message));
  await deaf.query("LISTEN jobs");
  const pool = rig.pool();
  const client = await pool.connect();
  const heard: unknown[] = [];
  client.on("notification", ({ payload }) => heard.push(payload));
  await client.query("LISTEN jobs");
  const gap = new Promise<string>((resolve) =>
    client.resilience.on("gap", ({ subscription }) => resolve(subscription)),
  );
  await rig.server.sql.killAll();
  assert.equal(await gap, "jobs");
  await (await rig.bare()).query("NOTIFY jobs, 'after'");
  await until("the notification", 5_000, () => heard.length === 1);
  assert.deepEqual([heard, missed], [["after"], []]);
  client.release();
  deaf.release(true);
  await theirs.end();
});

test("[mariadb-redis 57]: a hundred reconnects grow no listeners and leave one connection", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected({
    resilience: { minDialGapMs: 1, backoff: { minMs: 1, baseMs: 1, capMs: 2 } },
  });
  const count = (): number => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0);
  const before = count();
  for (let n = 0; n < 100; n++) {
    const back = next(client, "reconnected");
    rig.proxy.cut(n % 2 === 0 ? "rst" : "fin");
    await back;
  }
  assert.equal(count(), before);
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
  await until("one session", 5_000, async () => (await rig.server.sql.sessions()).length === 1);
});

test("[mariadb-redis 60]: counts: open, in use, idle, waiting, closed by reason, dial failures, last error", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ max: 2 });
  const [one, two] = [await pool.connect(), await pool.connect()];
  const third = pool.connect();
  const { open, inUse, idle, waiting, max } = pool.resilience.snapshot();
  assert.deepEqual({ open, inUse, idle, waiting, max }, { open: 2, inUse: 2, idle: 0, waiting: 1, max: 2 });
  assert.match(pool.resilience.explain(), /2 of 2 connections open, 2 in use, 0 idle; 1 callers waiting/);
  one.release();
  two.release(true);
  (await third).release();
  await until("one is left", 5_000, () => pool.totalCount === 1);
  assert.equal(pool.resilience.snapshot().closed.error, 1);
  assert.equal(pool.resilience.health().status, "up");
});

/** A query class of somebody's own, as cursors and streams are: it reads in steps. */
class Steps {
  readonly text = "SELECT generate_series(1, 5) AS n";
  readonly rows: unknown[] = [];
  readonly done: Promise<void>;
  #end: (error?: unknown) => void = () => {};
  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
  }
  submit(connection: unknown): void {
    const { parse, bind, describe, execute, flush } = connection as Record<string, (...a: unknown[]) => void>;
    const call = (method: unknown, ...args: unknown[]) =>
      (method as (...a: unknown[]) => void).call(connection, ...args);
    call(parse, { text: this.text });
    call(bind, { values: [] });
    call(describe, { type: "P", name: "" });
    call(execute, { portal: "", rows: 2 });
    call(flush);
  }
  handleRowDescription(): void {}
  handleDataRow(message: { fields: unknown[] }): void {
    this.rows.push(String(message.fields[0]));
  }
  handlePortalSuspended(connection: { execute(how: object): void; flush(): void }): void {
    connection.execute({ portal: "", rows: 2 });
    connection.flush();
  }
  handleCommandComplete(_: unknown, connection: { sync(): void }): void {
    connection.sync();
  }
  handleReadyForQuery(): void {
    this.#end();
  }
  handleError(error: unknown, connection: { sync(): void }): void {
    connection.sync();
    this.#end(error);
  }
}

test("a query class of somebody's own (cursor, stream, COPY) runs, and is told of a loss, never repeated", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected();
  const steps = client.query(new Steps() as never) as unknown as Steps;
  await steps.done;
  assert.deepEqual(steps.rows, ["1", "2", "3", "4", "5"]);
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const lost = client.query(new Steps() as never) as unknown as Steps;
  const error = failure(lost.done);
  rig.proxy.cut("rst");
  await error;
  await hole.undo();
  assert.deepEqual((await client.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
});
