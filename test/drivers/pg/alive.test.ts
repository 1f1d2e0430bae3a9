/** Peers that are silently gone are found; statements that are rightly silent are left alone. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { test } from "node:test";
import bare from "pg";
import { until } from "../../support/until.ts";
import { next, rigFor } from "./rig.ts";

const liveness = { idleProbeMs: 50, probeTimeoutMs: 80 };

test("pg: an idle half-open connection is found and replaced; bare pg waits for ever [mariadb-redis 49]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected({ resilience: { liveness } });
  const theirs = new bare.Client({ ...rig.where });
  theirs.on("error", () => {});
  await theirs.connect();
  const hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "existing" });
  let answered = false;
  const waiting = theirs.query("SELECT 1").then(
    () => (answered = true),
    () => {},
  );
  const found = next(client, "halfOpen");
  await next(client, "reconnected");
  await found;
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
  assert.equal(answered, false); // and nothing will ever end it
  await hole.undo();
  rig.proxy.cut("rst");
  await waiting;
  await theirs.end().catch(() => {});
});

test("pg: a half-open connection with a statement on it is found by the statement's deadline [mariadb-redis 50]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const admin = await rig.connected();
  await admin.query("CREATE TABLE t (n int)");
  const client = await rig.connected({ query_timeout: 1_000 });
  await using _hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "existing" });
  const back = next(client, "reconnected");
  const sent = client.query("INSERT INTO t VALUES (1)");
  await assert.rejects(sent, { code: "HF_DEADLINE", outcome: "maybe-applied", step: "reply" });
  await back;
  assert.equal((await client.query("SELECT 1 AS n")).rowCount, 1);
});

test("pg: a long query on a healthy connection is never cut, whatever the probes", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected({ resilience: { liveness: { idleProbeMs: 20, probeTimeoutMs: 500 } } });
  let lost = 0;
  client.resilience.on("disconnected", () => lost++);
  const { rows } = await client.query("SELECT 7 AS n FROM pg_sleep(1.5)");
  assert.deepEqual([rows, lost], [[{ n: 7 }], 0]);
  const pool = rig.pool({ max: 1 });
  assert.deepEqual((await pool.query("SELECT 7 AS n FROM pg_sleep(1)")).rows, [{ n: 7 }]);
});

test("pg pool: half-open idle connections cost a validation, not the caller's whole time [mariadb-redis 19]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({
    max: 2,
    connectionTimeoutMillis: 30_000,
    resilience: { pool: { validateAfterIdleMs: 0, validationTimeoutMs: 200 } },
  });
  await Promise.all([1, 2].map(() => pool.query("SELECT pg_sleep(0.05)")));
  await using _hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "existing" });
  const began = performance.now();
  assert.equal((await pool.query("SELECT 1 AS n")).rowCount, 1);
  assert.ok(performance.now() - began < 15_000);
});

test("pg: a statement that waited behind another until its deadline was never sent", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected();
  await client.query("CREATE TABLE t (n int)");
  const first = client.query("SELECT pg_sleep(2)");
  const behind = client.query({ text: "INSERT INTO t VALUES (1)", resilience: { deadlineMs: 100 } });
  await assert.rejects(behind, { code: "HF_DEADLINE", outcome: "not-applied" });
  await first;
  assert.equal((await client.query("SELECT FROM t")).rowCount, 0);
});

test("pg: a caller who leaves by its signal leaves the connection to the others", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = await rig.connected();
  const first = client.query("SELECT pg_sleep(0.3)");
  const leaving = new AbortController();
  const left = client.query({ text: "SELECT 2", resilience: { signal: leaving.signal } });
  leaving.abort(new Error("enough"));
  await assert.rejects(left, /enough/);
  await first;
  assert.deepEqual((await client.query("SELECT 3 AS n")).rows, [{ n: 3 }]);
});

test("pg: a handshake that never answers is given up in time, and the next attempt works [mariadb-redis 46]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ connectionTimeoutMillis: 300, resilience: { retryInitial: true } });
  const hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "new" });
  const connecting = client.connect();
  const failed = next(client, "attemptFailed");
  await failed;
  await hole.undo();
  await connecting;
  await until(
    "no more than one connection",
    5_000,
    async () => (await rig.server.sql.sessions()).length === 1,
  );
});

test("pg: TCP keepalive is on from the first moment, unless it was refused", async (t) => {
  if (process.platform !== "linux") return t.skip("the kernel's table is Linux's");
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const timers = async (options: { keepAlive?: boolean }): Promise<string> => {
    const client = await rig.connected(options);
    const { localPort } = (
      client as unknown as { core: { physical: { wire: { connection: { stream: Socket } } } } }
    ).core.physical.wire.connection.stream;
    const rows = (await readFile("/proc/net/tcp", "utf8")).split("\n");
    const local = `:${localPort?.toString(16).toUpperCase().padStart(4, "0")} `;
    // The sixth column begins with the timer that is armed: 02 is keepalive.
    return (
      rows
        .find((row) => row.slice(0, 22).includes(local))
        ?.trim()
        .split(/\s+/)[5]
        ?.slice(0, 2) ?? "none"
    );
  };
  assert.equal(await timers({}), "02");
  assert.equal(await timers({ keepAlive: false }), "00");
});
