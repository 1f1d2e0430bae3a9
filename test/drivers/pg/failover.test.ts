/** Finding the primary: a standby is left alone until it is promoted. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { RunningServer } from "../../../src/lab/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { rigFor } from "./rig.ts";

/** A server in recovery: it follows nobody, but answers reads like every hot standby. */
async function makeStandby(server: RunningServer): Promise<void> {
  const [row] = await server.sql.query("SHOW data_directory");
  await server.stop();
  await writeFile(join(row?.data_directory as string, "standby.signal"), "");
  await server.start();
}

test("pg: a standby is left for the primary; when the primary dies, the promoted one is found [mariadb-redis 40]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const second = await withServer(t, "postgres");
  if (second === undefined) return;
  for (const each of [rig.server, second])
    await each.sql.query("CREATE TABLE t (n int)", "GRANT ALL ON t TO PUBLIC");
  await makeStandby(second);
  const rows = async (server: RunningServer): Promise<number> =>
    Number((await server.sql.query("SELECT count(*) AS n FROM t"))[0]?.n);
  const resilience = {
    endpoints: [
      { host: second.host, port: second.port },
      { host: rig.proxy.host, port: rig.proxy.port },
    ],
    order: "given",
    target: "primary",
  } as const;
  const pool = rig.pool({ max: 2, connectionTimeoutMillis: 20_000, resilience });
  const client = rig.client({ resilience: { ...resilience, retryInitial: true } });
  await client.connect();
  await pool.query("INSERT INTO t VALUES (1)");
  await client.query("INSERT INTO t VALUES (2)");
  assert.equal(await rows(rig.server), 2);
  // Without a target the first endpoint is good enough, for who only reads.
  const reader = rig.pool({ resilience: { ...resilience, target: "any" } });
  assert.equal((await reader.query("SELECT pg_is_in_recovery() AS standby")).rows[0].standby, true);
  await rig.server.kill9();
  const waiting = Promise.all([pool.query("SELECT count(*)::int AS n FROM t"), client.query("SELECT 1")]);
  await second.sql.query("SELECT pg_promote()");
  assert.equal((await waiting)[0].rows[0].n, 0);
  await pool.query("INSERT INTO t VALUES (3)");
  await client.query("INSERT INTO t VALUES (4)");
  assert.equal(await rows(second), 2);
  // The old primary comes back: nobody who has a good connection leaves it.
  await rig.server.start();
  await pool.query("INSERT INTO t VALUES (5)");
  assert.equal(await rows(second), 3);
  await until("the old one to be alone", 5_000, async () => (await rig.server.sql.sessions()).length === 0);
});

test("pg: a server that ends the connection during its set-up has failed a dial, and nothing worse [mariadb-redis 40]", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const setUp = ["SELECT pg_terminate_backend(pg_backend_pid())"];
  const pool = rig.pool({ connectionTimeoutMillis: 3_000, resilience: { setUp } });
  await assert.rejects(pool.query("SELECT 1"), { code: "HF_DEADLINE", outcome: "not-applied" });
  const { opened, dialFailures, lastError } = pool.resilience.snapshot();
  assert.equal(opened, 0);
  assert.ok(dialFailures >= 1);
  assert.match(String(lastError), /terminat/);
});
