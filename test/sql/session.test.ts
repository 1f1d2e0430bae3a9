/** What statements leave in the session: what can be set again, what can't, what takes either away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, isCured, readStatement } from "../../src/sql/index.ts";

interface Expected {
  /** `key = sql` of each item. */
  sets?: string[];
  leaves?: string[];
  cures?: string[];
  transaction?: string;
  dirty?: boolean;
  recalls?: boolean;
  multi?: boolean;
}

function check(dialect: Dialect, sql: string, expected: Expected): void {
  const found = readStatement(sql, dialect);
  const said = {
    sets: found.sets.map((item) => `${item.key} = ${item.sql}`),
    leaves: found.leaves.map(({ key }) => key),
    transaction: found.transaction,
    dirty: found.dirty,
    recalls: found.recalls,
    multi: found.multi,
    ...(expected.cures === undefined ? {} : { cures: found.cures }),
  };
  const dirty = (expected.sets ?? expected.leaves) !== undefined;
  const defaults = { sets: [], leaves: [], transaction: "none", dirty, recalls: false, multi: false };
  assert.deepEqual(said, { ...defaults, ...expected }, sql);
}

const postgres: [string, Expected][] = [
  ["SELECT 1", {}],
  ["set search_path to a , b ;", { sets: ["variable:search_path = set search_path to a , b"] }],
  ["SET SESSION a.b = 'c'", { sets: ["variable:a.b = SET SESSION a.b = 'c'"] }],
  ["SET TIME ZONE 'UTC'", { sets: ["variable:timezone = SET TIME ZONE 'UTC'"] }],
  ["SET timezone = 'UTC'", { sets: ["variable:timezone = SET timezone = 'UTC'"] }],
  ["SET NAMES 'UTF8'", { sets: ["variable:client_encoding = SET NAMES 'UTF8'"] }],
  ["SET ROLE bob", { sets: ["variable:role = SET ROLE bob"] }],
  [
    "SET SESSION AUTHORIZATION bob",
    {
      sets: ["variable:session_authorization = SET SESSION AUTHORIZATION bob"],
      cures: ["variable:role", "variable:session_authorization"],
    },
  ],
  [
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    { sets: ["variable:transaction-characteristics = SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"] },
  ],
  ["SET LOCAL a = 1", {}],
  ["SET TRANSACTION READ ONLY", {}],
  ["SET CONSTRAINTS ALL DEFERRED", {}],
  ["RESET a", { sets: ["variable:a = RESET a"], cures: ["variable:a"] }],
  ["RESET ALL", { sets: ["variable:* = RESET ALL"], cures: ["variable:*"] }],
  ["DISCARD ALL", { sets: ["discard = DISCARD ALL"], cures: ["*"] }],
  ["DISCARD TEMP", { cures: ["temporary:*"], dirty: true }],
  ["LISTEN a", { sets: ["listen:a = LISTEN a"] }],
  ['listen "A b"', { sets: ['listen:A b = listen "A b"'] }],
  ["UNLISTEN a", { cures: ["listen:a"], dirty: true }],
  ["UNLISTEN *", { cures: ["listen:*"], dirty: true }],
  ["PREPARE s (int) AS SELECT $1", { sets: ["prepare:s = PREPARE s (int) AS SELECT $1"] }],
  ["DEALLOCATE s", { cures: ["prepare:s"], dirty: true }],
  ["DEALLOCATE ALL", { cures: ["prepare:*"], dirty: true }],
  ["DEALLOCATE PREPARE ALL", { cures: ["prepare:*"], dirty: true }],
  ["CREATE TEMP TABLE a (b int)", { leaves: ["temporary:a"] }],
  ['create local temporary table if not exists "A" as select 1', { leaves: ["temporary:A"] }],
  ["CREATE TABLE pg_temp.a (b int)", { leaves: ["temporary:a"] }],
  ["CREATE TEMP TABLE a (b int) ON COMMIT DROP", {}],
  ["CREATE OR REPLACE TEMP VIEW v AS SELECT 1", { leaves: ["temporary:v"] }],
  ["CREATE TABLE temp (a int)", {}],
  ["DROP TABLE IF EXISTS a, x.b", { cures: ["temporary:a", "temporary:b"] }],
  ["SELECT 1 INTO TEMP a", { leaves: ["temporary:a"] }],
  ["SELECT pg_advisory_lock(1, 2)", { leaves: ["advisory-lock:1,2"] }],
  ["SELECT pg_try_advisory_lock($1)", { leaves: ["advisory-lock:?"] }],
  ["SELECT pg_advisory_unlock(1, 2)", { cures: ["advisory-lock:1,2"] }],
  ["SELECT pg_advisory_unlock_all()", { cures: ["advisory-lock:*"] }],
  ["SELECT pg_advisory_xact_lock(1)", {}],
  ["SELECT set_config('A.b', 'c', false)", { sets: ["variable:a.b = SELECT set_config('A.b', 'c', false)"] }],
  ["SELECT set_config('a.b', 'c', true)", {}],
  ["SELECT set_config('a.b', $1, true)", {}],
  ["SELECT set_config('a.b', $1, false)", { leaves: ["variable:a.b"] }],
  ["SELECT set_config($1, $2, $3)", { leaves: ["variable:?"] }],
  ["SELECT set_config('a', f(b), false)", { leaves: ["variable:a"] }],
  ["DECLARE c CURSOR WITH HOLD FOR SELECT 1", { leaves: ["cursor:c"] }],
  ["DECLARE c CURSOR FOR SELECT 1", {}],
  ["CLOSE c", { cures: ["cursor:c"] }],
  ["CLOSE ALL", { cures: ["cursor:*"] }],
  ["LOAD 'auto_explain'", { sets: ["load:'auto_explain' = LOAD 'auto_explain'"] }],
  ["DO $$ begin end $$", { dirty: true }],
  ["SELECT lastval()", { recalls: true }],
  ["SELECT currval('s')", { recalls: true }],
  ["BEGIN ISOLATION LEVEL SERIALIZABLE", { transaction: "begin" }],
  ["END", { transaction: "commit" }],
  ["PREPARE TRANSACTION 'a'", { transaction: "commit" }],
  ["COMMIT PREPARED 'a'", {}],
  ["ROLLBACK PREPARED 'a'", {}],
  ["ABORT", { transaction: "rollback" }],
  ["ROLLBACK TO a", { transaction: "savepoint" }],
  ["BEGIN; SET a = 1; COMMIT", { transaction: "commit", multi: true, sets: ["variable:a = SET a = 1"] }],
  [
    "SET a = 1; SET b = 2; RESET ALL; SET c = 3",
    { multi: true, sets: ["variable:* = RESET ALL", "variable:c = SET c = 3"] },
  ],
  ["CREATE TEMP TABLE a (b int); DROP TABLE a", { multi: true, dirty: true }],
  ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", {}],
  ["SELECT 'SET a = 1; LISTEN b'", {}],
];

