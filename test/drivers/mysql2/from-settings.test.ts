/** Go's DSN and YAML block, all the way to a pool that answers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  connectionOptionsOf,
  createPool,
  fromGoMysqlDsn,
  fromMysqlUrl,
  fromSqlYaml,
  poolOptionsOf,
  type SqlSettings,
} from "../../../src/drivers/mysql2/index.ts";
import { withServer } from "../../support/servers.ts";

const golden = (name: string): string =>
  readFileSync(join(process.cwd(), "test/sources/golden", name), "utf8").trimEnd();

test("M5: the DSN of the document, as options of the library", () => {
  assert.deepEqual(connectionOptionsOf(fromGoMysqlDsn(golden("mariadb.dsn"))), {
    ...{ host: "127.0.0.1", port: 3306, user: "user", password: "password", database: "dbname" },
    ...{ charset: "utf8", timezone: "local", dateStrings: false, flags: ["-FOUND_ROWS"] },
    resilience: { order: "given" },
  });
});

test("M2–M4, M6: the YAML block of the document, as options of the library's pool", () => {
  assert.deepEqual(poolOptionsOf(fromSqlYaml(golden("mariadb.yaml"))), {
    ...{ host: "127.0.0.1", port: 3306, user: "root", password: "123456", database: "gin_project" },
    ...{ charset: "utf8mb4", connectionLimit: 50, maxIdle: 10, idleTimeout: Number.POSITIVE_INFINITY },
    resilience: {
      order: "given",
      pool: { maxLifetimeMs: 500_000, lifetimeFuzz: 0, acquireTimeoutMs: Number.POSITIVE_INFINITY },
    },
  });
});

test("M1–M6: a pool made from a DSN and Go's limits answers, keeps its limits, and its session has the variables", async (t) => {
  const server = await withServer(t, "mariadb", { password: "p@ss/word" });
  if (server === undefined) return;
  const limits = { MaxOpenConns: 3, MaxIdleConns: 1, ConnMaxLifetime: 60_000 };
  const dsn = `holdfast:p@ss/word@tcp(127.0.0.1:${server.port})/test?parseTime=true&loc=UTC&timeout=2s&lock_wait_timeout=7`;
  const pool = createPool(poolOptionsOf(fromGoMysqlDsn(dsn, { limits })));
  t.after(() => new Promise((resolve) => pool.end(resolve)));
  const promised = pool.promise();
  const busy = await Promise.all(
    Array.from({ length: 5 }, () =>
      promised.query("SELECT SLEEP(0.05), CONNECTION_ID() AS id, @@lock_wait_timeout AS w"),
    ),
  );
  const rows = busy.map(([found]) => (found as { id: number; w: number }[])[0]);
  assert.equal(new Set(rows.map((row) => row?.id)).size, 3);
  assert.deepEqual(
    rows.map((row) => row?.w),
    [7, 7, 7, 7, 7],
  );
  await promised.query("SELECT 1");
  const { max, idle } = pool.resilience.snapshot();
  assert.deepEqual([max, idle], [3, 1]);
});

test("without a limit in Go's sense there is none; what the library can't do is refused by name", () => {
  const yaml = "mysql:\n  user: a\n  max_open_conns: 0\n  max_idle_conns: 5\n";
  assert.equal(poolOptionsOf(fromSqlYaml(yaml)).connectionLimit, 0);
  const base: SqlSettings = { system: "mysql", endpoints: [{ host: "h", port: 1 }] };
  const refused = (settings: Partial<SqlSettings>, pattern: RegExp): void => {
    assert.throws(() => connectionOptionsOf({ ...base, ...settings }), pattern);
  };
  refused({ system: "postgres" }, /HF_OPTION|not a system of this driver/);
  refused({ timeZone: "Asia/Tokyo" }, /timeZone.*Asia\/Tokyo/);
  refused({ tableInNames: true }, /nestTables/);
  refused({ writeTimeoutMs: 5 }, /readTimeout/);
  refused({ serverRole: "standby" }, /primaries only/);
  refused({ tls: { verify: "full", fallback: "plain" } }, /never falls back/);
  refused({ tls: { verify: "full", caFile: "/nowhere/ca.pem" } }, /ca\.pem can't be read: ENOENT/);
  const verified = connectionOptionsOf({ ...base, tls: { verify: "full" } });
  assert.deepEqual(verified.ssl, { rejectUnauthorized: true, verifyIdentity: true });
  const { resilience } = connectionOptionsOf({
    ...fromMysqlUrl("mysql://u@a:1,b:2/d"),
    ...{ serverRole: "primary", readTimeoutMs: 9 },
  });
  assert.deepEqual(
    [resilience.target, resilience.callDeadlineMs, resilience.endpoints?.length],
    ["primary", 9, 2],
  );
});
