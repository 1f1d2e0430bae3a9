/** Real replication between two servers of the lab: what the primary acknowledges, the promoted standby has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withSqlPair } from "../../support/servers.ts";

const readsOnly = {
  mariadb: "SELECT @@global.read_only AS yes",
  postgres: "SELECT pg_is_in_recovery()::int AS yes",
} as const;

for (const name of ["mariadb", "postgres"] as const) {
  test(`${name}: a standby follows, is promoted after kill -9, and is followed by the old primary`, async (t) => {
    const pair = await withSqlPair(t, name, { synchronous: true });
    if (pair === undefined) return;
    const [first, second] = pair.servers;
    const numbers = async (server: typeof first): Promise<number[]> =>
      (await server.sql.query("SELECT n FROM t ORDER BY n")).map(({ n }) => Number(n));
    await first.sql.query("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)");
    await pair.caughtUp();
    assert.deepEqual(await numbers(second), [1]);
    await first.sql.query("INSERT INTO t VALUES (2)");
    await first.kill9();
    await pair.promote();
    assert.equal(pair.primary, second);
    assert.deepEqual(await numbers(second), [1, 2]);
    await second.sql.query("INSERT INTO t VALUES (3)");
    await pair.rejoin();
    assert.deepEqual(await numbers(first), [1, 2, 3]);
    await second.sql.query("INSERT INTO t VALUES (4)");
    await pair.caughtUp();
    assert.deepEqual(await numbers(first), [1, 2, 3, 4]);
    // A restart changes neither role.
    const reads = async (): Promise<number[]> =>
      Promise.all(pair.servers.map(async (each) => Number((await each.sql.query(readsOnly[name]))[0]?.yes)));
    await first.restart();
    await second.restart();
    assert.deepEqual(await reads(), [1, 0]);
    await pair.caughtUp();
    await second.stop();
    await pair.promote();
    await first.restart();
    await first.sql.query("INSERT INTO t VALUES (5)");
    assert.deepEqual(await numbers(first), [1, 2, 3, 4, 5]);
  });
}
