/** The YAML block (SOURCES M6), and the wrapper over several dialects (M7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromSqlYaml } from "../../../src/sql/index.ts";

const NEVER = Number.POSITIVE_INFINITY;

test("M6, M7: the block's name is the dialect; what is left out has the system's default", () => {
  assert.deepEqual(fromSqlYaml("postgres: { host: db, username: ann, dbname: shop }"), {
    system: "postgres",
    endpoints: [{ host: "db", port: 5432 }],
    user: "ann",
    database: "shop",
  });
  assert.deepEqual(fromSqlYaml("redis: { port: 1 }\nmariadb:\n  password: 123456\n"), {
    system: "mysql",
    endpoints: [{ host: "127.0.0.1", port: 3306 }],
    password: "123456",
  });
  const both = "mysql: { port: 3307 }\npostgresql: { port: '5433' }";
  assert.equal(fromSqlYaml(both, { block: "postgresql" }).endpoints[0]?.port, 5433);
  assert.throws(() => fromSqlYaml(both), /it has the blocks mysql, postgresql: say which with "block"/);
});

const limits: [string, object][] = [
  ["max_open_conns: 0", { max: NEVER, maxIdle: 2 }],
  ["max_open_conns: 5\n  max_idle_conns: 50", { max: 5, maxIdle: 5 }],
  ["conn_max_lifetime: 0", { maxLifetimeMs: NEVER }],
  ["conn_max_lifetime: 0.5", { maxLifetimeMs: 500 }],
  ['conn_max_lifetime: "500"', { maxLifetimeMs: 500_000 }],
  ["conn_max_lifetime: 8m20s", { maxLifetimeMs: 500_000 }],
  ["conn_max_idle_time: 90", { maxIdleTimeMs: 90_000 }],
];
for (const [lines, expected] of limits) {
  test(`M2–M4, M6: ${lines.replace(/\s+/g, " ")}`, () => {
    const { pool } = fromSqlYaml(`mysql:\n  ${lines}\n`);
    assert.deepEqual({ ...pool, ...expected }, pool);
  });
}

const refused: [string, RegExp][] = [
  ["sqlite: { file: x }", /SQLite is a file: there is no connection to keep/],
  ["mssql: { host: x }", /SQL Server is not a dialect/],
  ["other: 1", /none of the blocks mysql, mariadb, postgres, postgresql/],
  ["[1]", /it must be a mapping/],
  ["mysql: 3", /its "mysql:" block must be a mapping/],
  ["mysql: { prot: 1 }", /unknown option "mysql.prot".*did you mean "port"/],
  ["mysql: { port: 0 }", /option "mysql.port" is 0, but must be a port/],
  ["mysql: { port: '33o6' }", /option "mysql.port" is "33o6"/],
  ["mysql: { ip: a, host: b }", /"mysql.host" is "b", but must be given once: it means "host"/],
  ["mysql: { name: [x] }", /option "mysql.name" is \["x"\], but must be a text/],
  ["mysql: { max_open_conns: many }", /option "mysql.max_open_conns" is "many", but must be a whole number/],
  ["mysql: { conn_max_lifetime: 5 minutes }", /option "mysql.conn_max_lifetime" is "5 minutes"/],
  ['mysql:\n  password: "unclosed SECRET\n', /"yaml" is not usable: MISSING_CHAR at line 3/],
  ["mysql: { password: [SECRET] }", /option "mysql.password" is \*\*\*, but must be a text/],
];
for (const [text, message] of refused) {
  test(`M6: refused: ${text.replace(/\s+/g, " ")}`, () => {
    assert.throws(
      () => fromSqlYaml(text),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "HF_OPTION");
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /SECRET/);
        return true;
      },
    );
  });
}