const mysql: [string, Expected][] = [
  ["USE `a b`", { sets: ["database = USE `a b`"] }],
  ["SET time_zone = '+00:00'", { sets: ["variable:time_zone = SET time_zone = '+00:00'"] }],
  ["SET @@session.sql_mode := ''", { sets: ["variable:sql_mode = SET @@session.sql_mode := ''"] }],
  ["SET SESSION a = 1, b = ON", { sets: ["variable:a = SET SESSION a = 1", "variable:b = SET b = ON"] }],
  ["SET a = -1, GLOBAL b = 2, c = 3", { sets: ["variable:a = SET a = -1"] }],
  ["SET @x = 1", { leaves: ["user-variables"] }],
  ["SET @x = 1, a = 2", { leaves: ["user-variables"], sets: ["variable:a = SET a = 2"] }],
  [
    "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
    { leaves: ["variable:sql_mode"], cures: ["variable:sql_mode"] },
  ],
  [
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
    { sets: ["variable:names = SET NAMES utf8mb4 COLLATE utf8mb4_bin"] },
  ],
  ["SET CHARACTER SET utf8", { sets: ["variable:names = SET CHARACTER SET utf8"] }],
  ["SET autocommit = 0", { sets: ["variable:autocommit = SET autocommit = 0"] }],
  ["SET autocommit = ON", { sets: ["variable:autocommit = SET autocommit = ON"], transaction: "commit" }],
  ["SET TRANSACTION READ ONLY", { leaves: ["next-transaction"] }],
  [
    "SET SESSION TRANSACTION READ ONLY",
    { sets: ["variable:transaction_isolation = SET SESSION TRANSACTION READ ONLY"] },
  ],
  ["SET GLOBAL a = 1", {}],
  ["/*!40101 SET sql_mode = '' */;", { sets: ["variable:sql_mode = /*!40101 SET sql_mode = '' */"] }],
  ["SELECT @a := 1", { leaves: ["user-variables"] }],
  ["SELECT 1 INTO @a", { leaves: ["user-variables"] }],
  ["CREATE TEMPORARY TABLE IF NOT EXISTS db.T (a int)", { leaves: ["temporary:t"] }],
  ["DROP TEMPORARY TABLE t", { cures: ["temporary:t"] }],
  ["DROP TABLE IF EXISTS t, u", { cures: ["temporary:t", "temporary:u"], transaction: "commit" }],
  ["LOCK TABLES t WRITE", { leaves: ["table-locks"], transaction: "commit" }],
  ["UNLOCK TABLES", { cures: ["table-locks"], dirty: true }],
  ["FLUSH TABLES WITH READ LOCK", { leaves: ["table-locks"], transaction: "commit" }],
  ["SELECT GET_LOCK('a', 10)", { leaves: ["user-lock:'a'"] }],
  ["DO GET_LOCK(?, 10)", { leaves: ["user-lock:?"] }],
  ["SELECT RELEASE_LOCK('a')", { cures: ["user-lock:'a'"] }],
  ["SELECT RELEASE_ALL_LOCKS()", { cures: ["user-lock:*"] }],
  ["HANDLER t OPEN AS h", { leaves: ["handler:h"] }],
  ["HANDLER h CLOSE", { cures: ["handler:h"] }],
  ["PREPARE s FROM 'SELECT 1'", { sets: ["prepare:s = PREPARE s FROM 'SELECT 1'"] }],
  ["PREPARE s FROM @a", { leaves: ["prepare:s"] }],
  ["DROP PREPARE s", { cures: ["prepare:s"], dirty: true }],
  ["CREATE TABLE t (a int)", { transaction: "commit" }],
  ["TRUNCATE t", { transaction: "commit" }],
  ["XA PREPARE 'a'", { transaction: "commit" }],
  ["SELECT LAST_INSERT_ID()", { recalls: true }],
  ["SHOW WARNINGS", { recalls: true }],
  ["BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", { dirty: true }],
  ["CREATE PROCEDURE p() BEGIN SET @a = 1; SELECT 2; END", { transaction: "commit" }],
  ["CALL p()", { dirty: true }],
  ["SELECT 1 # SET @x = 1", {}],
];

