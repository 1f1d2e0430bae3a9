/** gorm's DSN, libpq's URL and the YAML block, all the way to a pool that answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clientOptionsOf,
  fromPostgresDsn,
  fromPostgresUrl,
  fromSqlYaml,
  Pool,
  poolOptionsOf,
  type SqlSettings,
} from "../../../src/drivers/pg/index.ts";
import { withServer } from "../../support/servers.ts";

test("M1–M6: the YAML block with PostgreSQL's name, as options of the library's pool", () => {
  const yaml =
    'postgres:\n  user: "a"\n  password: "b"\n  ip: "127.0.0.1"\n  port: "5433"\n  name: "c"\n  max_open_conns: 50\n  max_idle_conns: 10\n  conn_max_lifetime: 500\n';
  assert.deepEqual(poolOptionsOf(fromSqlYaml(yaml)), {
    ...{ host: "127.0.0.1", port: 5433, user: "a", password: "b", database: "c" },
    ...{ max: 50, idleTimeoutMillis: 0, maxLifetimeSeconds: 500 },
    connectionTimeoutMillis: Number.MAX_SAFE_INTEGER,
    resilience: { order: "given", pool: { maxIdle: 10, lifetimeFuzz: 0 } },
  });
});

test("M7: one wrapper, the other dialect: a keyword DSN and a URL make pools that answer, with their variables", async (t) => {
  const server = await withServer(t, "postgres", { password: "it's \\ it" });
  if (server === undefined) return;
  const keywords = `host=127.0.0.1 port=${server.port} user=holdfast password='it\\'s \\\\ it' dbname=test sslmode=disable TimeZone=Asia/Tokyo application_name=gorm lock_timeout=7000`;
  const url = `postgres://holdfast:${encodeURIComponent("it's \\ it")}@127.0.0.1:${server.port}/test?sslmode=disable&TimeZone=Asia%2FTokyo&application_name=gorm&lock_timeout=7000`;
  for (const settings of [fromPostgresDsn(keywords), fromPostgresUrl(url)]) {
    const pool = new Pool(poolOptionsOf(settings));
    try {
      const sql =
        "SELECT current_setting('TimeZone') AS zone, current_setting('lock_timeout') AS lock, current_setting('application_name') AS name";
      assert.deepEqual((await pool.query(sql)).rows, [{ zone: "Asia/Tokyo", lock: "7s", name: "gorm" }]);
    } finally {
      await pool.end();
    }
  }
});

test("without a limit in Go's sense there is none; what the library can't do is refused by name", () => {
  const unlimited = poolOptionsOf(
    fromSqlYaml("postgres:\n  user: a\n  max_open_conns: 0\n  max_idle_conns: 5\n"),
  );
  assert.equal(unlimited.max, Number.MAX_SAFE_INTEGER);
  const base: SqlSettings = { system: "postgres", endpoints: [{ host: "h", port: 1 }] };
  const refused = (settings: Partial<SqlSettings>, pattern: RegExp): void => {
    assert.throws(() => clientOptionsOf({ ...base, ...settings }), pattern);
  };
  refused({ system: "mysql" }, /not a system of this driver/);
  refused({ writeTimeoutMs: 5 }, /callDeadlineMs/);
  refused({ serverRole: "standby" }, /target_session_attrs.*primaries only/);
  refused({ tls: { verify: "none", fallback: "plain" } }, /sslmode.*never falls back/);
  refused({ tls: { verify: "full", caFile: "/nowhere/ca.pem" } }, /ca\.pem can't be read: ENOENT/);
  assert.equal(clientOptionsOf({ ...base, tls: false }).ssl, false);
  assert.deepEqual(clientOptionsOf({ ...base, tls: { verify: "full" } }).ssl, { rejectUnauthorized: true });
  const several = fromPostgresUrl("postgres://u@a:1,b:2/d?target_session_attrs=read-write&connect_timeout=3");
  const { resilience } = clientOptionsOf(several);
  assert.deepEqual(
    [resilience.target, resilience.connectTimeoutMs, resilience.endpoints?.length],
    ["primary", 3_000, 2],
  );
  const socket = { ...base, endpoints: [{ host: "", port: 0, path: "/run/postgresql/.s.PGSQL.5432" }] };
  assert.equal(clientOptionsOf(socket).host, "/run/postgresql");
});
