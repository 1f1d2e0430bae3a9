/** What one session holds at the server, against a model of a server that keeps and loses it as PostgreSQL does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Holdings } from "../../src/sql/holdings.ts";
import { readStatement, type Statement } from "../../src/sql/index.ts";
import { type Random, seededRandom } from "../../src/time/index.ts";

const connection = { name: "one" };
type Connection = typeof connection;

const keysOf = (holdings: Holdings<Connection>): string[] =>
  [...(holdings.current?.held.keys() ?? [])].sort();
const postgres = (sql: string): Statement => readStatement(sql, "postgres");
const mysql = (sql: string): Statement => readStatement(sql, "mysql");

/** Statement by statement: `!` before a text makes it fail on a connection that lives on. */
function told(read: (sql: string) => Statement, ...texts: readonly string[]): string[] {
  const holdings = new Holdings<Connection>();
  texts.forEach((given, order) => {
    const fails = given.startsWith("!");
    const statement = read(fails ? given.slice(1) : given);
    const holding = holdings.bind(statement, order);
    holding?.use(connection);
    if (fails) holdings.failed(holding, statement, order, true);
    else holdings.done(holding, statement, order);
  });
  return keysOf(holdings);
}

test("holdings: a statement that failed takes nothing away from those before it", () => {
  assert.deepEqual(told(mysql, "SET @a = 1", "!SET @b = nothing()"), ["user-variables"]);
  const create = "CREATE TEMPORARY TABLE t (id INT)";
  assert.deepEqual(told(mysql, create, `!${create}`), ["temporary:t"]);
  assert.deepEqual(told(mysql, create, `!${create}`, "DROP TABLE t"), []);
  assert.deepEqual(told(mysql, `!${create}`), []);
  assert.deepEqual(told(mysql, "SELECT GET_LOCK('a', 9)", "!SELECT GET_LOCK('a', 9)"), ["user-lock:'a'"]);
  assert.deepEqual(told(mysql, "BEGIN", "!BEGIN"), ["transaction"]);
});

test("holdings: what may have been done before a statement failed counts as there", () => {
  assert.deepEqual(told(postgres, "!SELECT pg_advisory_lock(1), 1/0"), ["advisory-lock:1"]);
  assert.deepEqual(told(mysql, "!SELECT @n := @n + 1 FROM big"), ["user-variables"]);
  assert.deepEqual(told(mysql, "!CREATE TEMPORARY TABLE t (id INT); nonsense"), ["temporary:t"]);
  assert.deepEqual(told(mysql, "!LOCK TABLES t WRITE"), []);
});

test("holdings: a rollback undoes what its own transaction made or ended, and nothing older", () => {
  const create = "CREATE TEMP TABLE t (n int)";
  assert.deepEqual(told(postgres, create, "BEGIN", "ROLLBACK"), ["temporary:t"]);
  assert.deepEqual(told(postgres, "BEGIN", create, "ROLLBACK"), []);
  assert.deepEqual(told(postgres, "BEGIN", create, "COMMIT", "BEGIN", "ROLLBACK"), ["temporary:t"]);
  assert.deepEqual(told(postgres, create, "BEGIN", "DROP TABLE t", "ROLLBACK"), ["temporary:t"]);
  assert.deepEqual(told(postgres, create, "BEGIN", "DROP TABLE t", "COMMIT"), []);
  assert.deepEqual(told(postgres, create, "BEGIN", "DROP TABLE t", create, "COMMIT"), ["temporary:t"]);
  // MySQL's temporary tables are not part of a transaction.
  assert.deepEqual(told(mysql, "BEGIN", "CREATE TEMPORARY TABLE t (id INT)", "ROLLBACK"), ["temporary:t"]);
});

test("holdings: a loss is told once, with everything that was held, and only on another connection", () => {
  const holdings = new Holdings<Connection>();
  const begin = postgres("BEGIN");
  const holding = holdings.bind(begin, 0);
  assert.equal(holdings.takeLost(undefined), undefined, "nothing was sent yet, so nothing can be lost");
  holding?.use(connection);
  holdings.done(holding, begin, 0);
  const lock = postgres("SELECT pg_advisory_lock(7)");
  holdings.done(holdings.bind(lock, 1), lock, 1);
  assert.equal(holdings.takeLost(connection), undefined);
  assert.throws(() => holding?.use({ name: "two" }), { code: "HF_UNRECOVERABLE", outcome: "not-applied" });
  const lost = holdings.takeLost({ name: "two" });
  assert.equal(lost?.code, "HF_UNRECOVERABLE");
  assert.match(lost?.message ?? "", /an open transaction, advisory lock 7$/);
  assert.deepEqual(lost?.details, { lost: ["transaction", "advisory-lock:7"] });
  assert.equal(holdings.takeLost({ name: "two" }), undefined);
});

