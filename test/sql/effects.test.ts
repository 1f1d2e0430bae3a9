/** Which statements may be sent twice: a table for each dialect. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, readStatement } from "../../src/sql/index.ts";

const both = ["mysql", "postgres"] as const;
const effectOf = (sql: string, dialect: Dialect): string => readStatement(sql, dialect).effect;

function all(name: string, dialects: readonly Dialect[], effect: string, texts: readonly string[]): void {
  for (const dialect of dialects) {
    test(`statement: ${name} (${dialect})`, () => {
      for (const sql of texts) assert.equal(effectOf(sql, dialect), effect, sql);
    });
  }
}

all("reads", both, "read", [
  "SELECT 1",
  "select * from t where a = 'x;y' and b in (1, 2)",
  "(SELECT 1) UNION ALL (SELECT 2)",
  "SELECT count(*), MAX(a) FROM t GROUP BY a HAVING count(*) > 1 ORDER BY (a) LIMIT 5",
  "WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a JOIN (SELECT 3) c ON (1 = 1)",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
  "SELECT CAST(a AS DECIMAL(10, 2)), COALESCE(b, 'x') FROM t",
  "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
  "SELECT a FROM t WHERE EXISTS (SELECT 1) AND NOT (a = 1) AND a = ANY (SELECT 2)",
  "TABLE t",
  "SHOW max_connections",
  "EXPLAIN SELECT 1",
  "-- a comment\nSELECT 1 /* and another */ ;",
  "SELECT 1; SELECT 2;",
  "SELECT CASE WHEN (a > 1) THEN (2) ELSE (3) END FROM t",
  "SELECT 'it''s', '' FROM t",
]);

all("reads of PostgreSQL only", ["postgres"], "read", [
  "VALUES (1), (2)",
  'SELECT a::varchar(10), b::timestamp(3), c::character varying(20) FROM "T"',
  "SELECT pg_catalog.now(), pg_is_in_recovery()",
  "SELECT $1::int, $$insert into t$$, $tag$ ; $$ delete $tag$",
  "SELECT E'it\\'s', e'\\\\' FROM t",
  "SELECT /* a /* nested */ comment */ 1",
  "SELECT data->>'a', data ? 'b', data @> '{}' FROM t",
  "SELECT count(*) FILTER (WHERE a) , array_agg(b ORDER BY c) FROM t",
  "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
  "SELECT ARRAY[1,2], ARRAY(SELECT 1), ROW(1, 2)",
  "SELECT * FROM t, LATERAL (SELECT 1) x",
  "SELECT * FROM t GROUP BY GROUPING SETS ((a), (b))",
  'SELECT "update", "delete" FROM t',
  "WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x",
  "SELECT current_setting('a.b', true)",
  "SELECT * FROM t GROUP BY ROLLUP (c)",
]);

all("reads of MySQL only", ["mysql"], "read", [
  "SELECT `insert`, `a``b` FROM `t`",
  'SELECT "delete from t"',
  "SELECT 5--1",
  "SELECT 1 # a comment; DELETE FROM t",
  "SELECT @@version, @a",
  "DESC t",
  "DESCRIBE t",
  "SHOW TABLES",
  "SELECT * FROM t USE INDEX (a) WHERE MATCH (b) AGAINST ('x')",
  "SELECT IF(a, 1, 2), DATE_ADD(b, INTERVAL 1 DAY), GROUP_CONCAT(c SEPARATOR ',') FROM t PARTITION (p0)",
  "SELECT count(*) FROM t",
  "SELECT 'a\\nb'",
  "SELECT 1 FROM t WHERE a = ?",
]);

all("work that happens once", both, "once", [
  "",
  ";",
  "-- nothing",
  "INSERT INTO t VALUES (1)",
  "UPDATE t SET a = 1",
  "DELETE FROM t",
  "CALL p()",
  "TRUNCATE t",
  "CREATE TABLE t (a int)",
  "DROP TABLE t",
  "GRANT ALL ON t TO u",
  "COMMIT",
  "SAVEPOINT a",
  "ROLLBACK TO SAVEPOINT a",
  "RELEASE SAVEPOINT a",
  "ROLLBACK AND CHAIN",
  "EXECUTE s",
  "SELECT * INTO x FROM t",
  "SELECT * FROM t FOR UPDATE",
  "SELECT * FROM t WHERE a = 1 FOR SHARE",
  "SELECT * FROM t FOR NO KEY UPDATE",
  "SELECT * FROM t FOR KEY SHARE",
  "SELECT my_function(1)",
  "SELECT other.count(1)",
  "SELECT * FROM my_function(1)",
  "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
  "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
  "EXPLAIN ANALYZE DELETE FROM t",
  "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
  "SELECT 1; DELETE FROM t",
  "DELETE FROM t; SELECT 1",
  "SELECT NEXT VALUE FOR s",
  "BEGIN; INSERT INTO t VALUES (1); COMMIT",
  "SELECT 'not closed",
  "SELECT 1 /* not closed",
  "SELECT 1from t",
  "SELECT DISTINCT over(1)",
  "SELECT filter(1), key2(2)",
  "frobnicate",
  "\u0000",
  "(((((",
]);

