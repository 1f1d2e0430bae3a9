/** `holdfast shell` against real servers that are killed and started again under it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { RunningServer } from "../../../src/lab/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { main, withTerminal } from "./terminal.ts";

const prompt = /MariaDB \[test_project\]> $/;

/** A MariaDB with the database of the source document. */
async function mariadb(t: TestContext): Promise<{ server: RunningServer; url: string } | undefined> {
  const server = await withServer(t, "mariadb");
  if (server === undefined) return undefined;
  await server.sql.query(
    "CREATE DATABASE test_project",
    "GRANT ALL ON test_project.* TO holdfast@'%'",
    "CREATE TABLE test_project.t (id INT PRIMARY KEY, name VARCHAR(20))",
    "INSERT INTO test_project.t VALUES (1, 'kept')",
  );
  const url = new URL(server.url);
  url.pathname = "/test_project";
  return { server, url: url.href };
}

/** The dialogue without what differs from run to run: the connection's number and the time a statement took. */
function blurred(text: string): string[] {
  const lines = text
    .replace(/id: +\d+/, "id:    N")
    .replace(/\(\d+\.\d\d sec\)/, "(T sec)")
    .split("\n");
  return lines.map((line) => line.trimEnd());
}

test("M8–M13: the dialogue of the source document, its statement's result included", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const terminal = withTerminal(t, database.url);
  if (terminal === undefined) return;
  await terminal.reads(prompt);
  await database.server.kill9();
  await database.server.restart();
  terminal.line("SELECT id, name FROM t;");
  const shown = blurred(await terminal.reads(prompt));
  const golden = blurred(
    readFileSync(join(process.cwd(), "test/sources/golden/mariadb-cli.txt"), "utf8").trimEnd(),
  );
  // every line of the document, in its order; between the fourth and the fifth stands the result itself
  let from = 0;
  for (const line of golden) {
    const at = shown.indexOf(line, from);
    assert.ok(at >= 0, `"${line}" in:\n${shown.join("\n")}`);
    from = at + 1;
  }
  assert.ok(shown.includes("|  1 | kept |"), shown.join("\n"));
  terminal.line("\\q");
  await terminal.reads(/Bye/);
  assert.equal(await terminal.ended(), 0);
});

test("an idle connection killed over TCP: the first statement is not lost (the mysql command line loses it)", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const terminal = withTerminal(t, database.url);
  if (terminal === undefined) return;
  await terminal.reads(prompt);
  assert.equal(await database.server.sql.killAll(), 1);
  terminal.line("INSERT INTO t VALUES (2, 'first');");
  await terminal.reads(/Query OK, 1 row affected/);
  assert.deepEqual(await database.server.sql.query("SELECT name FROM test_project.t WHERE id = 2"), [
    { name: "first" },
  ]);
});

test("COMMIT after the loss of its transaction is not sent, and what was lost is said (the mysql command line prints Query OK)", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const terminal = withTerminal(t, database.url);
  if (terminal === undefined) return;
  await terminal.reads(prompt);
  terminal.line("BEGIN;");
  await terminal.reads(prompt);
  terminal.line("INSERT INTO t VALUES (3, 'lost');");
  await terminal.reads(prompt);
  await database.server.kill9();
  await database.server.restart();
  terminal.line("COMMIT;");
  const shown = await terminal.reads(prompt);
  assert.match(shown, /transaction/i);
  assert.match(shown, /not applied/);
  assert.doesNotMatch(shown, /Query OK/);
  // told once; then the session is a new one, and works
  terminal.line("SELECT COUNT(*) AS n FROM t;");
  assert.match(await terminal.reads(prompt), /\| 1 \|/);
});

test("a statement over several lines, an error, NULL, \\G, and another database", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const terminal = withTerminal(t, database.url);
  if (terminal === undefined) return;
  await terminal.reads(prompt);
  terminal.line("SELECT id,");
  await terminal.reads(/ {4}-> $/);
  terminal.line("  NULL AS nothing FROM t;");
  assert.match(await terminal.reads(prompt), /\| id \| nothing \|\n\+-+\+-+\+\n\| {2}1 \| NULL +\|/);
  terminal.line("SELECT * FROM missing;");
  assert.match(
    await terminal.reads(prompt),
    /ERROR 1146 \(42S02\): Table 'test_project\.missing' doesn't exist/,
  );
  terminal.line("SELECT * FROM t\\G");
  assert.match(await terminal.reads(prompt), /\* 1\. row \*+\n +id: 1\nname: kept\n1 row in set/);
  terminal.line("use test;");
  await terminal.reads(/MariaDB \[test\]> $/);
  await database.server.kill9();
  await database.server.restart();
  terminal.line("SELECT DATABASE();");
  assert.match(await terminal.reads(/MariaDB \[test\]> $/), /Current database: test\n[\s\S]*\| test +\|/);
});