test("statement: what a PostgreSQL statement leaves", () => {
  for (const [sql, expected] of postgres) check("postgres", sql, expected);
});

test("statement: what a MySQL statement leaves", () => {
  for (const [sql, expected] of mysql) check("mysql", sql, expected);
});

test("statement: what a transaction takes back is marked", () => {
  const set = readStatement("SET a = 1", "postgres").sets[0];
  const prepared = readStatement("PREPARE s AS SELECT 1", "postgres").sets[0];
  const lock = readStatement("SELECT pg_advisory_lock(1)", "postgres").leaves[0];
  const table = readStatement("CREATE TEMP TABLE t (a int)", "postgres").leaves[0];
  assert.deepEqual([set?.transactional, prepared?.transactional], [true, false]);
  assert.deepEqual(
    [lock?.transactional, lock?.counted, table?.transactional, table?.counted],
    [false, true, true, false],
  );
});

test("statement: a cure names one key or all that begin alike", () => {
  assert.equal(isCured(["listen:a"], "listen:a"), true);
  assert.equal(isCured(["listen:a"], "listen:ab"), false);
  assert.equal(isCured(["listen:*"], "listen:ab"), true);
  assert.equal(isCured(["*"], "temporary:t"), true);
  assert.equal(isCured([], "temporary:t"), false);
});
