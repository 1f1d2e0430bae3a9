import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldfastError } from "../../../src/call/index.ts";
import { runBatch } from "../../../src/cli/shell/batch.ts";
import { readCommand } from "../../../src/cli/shell/commands.ts";
import type { Database, StatementResult } from "../../../src/cli/shell/database.ts";
import { Executor } from "../../../src/cli/shell/executor.ts";
import { virtualWorld } from "../../../src/time/index.ts";

/** A database of this test's own, whose connection is lost and found on command. */
class Scripted implements Database {
  readonly dialect = "mysql";
  readonly product = "MariaDB";
  readonly version = "11";
  connectionId = 7;
  readonly current = "test_project";
  readonly gone = "ERROR 2006 (HY000): MySQL server has gone away";
  readonly lostDuring = "ERROR 2013 (HY000): Lost connection to server during query";
  readonly listTables = "SHOW TABLES";
  readonly ran: string[] = [];
  phase = "ready";
  interrupted = 0;
  answer: (signal: AbortSignal) => Promise<readonly StatementResult[]> = async () => [done];
  readonly #listeners = new Map<string, Set<() => void>>();

  readonly resilience = {
    on: (name: string, listener: () => void) => {
      const all = this.#listeners.get(name) ?? new Set();
      this.#listeners.set(name, all.add(listener));
      return () => all.delete(listener);
    },
    snapshot: () => ({ phase: this.phase }),
  } as unknown as Database["resilience"];

  lose(): void {
    this.phase = "dormant";
    for (const listener of this.#listeners.get("disconnected") ?? []) listener();
  }

  find(): void {
    this.phase = "ready";
    this.connectionId++;
    for (const listener of this.#listeners.get("reconnected") ?? []) listener();
  }

  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, all) => sum + all.size, 0);
  }

  use = (name: string): string => `USE \`${name}\``;
  connect = async (): Promise<void> => {};
  close = async (): Promise<void> => {};
  errorText = (error: unknown): string => `ERROR ${(error as Error).message}`;

  run(statement: string, signal: AbortSignal): Promise<readonly StatementResult[]> {
    this.ran.push(statement);
    return this.answer(signal);
  }

  async interrupt(): Promise<void> {
    this.interrupted++;
  }
}

const done = { kind: "done", affected: 1, warnings: 0, info: "" } as const;

function rig(format: "grid" | "tabs" = "grid") {
  const database = new Scripted();
  let text = "";
  const write = (more: string): void => {
    text += more;
  };
  const sink = { write };
  const { clock } = virtualWorld(1);
  const executor = new Executor({ database, clock, output: sink, errors: sink, format });
  return { database, executor, text: () => text };
}

test("M8–M12 in the engine of the shell: a connection found dead is told at the next statement, and its result follows", async () => {
  const { database, executor, text } = rig();
  database.lose();
  assert.equal(text(), "", "nothing is printed into a line being typed");
  database.answer = async () => {
    database.find();
    return [done];
  };
  assert.equal(await executor.run("INSERT INTO t VALUES (1)"), true);
  assert.equal(
    text(),
    `ERROR 2006 (HY000): MySQL server has gone away
No connection. Trying to reconnect...
Connection id:    8
Current database: test_project

Query OK, 1 row affected (0.00 sec)

`,
  );
  executor.end();
  assert.equal(database.listening, 0);
});

test("a loss that was healed before the next statement is told all the same: the session is another one", async () => {
  const { database, executor, text } = rig();
  database.lose();
  database.find();
  await executor.run("SELECT 1");
  assert.match(
    text(),
    /^ERROR 2006.*\nNo connection.*\nConnection id: {4}8\nCurrent database: test_project\n\nQuery OK/,
  );
  executor.end();
});

test("a connection that comes back between two statements is told with the second", async () => {
  const { database, executor, text } = rig();
  database.lose();
  database.answer = async () => {
    throw new HoldfastError("HF_UNRECOVERABLE", "with it an open transaction", { outcome: "not-applied" });
  };
  await executor.run("COMMIT");
  const before = text();
  assert.doesNotMatch(before, /Connection id/);
  database.find();
  assert.equal(text(), before, "nothing is printed into a line being typed");
  database.answer = async () => [done];
  await executor.run("SELECT 1");
  assert.match(
    text().slice(before.length),
    /^Connection id: {4}8\nCurrent database: test_project\n\nQuery OK/,
  );
  executor.end();
});

test("a statement whose answer was lost is told as such, and not sent again", async () => {
  const { database, executor, text } = rig();
  database.answer = async () => {
    database.lose();
    throw new HoldfastError("HF_LOST", "the connection was lost", { outcome: "maybe-applied" });
  };
  assert.equal(await executor.run("COMMIT"), false);
  assert.deepEqual(database.ran, ["COMMIT"]);
  assert.match(text(), /^ERROR 2013 .*\nNo connection/);
  assert.match(text(), /it may have been applied\. It was not sent again\./);
  executor.end();
});

test("Ctrl-C withdraws a waiting statement, and asks the server to stop a running one", async () => {
  const { database, executor, text } = rig();
  database.answer = (signal) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  database.lose();
  const waiting = executor.run("SELECT 1");
  executor.stop();
  assert.equal(await waiting, false);
  assert.match(text(), /Stopped waiting\. The statement was not sent\./);
  database.find();
  let end = (): void => {};
  database.answer = () => new Promise((resolve) => (end = () => resolve([done])));
  const running = executor.run("SELECT SLEEP(100)");
  executor.stop();
  assert.equal(database.interrupted, 1);
  end();
  assert.equal(await running, true);
  executor.end();
});

test("a batch stops at the first failure; with force it goes on and still says so", async () => {
  for (const force of [false, true]) {
    const { database, executor } = rig("tabs");
    let count = 0;
    database.answer = async () => {
      if (++count === 2) throw new Error("1064");
      return [done];
    };
    const status = await runBatch(["A; B;", "C;", "D"], executor, { force, dialect: "mysql" });
    assert.equal(status, 1);
    assert.deepEqual(database.ran, force ? ["A", "B", "C", "D"] : ["A", "B"]);
    executor.end();
  }
});

test("commands of the prompt", () => {
  const database = new Scripted();
  const read = (line: string, fresh = true) => readCommand(line, fresh, database);
  for (const line of ["\\q", "quit", "exit;", " QUIT "]) assert.equal(read(line)?.kind, "quit", line);
  for (const line of ["\\h", "help", "\\?", "help;"]) assert.equal(read(line)?.kind, "help", line);
  assert.deepEqual(read("use shop;"), { kind: "statement", text: "USE `shop`" });
  assert.deepEqual(read("\\u shop"), { kind: "statement", text: "USE `shop`" });
  assert.deepEqual(read("\\d"), { kind: "statement", text: "SHOW TABLES" });
  assert.equal(read("\\c", false)?.kind, "clear");
  assert.equal(read("\\x")?.kind, "unknown");
  assert.equal(read("\\u")?.kind, "unknown");
  for (const line of ["SELECT 1;", "help me from t", "\\g", "\\G", ""])
    assert.equal(read(line), undefined, line);
  assert.equal(read("quit", false), undefined, "inside a statement it is SQL");
});
