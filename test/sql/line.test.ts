/** One SQL session over a link in virtual time: what is bound to its connection, what is restored, what is told lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import type { Link } from "../../src/link/index.ts";
import { readStatement, SqlLine } from "../../src/sql/index.ts";
import { type Random, seededRandom } from "../../src/time/index.ts";
import { Fake, type FakeConnection, type FakeOptions } from "../link/support/fake.ts";

interface Session extends FakeConnection {
  inTransaction: boolean | undefined;
  refused: unknown;
}

/** Whoever it is told: a value, or what the failure says. */
async function told(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) =>
    isHoldfastError(error) ? `${error.code} ${error.outcome}` : String((error as Error).message),
  );
}

class Rig {
  readonly fake: Fake;
  readonly line: SqlLine<Session>;
  readonly replayed: string[][] = [];

  constructor(options: FakeOptions = {}) {
    this.fake = new Fake({ ...options, policy: { minDialGapMs: 1, ...options.policy } });
    this.fake.restore = async (_, session) => {
      this.replayed.push(session.items.map(({ value }) => String(value)));
      return { restored: [] };
    };
    this.line = new SqlLine(this.fake.link as unknown as Link<Session>);
  }

  async connected(): Promise<this> {
    const connecting = this.fake.link.connect();
    await this.fake.advance(0);
    await connecting;
    return this;
  }

  /** Passes it; its fate is decided through `fake.last.sent`. */
  pass(sql: string): Promise<unknown> {
    const statement = readStatement(sql, "postgres");
    const call = { bytes: 10, effect: statement.effect, kind: "unary", name: sql } as const;
    const passed = this.line.run(
      statement,
      call,
      (connection) =>
        new Promise((resolve, reject) => {
          connection.sent.push({ id: sql, written: true, resolve, reject });
        }),
    );
    passed.catch(() => {});
    return passed;
  }

  /** Passes it, and the server says yes. */
  async done(sql: string): Promise<unknown> {
    const passed = this.pass(sql);
    await this.fake.advance(0);
    for (const { resolve, id } of this.fake.last.sent.splice(0)) resolve(id);
    await this.fake.advance(0);
    return told(passed);
  }

  async lose(): Promise<void> {
    this.fake.lose();
    await this.fake.advance(1_000);
  }
}

test("line: a session without poison goes on unseen on the next connection, with its items in order", async () => {
  const rig = await new Rig().connected();
  await rig.done("SET a.b = 'c'");
  await rig.done("LISTEN jobs");
  await rig.done("SET a.b = 'd'");
  await rig.lose();
  assert.equal(await rig.done("SELECT 1"), "SELECT 1");
  assert.deepEqual(rig.replayed.at(-1), ["LISTEN jobs", "SET a.b = 'd'"]);
});

test("line: what a lost or rolled back transaction set is not restored, what it did not touch is", async () => {
  for (const end of ["lost", "ROLLBACK"]) {
    const rig = await new Rig().connected();
    await rig.done("SET a.kept = '1'");
    await rig.done("BEGIN");
    await rig.done("SET a.kept = '2'");
    await rig.done("SET a.own = '2'");
    if (end === "ROLLBACK") await rig.done(end);
    await rig.lose();
    await rig.done("ROLLBACK");
    assert.deepEqual(rig.replayed.at(-1), ["SET a.kept = '1'"], end);
  }
});

test("line: poison is told once, nothing is sent by the one that is told, and ROLLBACK passes", async () => {
  const rig = await new Rig().connected();
  await rig.done("BEGIN");
  await rig.done("INSERT INTO t VALUES (1)");
  await rig.lose();
  assert.equal(await told(rig.pass("INSERT INTO t VALUES (2)")), "HF_UNRECOVERABLE not-applied");
  assert.equal(rig.fake.last.sent.length, 0);
  assert.equal(await rig.done("INSERT INTO t VALUES (3)"), "INSERT INTO t VALUES (3)");
  await rig.done("BEGIN");
  await rig.lose();
  assert.equal(await rig.done("ROLLBACK"), "ROLLBACK");
  assert.equal(await rig.done("SELECT 1"), "SELECT 1");
});

test("line: the COMMIT of a transaction that was told lost fails once, however late; one that was begun since passes", async () => {
  const lost = "HF_UNRECOVERABLE not-applied";
  for (const commit of ["COMMIT", "INSERT INTO t VALUES (9); END"]) {
    const rig = await new Rig().connected();
    await rig.done("BEGIN");
    await rig.lose();
    assert.equal(await told(rig.pass("INSERT INTO t VALUES (1)")), lost);
    await rig.done("SELECT 1");
    assert.equal(await told(rig.pass(commit)), lost);
    assert.equal(rig.fake.last.sent.length, 0);
    assert.equal(await rig.done(commit), commit);
  }
  for (const [first, last] of [
    ["BEGIN", "COMMIT"],
    ["ROLLBACK", "COMMIT"],
    ["BEGIN; SELECT 1; COMMIT", "COMMIT"],
  ] as const) {
    const rig = await new Rig().connected();
    await rig.done("BEGIN");
    await rig.lose();
    assert.equal(await told(rig.pass("SELECT 1")), lost);
    await rig.done(first);
    if (!first.includes("COMMIT")) assert.equal(await rig.done(last), last);
  }
});

test("line: calls of a transaction that wait for a connection never reach another one", async () => {
  const rig = await new Rig().connected();
  await rig.done("BEGIN");
  const flying = rig.pass("INSERT INTO t VALUES (1)");
  const behind = [rig.pass("INSERT INTO t VALUES (2)"), rig.pass("COMMIT")];
  await rig.lose();
  await rig.lose();
  assert.equal(await told(flying), "HF_LOST maybe-applied");
  for (const call of behind) assert.match(String(await told(call)), /^HF_/);
  assert.ok(rig.fake.made.length >= 2);
  for (const { sent, epoch } of rig.fake.made.slice(1)) assert.deepEqual(sent, [], `epoch ${epoch}`);
});

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)] as T;
}

test("line: random sessions with losses: no statement of a transaction runs outside it, and nothing is lost untold", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const rig = await new Rig({ seed }).connected();
    /** What the caller was told since BEGIN: it believes to be in a transaction until something fails. */
    let believes = false;
    const story: string[] = [];
    for (let n = 0; n < 20; n++) {
      if (random.next() < 0.25) {
        await rig.lose();
        story.push("lost");
      }
      const before = rig.fake.last;
      const sql = pick(random, [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
        "SET a.b = '1'",
      ]);
      const answer = await rig.done(sql);
      story.push(`${sql} -> ${answer}`);
      const where = `seed ${seed}: ${story.join("; ")}`;
      assert.equal(rig.fake.last, before, where);
      const server = open.get(before) ?? false;
      if (answer === sql) {
        // It succeeded: then the server was in the state that the caller believed in.
        if (believes && sql !== "ROLLBACK") assert.ok(server, where);
        open.set(before, sql === "BEGIN" || (server && sql !== "COMMIT" && sql !== "ROLLBACK"));
        believes = sql === "BEGIN" || (believes && sql !== "COMMIT" && sql !== "ROLLBACK");
      } else {
        assert.equal(answer, "HF_UNRECOVERABLE not-applied", where);
        believes = false;
      }
    }
  }
});

/** Whether the server has a transaction open on a connection. */
const open = new WeakMap<FakeConnection, boolean>();