test("Ctrl-C stops waiting for a server that is gone; the statement is never sent", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const terminal = withTerminal(t, database.url);
  if (terminal === undefined) return;
  await terminal.reads(prompt);
  await database.server.kill9();
  terminal.line("INSERT INTO t VALUES (4, 'withdrawn');");
  await terminal.reads(/\(Ctrl-C stops\) waiting .* before attempt/);
  terminal.interrupt();
  await terminal.reads(/Stopped waiting\. The statement was not sent\./);
  await terminal.reads(prompt);
  await database.server.start();
  terminal.line("SELECT COUNT(*) AS n FROM t;");
  assert.match(await terminal.reads(prompt), /\| 1 \|/);
});

test("Ctrl-C stops a statement that runs, at the server", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const terminal = withTerminal(t, database.url);
  if (terminal === undefined) return;
  await terminal.reads(prompt);
  terminal.line("SELECT SLEEP(1000);");
  const running = async (): Promise<boolean> =>
    (await database.server.sql.sessions()).some(({ doing }) => doing?.includes("SLEEP") === true);
  await until("the statement runs", 10_000, running);
  terminal.interrupt();
  await terminal.reads(prompt);
  assert.equal(await running(), false);
});

test("a batch goes on through a restart (the mysql command line gives up)", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const child = spawn(process.execPath, [main, "shell", database.url], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
  child.stderr.setEncoding("utf8").on("data", (more: string) => (errors += more));
  child.stdin.write("SELECT name FROM t WHERE id = 1;\n");
  await until("the first result", 10_000, () => text.includes("kept"));
  await database.server.kill9();
  await database.server.restart();
  child.stdin.end("INSERT INTO t VALUES (5, 'after');\nSELECT name FROM t WHERE id = 5;\n");
  const [status] = await once(child, "close");
  assert.deepEqual([status, text], [0, "name\nkept\nname\nafter\n"], errors);
  assert.match(errors, /No connection\. Trying to reconnect\.\.\./);
});

test("a wrong password and a server that is not there are told at once, with status 1 and no password", async (t) => {
  const database = await mariadb(t);
  if (database === undefined) return;
  const run = async (url: URL): Promise<{ status: number; errors: string }> => {
    const child = spawn(process.execPath, [main, "shell", url.href, "-e", "SELECT 1"], { stdio: "pipe" });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (more: string) => (errors += more));
    const [status] = await once(child, "close");
    return { status, errors };
  };
  const wrong = new URL(database.url);
  wrong.password = "opensesame";
  const refused = await run(wrong);
  assert.equal(refused.status, 1, refused.errors);
  assert.match(refused.errors, /Access denied|refused the credentials/);
  assert.ok(!refused.errors.includes("opensesame"));
  await database.server.stop();
  const absent = await run(new URL(database.url));
  assert.equal(absent.status, 1, absent.errors);
  assert.match(absent.errors, /ECONNREFUSED|connection refused/);
});
test("PostgreSQL: the same dialogue in its own words; COMMIT after the loss is not sent", async (t) => {
  const server = await withServer(t, "postgres");
  if (server === undefined) return;
  const terminal = withTerminal(t, server.url);
  if (terminal === undefined) return;
  const ready = /PostgreSQL \[test\]> $/;
  await terminal.reads(ready);
  terminal.line("CREATE TABLE t (id INT PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'kept');");
  await terminal.reads(/Query OK, 1 row affected/);
  await terminal.reads(ready);
  await server.kill9();
  await server.restart();
  terminal.line("SELECT id, name FROM t;");
  const shown = await terminal.reads(ready);
  assert.match(
    shown,
    /server closed the connection unexpectedly\nNo connection\. Trying to reconnect\.\.\.\nConnection id: {4}\d+\nCurrent database: test\n\n/,
  );
  assert.match(shown, /\| {2}1 \| kept \|[\s\S]*1 row in set/);
  terminal.line("BEGIN;");
  await terminal.reads(ready);
  terminal.line("INSERT INTO t VALUES (2, 'lost');");
  await terminal.reads(ready);
  await server.kill9();
  await server.restart();
  terminal.line("COMMIT;");
  const commit = await terminal.reads(ready);
  assert.match(commit, /transaction/i);
  assert.doesNotMatch(commit, /Query OK/);
  terminal.line("SELECT nothing FROM t;");
  assert.match(await terminal.reads(ready), /ERROR: {2}column "nothing" does not exist \(42703\)/);
});
