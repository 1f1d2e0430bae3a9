import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { historyFile, readHistory, writeHistory } from "../../../src/cli/shell/history.ts";
import { resultText } from "../../../src/cli/shell/result-text.ts";
import { cells, harmless } from "../../../src/cli/shell/table.ts";
import { readTarget } from "../../../src/cli/shell/target.ts";

const people = {
  kind: "rows",
  columns: ["id", "name"],
  numeric: [true, false],
  rows: [
    ["1", "日本"],
    ["20", null],
  ],
} as const;

test("rows are drawn as the mysql command line draws them", () => {
  assert.equal(
    resultText(people, "grid", 790),
    `+----+------+
| id | name |
+----+------+
|  1 | 日本 |
| 20 | NULL |
+----+------+
2 rows in set (0.79 sec)

`,
  );
});

test("rows upright and in tabs; what was changed; nothing found", () => {
  assert.match(resultText(people, "upright", 0), /^\*{27} 1\. row \*{27}\n {2}id: 1\nname: 日本\n/);
  assert.equal(resultText(people, "tabs", 0), "id\tname\n1\t日本\n20\tNULL\n");
  assert.equal(resultText({ ...people, rows: [] }, "grid", 0), "Empty set (0.00 sec)\n\n");
  const done = { kind: "done", affected: 1, warnings: 2, info: "" } as const;
  assert.equal(resultText(done, "grid", 4), "Query OK, 1 row affected, 2 warnings (0.00 sec)\n\n");
  assert.equal(resultText(done, "tabs", 4), "");
});

test("a value can't move the cursor; wide characters take two cells", () => {
  assert.equal(harmless("a\u001b[2Jb\u0007\n"), "a\\x1b[2Jb\\x07\\n");
  assert.deepEqual([cells("ab"), cells("日本"), cells("e\u0301")], [2, 4, 1]);
});

test("the history is private, bounded, and keeps no password", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-shell-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "deep", "history");
  const lines = ["SELECT 2;", "CREATE USER a IDENTIFIED BY 'x';", "ALTER ROLE a PASSWORD 'x';", "SELECT 1;"];
  assert.equal(writeHistory(file, lines), undefined);
  assert.equal(readFileSync(file, "utf8"), "SELECT 1;\nSELECT 2;\n");
  assert.deepEqual(readHistory(file), ["SELECT 2;", "SELECT 1;"]);
  assert.deepEqual(readHistory(join(folder, "none")), []);
  assert.equal(historyFile({ HOLDFAST_HISTORY: "" }), undefined);
  assert.equal(historyFile({ XDG_STATE_HOME: "/s" }), "/s/holdfast/shell_history");
  assert.match(writeHistory(join(file, "below-a-file"), lines) ?? "", /ENOTDIR|EEXIST/);
});

test("the URL is read before anything is dialled, and its password is never repeated", () => {
  const options = { env: {}, retryInitial: false, connectTimeoutMs: 5_000 };
  const { settings } = readTarget("mariadb://root:p%40ss@127.0.0.1:3307/test", options);
  const { user, password, endpoints, database } = settings;
  assert.deepEqual(
    { user, password, endpoints, database },
    {
      ...{ user: "root", password: "p@ss", database: "test" },
      endpoints: [{ host: "127.0.0.1", port: 3307 }],
    },
  );
  const withEnv = (url: string, env: NodeJS.ProcessEnv) => readTarget(url, { ...options, env }).settings;
  assert.equal(withEnv("mysql://root@db/", { MYSQL_PWD: "x" }).password, "x");
  assert.equal(withEnv("mysql://root@db/", { MYSQL_PWD: "x", HOLDFAST_PASSWORD: "y" }).password, "y");
  assert.equal(withEnv("postgres://me@[::1]/t", { PGPASSWORD: "y" }).endpoints[0]?.host, "::1");
  assert.throws(() => readTarget("mysql://root@db/?charste=utf8", options), /charste/);
  for (const wrong of ["oracle://a:secret@h/b", "root:secret@127.0.0.1", "mysql:"]) {
    assert.throws(
      () => readTarget(wrong, options),
      (error: Error) => /allowed: mariadb:/.test(error.message) && !error.message.includes("secret"),
    );
  }
  assert.throws(
    () => readTarget("mysql://a@h/b", { ...options, connectTimeoutMs: Number("x") }),
    /connect-timeout/,
  );
});