all("work of PostgreSQL that happens once", ["postgres"], "once", [
  "SELECT nextval('s')",
  "SELECT setval('s', 1)",
  "SELECT pg_advisory_lock(1)",
  "SELECT set_config('a.b', 'c', false)",
  "SELECT pg_notify('a', 'b')",
  "SELECT lo_create(0)",
  "SELECT pg_terminate_backend(1)",
  'SELECT "count(" (1)',
  'SELECT "Count"(1)',
  'SELECT "select"(1)',
  "SELECT join(1)",
  "SELECT a, join(1)",
  "NOTIFY a",
  "COPY t FROM STDIN",
  "COPY (SELECT 1) TO STDOUT",
  "DO $$ BEGIN END $$",
  "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
  "FETCH 5 FROM c",
  "VACUUM",
  "END",
  "PREPARE TRANSACTION 'x'",
  "COMMIT PREPARED 'x'",
  "SELECT 'a\\'; DELETE FROM t; --'",
  "SELECT $$not closed",
  'SELECT U&"d\\0061ta"(1)',
  "DECLARE c CURSOR FOR SELECT 1",
]);

all("work of MySQL that happens once", ["mysql"], "once", [
  "SELECT @a := 1",
  "SELECT 1 INTO @a",
  "SELECT 1 INTO OUTFILE '/tmp/x'",
  "SELECT GET_LOCK('a', 1)",
  "SELECT * FROM t LOCK IN SHARE MODE",
  "REPLACE INTO t VALUES (1)",
  "/*! DELETE FROM t */",
  "/*!50000 SELECT 1 */",
  "SELECT 1 /*M!100100 , f() */",
  "/*! SELECT 1",
  "SELECT 'a\\'; DELETE FROM t; -- '",
  'SELECT "count"(1)',
  "SELECT `count`.f(1)",
  "SET GLOBAL max_connections = 5",
  "SET @@global.x = 1",
  "SET PERSIST x = 1",
  "SET PASSWORD = 'x'",
  "SET autocommit = 1",
  "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t",
  "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
  "SET @a = f()",
  "HANDLER t READ FIRST",
  "LOAD DATA INFILE 'x' INTO TABLE t",
  "LOCK TABLES t READ",
  "XA START 'a'",
  "ANALYZE SELECT 1",
  "ANALYZE TABLE t",
  "KILL 5",
  "DO SLEEP(1)",
  "SELECT 1\r; DELETE FROM t",
  "SELECT 1 -- x\rDELETE FROM t",
]);

all("changes to this session only", both, "idempotent", [
  "BEGIN",
  "START TRANSACTION",
  "START TRANSACTION READ ONLY",
  "ROLLBACK",
  "ROLLBACK WORK",
  "SET names 'utf8'",
  "DEALLOCATE PREPARE s",
]);

all("changes to a PostgreSQL session only", ["postgres"], "idempotent", [
  "SET search_path TO a, b",
  "SET TIME ZONE 'UTC'",
  "SET SESSION statement_timeout = '5s'",
  "RESET search_path",
  "RESET ALL",
  "DISCARD ALL",
  "LISTEN a",
  "UNLISTEN *",
  "PREPARE s (int) AS SELECT $1",
  "ABORT",
  "SET a = 1; SELECT 1",
]);

all("changes to a MySQL session only", ["mysql"], "idempotent", [
  "USE db",
  "SET time_zone = '+00:00', sql_mode = ''",
  "SET @a = 1",
  "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
  "SET autocommit = 0",
  "PREPARE s FROM 'SELECT 1'",
]);

test("statement: what the server said about backslashes settles the doubt", () => {
  for (const dialect of both) {
    const sql = "SELECT '\\\\' , 'x'";
    assert.equal(readStatement(sql, dialect).effect, "once");
    assert.equal(readStatement(sql, dialect, { escapesKnown: true }).effect, "read");
  }
  assert.equal(readStatement("SELECT 'it\\'s'", "mysql", { escapesKnown: true }).effect, "read");
});

test("statement: the same text is read once", () => {
  assert.equal(readStatement("SELECT 'cached'", "mysql"), readStatement("SELECT 'cached'", "mysql"));
  const before = readStatement("SELECT 'kept in use'", "mysql");
  for (let n = 0; n < 5_000; n++) {
    readStatement(`SELECT ${n}`, "mysql");
    if (n % 100 === 0) assert.equal(readStatement("SELECT 'kept in use'", "mysql"), before);
  }
});