test("holdings: the server's word ends a transaction, but not one that was begun after that reply", () => {
  const holdings = new Holdings<Connection>();
  holdings.heard(connection, true, 0);
  assert.deepEqual(keysOf(holdings), ["transaction"]);
  const begin = mysql("BEGIN");
  holdings.bind(begin, 2);
  holdings.heard(connection, false, 1);
  assert.deepEqual(keysOf(holdings), ["transaction"]);
  holdings.heard(connection, false, 2);
  assert.deepEqual(keysOf(holdings), []);
});

/** A server that holds temporary tables (transactional), advisory locks (counted, never rolled back) and a transaction. */
class Server {
  open = false;
  tables = new Set<string>();
  locks = new Map<string, number>();
  #before = new Set<string>();

  run(sql: string, fails: boolean): void {
    const [, what = "", name = ""] = /^(\w+(?: TEMP| pg_\w+)?)(?: TABLE |\()?(\w+)?/.exec(
      sql,
    ) as RegExpExecArray;
    if (what === "SELECT pg_advisory_lock") this.locks.set(name, (this.locks.get(name) ?? 0) + 1);
    if (fails) return; // a lock that was taken before the error stays
    if (what === "BEGIN" && !this.open) this.#before = new Set(this.tables);
    if (what === "BEGIN") this.open = true;
    if (what === "ROLLBACK" && this.open) this.tables = this.#before;
    if (what === "COMMIT" || what === "ROLLBACK") this.open = false;
    if (what === "CREATE TEMP") this.tables.add(name);
    if (what === "DROP") this.tables.delete(name);
    if (what === "SELECT pg_advisory_unlock")
      this.locks.set(name, Math.max(0, (this.locks.get(name) ?? 0) - 1));
  }

  get held(): string[] {
    const locks = [...this.locks].filter(([, count]) => count > 0).map(([name]) => `advisory-lock:${name}`);
    const tables = [...this.tables].map((name) => `temporary:${name}`);
    return [...locks, ...tables, ...(this.open ? ["transaction"] : [])].sort();
  }
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)] as T;
}

test("holdings: random statements, sent several at once, some of them failing: exactly what the server holds", () => {
  for (let seed = 1; seed <= 1_500; seed++) {
    const random = seededRandom(seed);
    const holdings = new Holdings<Connection>();
    const server = new Server();
    const flying: {
      sql: string;
      statement: Statement;
      holding: ReturnType<Holdings<Connection>["bind"]>;
      order: number;
    }[] = [];
    const story: string[] = [];
    const answer = (): void => {
      const { sql, statement, holding, order } = flying.shift() as (typeof flying)[number];
      // What would fail at the server does; some other statements fail too, for reasons of their own.
      const exists = sql.startsWith("CREATE") && server.tables.has(/TABLE (\w+)/.exec(sql)?.[1] ?? "");
      const absent = sql.startsWith("DROP") && !server.tables.has(/TABLE (\w+)/.exec(sql)?.[1] ?? "");
      const fails = exists || absent || (!/^(COMMIT|ROLLBACK|BEGIN)/.test(sql) && random.next() < 0.1);
      story.push(`${fails ? "!" : ""}${sql}`);
      server.run(sql, fails);
      if (fails) holdings.failed(holding, statement, order, true);
      else holdings.done(holding, statement, order);
      holdings.heard(connection, server.open, order);
    };
    for (let order = 0; order <= 25; order++) {
      const name = pick(random, ["a", "b"]);
      const lock = pick(random, ["1", "2"]);
      const ends = ["COMMIT", "ROLLBACK"];
      const any = [
        ...["BEGIN", `CREATE TEMP TABLE ${name} (n int)`, `DROP TABLE ${name}`],
        ...[`SELECT pg_advisory_lock(${lock})`, `SELECT pg_advisory_unlock(${lock})`],
      ];
      const sql = pick(random, order === 25 ? ends : [...any, ...ends]);
      const statement = postgres(sql);
      const holding = holdings.bind(statement, order);
      holding?.use(connection);
      flying.push({ sql, statement, holding, order });
      while (flying.length > 0 && random.next() < 0.6) {
        answer();
        const told = new Set(keysOf(holdings));
        assert.ok(
          server.held.every((key) => told.has(key)),
          `seed ${seed}: ${story.join("; ")}`,
        );
      }
    }
    while (flying.length > 0) answer();
    // With no transaction open nothing is in doubt.
    assert.deepEqual(keysOf(holdings), server.held, `seed ${seed}: ${story.join("; ")}`);
  }
});
