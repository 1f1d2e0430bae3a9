/** Fail-over with real replication, the same for both SQL drivers: what a standby's clients must find. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isHoldfastError } from "../../src/call/index.ts";
import type { RunningServer, SqlPair } from "../../src/lab/index.ts";
import type { PoolResilience } from "../../src/observe/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { checkLeaks } from "./leaks.ts";
import { withSqlPair } from "./servers.ts";
import { until } from "./until.ts";

export type Rows = readonly Readonly<Record<string, unknown>>[];
export type Ask = (sql: string) => Promise<Rows>;

export interface StandbyOptions {
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  readonly order: "given";
  readonly target: "any" | "primary";
  readonly failBackMs?: number;
  readonly retryInitial?: boolean;
  readonly backoff: { readonly minMs: number; readonly baseMs: number; readonly capMs: number };
  readonly minDialGapMs: number;
}

export interface StandbyPool {
  readonly ask: Ask;
  /** Lends a connection. */
  borrow(): Promise<{ readonly ask: Ask; release(): void }>;
  transaction(work: (ask: Ask) => Promise<unknown>, options: { readonly retry: number }): Promise<unknown>;
  readonly resilience: PoolResilience;
}

/** What is different in the two drivers. */
export interface StandbyDriver {
  readonly name: "pg" | "mysql2";
  readonly server: "postgres" | "mariadb";
  readonly readOnlyError: object;
  pool(
    where: { readonly user: string; readonly database: string },
    resilience: StandbyOptions,
    size: { readonly max: number; readonly min: number },
  ): StandbyPool;
  client(
    where: { readonly user: string; readonly database: string },
    resilience: StandbyOptions,
  ): Promise<{ readonly ask: Ask; close(): Promise<void> }>;
}

const workers = 8;
const where = { user: "holdfast", database: "test" };

class Rig {
  readonly pair: SqlPair;
  readonly #driver: StandbyDriver;
  readonly #cleanUp: (work: () => unknown) => void;

  constructor(pair: SqlPair, driver: StandbyDriver, cleanUp: (work: () => unknown) => void) {
    this.pair = pair;
    this.#driver = driver;
    this.#cleanUp = cleanUp;
  }

  static async make(t: TestContext, driver: StandbyDriver, synchronous = false): Promise<Rig | undefined> {
    const cleanUp = checkLeaks(t);
    const pair = await withSqlPair(t, driver.server, { synchronous });
    if (pair === undefined) return undefined;
    await pair.primary.sql.query("CREATE TABLE t (id int)");
    if (driver.server === "postgres") await pair.primary.sql.query("GRANT ALL ON t TO PUBLIC");
    await pair.caughtUp();
    return new Rig(pair, driver, cleanUp);
  }

  options(target: "any" | "primary", servers: readonly RunningServer[] = this.pair.servers): StandbyOptions {
    const endpoints = servers.map(({ host, port }) => ({ host, port }));
    const quick = { backoff: { minMs: 20, baseMs: 20, capMs: 50 }, minDialGapMs: 10 };
    return { endpoints, order: "given", target, ...quick };
  }

  pool(resilience: StandbyOptions, size: { max?: number; min?: number } = {}): StandbyPool {
    const pool = this.#driver.pool(where, resilience, { max: workers, min: 0, ...size });
    this.#cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
    return pool;
  }

  async client(resilience: StandbyOptions): Promise<Ask> {
    const { ask, close } = await this.#driver.client(where, { ...resilience, retryInitial: true });
    this.#cleanUp(close);
    return ask;
  }

  /** Ids on a server, with how often each is there. */
  async rows(server: RunningServer = this.pair.primary): Promise<Map<number, number>> {
    const rows = await server.sql.query("SELECT id, COUNT(*) AS n FROM t GROUP BY id");
    return new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
  }

  /** Also one that has said goodbye may be there for a moment. */
  async sessionsAt(server: RunningServer, count: number, deadlineMs = 30_000): Promise<void> {
    const are = async (): Promise<boolean> => (await server.sql.sessions()).length === count;
    await until(`${count} sessions at ${server.name} ${server.port}`, deadlineMs, are);
  }
}

type Told = "done" | "not-applied" | "maybe-applied";

/** Inserts and reads, as fast as they go; each insert's outcome is noted, and no read may fail. */
class Load {
  readonly told: Map<number, Told> = new Map();
  last = 0;
  #running = true;
  readonly #all: Promise<unknown>[] = [];

  start(insert: (id: number) => Promise<unknown>, read: Ask, count: number): void {
    for (let i = 0; i < count; i++) this.#all.push(this.#work(insert, read));
  }

  async #work(insert: (id: number) => Promise<unknown>, read: Ask): Promise<void> {
    while (this.#running) {
      const id = ++this.last;
      const told = await insert(id).then(
        () => "done" as const,
        (error: unknown) => {
          assert.ok(isHoldfastError(error) && error.outcome !== undefined, String(error));
          return error.outcome;
        },
      );
      this.told.set(id, told);
      await read("SELECT 1 AS one");
    }
  }

  /** Every worker has written again since the call began, or nearly so. */
  async goesOn(): Promise<void> {
    const before = this.told.size;
    await until("writes go on", 30_000, () => this.told.size > before + 3 * workers);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#all);
  }

  count(outcome: Told): number {
    return [...this.told.values()].filter((told) => told === outcome).length;
  }

  /** The ledger's four zeros. */
  verify(rows: ReadonlyMap<number, number>): void {
    const ids = Array.from({ length: this.last }, (_, i) => i + 1);
    const count = (wrong: (id: number) => boolean): number => ids.filter(wrong).length;
    assert.deepEqual(
      {
        acknowledgedButAbsent: count((id) => this.told.get(id) === "done" && !rows.has(id)),
        appliedTwice: count((id) => (rows.get(id) ?? 0) > 1),
        toldNotAppliedButApplied: count((id) => this.told.get(id) === "not-applied" && rows.has(id)),
        neverSettled: count((id) => !this.told.has(id)),
      },
      { acknowledgedButAbsent: 0, appliedTwice: 0, toldNotAppliedButApplied: 0, neverSettled: 0 },
    );
  }
}

const insert = (ask: Ask) => (id: number) => ask(`INSERT INTO t VALUES (${id})`);

export function standbyTests(driver: StandbyDriver): void {
  const { name } = driver;

  test(`${name}: kill -9 of the primary and promotion of its standby, twice under inserts: four zeros [mariadb-redis 40] [mariadb-redis 34]`, async (t) => {
    const rig = await Rig.make(t, driver, true);
    if (rig === undefined) return;
    const { pair } = rig;
    const load = new Load();
    const pool = rig.pool(rig.options("primary"));
    load.start(insert(pool.ask), pool.ask, workers);
    const client = await rig.client(rig.options("primary"));
    load.start(insert(client), client, 1);
    const kills = 2;
    for (let kill = 0; kill < kills; kill++) {
      // What was acknowledged while there was no standby is there, once something acknowledged by both came after it.
      await load.goesOn();
      await pair.primary.kill9();
      await pair.promote();
      await load.goesOn();
      // The old primary comes back and only reads: nobody writes there, and nobody stays there.
      await pair.rejoin();
      await load.goesOn();
      await rig.sessionsAt(pair.standby, 0);
    }
    await load.stop();
    assert.equal(pair.primary, pair.servers[0], "it went there and back");
    load.verify(await rig.rows());
    const unknown = load.count("maybe-applied");
    assert.ok(unknown <= (workers + 1) * kills, `${unknown} unknown of ${load.last}`);
    await pair.caughtUp();
    assert.deepEqual(await rig.rows(pair.standby), await rig.rows());
    t.diagnostic(`${load.last} inserts, ${unknown} unknown`);
  });

  test(`${name}: a standby that comes first is passed over; who is left on one writes elsewhere, unseen [mariadb-redis 40]`, async (t) => {
    const rig = await Rig.make(t, driver);
    if (rig === undefined) return;
    const { primary, standby } = rig.pair;
    const servers = [standby, primary];
    const pool = rig.pool(rig.options("primary", servers));
    await Promise.all([1, 2, 3].map(insert(pool.ask)));
    const client = await rig.client(rig.options("primary", servers));
    await insert(client)(4);
    await rig.sessionsAt(standby, 0);
    // Readers are served where they come first. What they write after all is refused there, and done at the primary.
    const reader = rig.pool(rig.options("any", servers));
    await reader.ask("SELECT 1 AS one");
    const reading = await rig.client(rig.options("any", servers));
    await reading("SELECT 1 AS one");
    await rig.sessionsAt(standby, 2);
    await insert(reader.ask)(5);
    await insert(reading)(6);
    const once = new Map([1, 2, 3, 4, 5, 6].map((id) => [id, 1]));
    assert.deepEqual(new Map([...(await rig.rows(primary))].sort(([a], [b]) => a - b)), once);
  });

  test(`${name}: a switch-over under load, without an error: writes and transactions go to the new primary [mariadb-redis 40]`, async (t) => {
    const rig = await Rig.make(t, driver);
    if (rig === undefined) return;
    const { pair } = rig;
    const [first, second] = pair.servers;
    const load = new Load();
    const pool = rig.pool(rig.options("primary"), { max: workers + 3 });
    const inTransaction = (id: number): Promise<unknown> =>
      pool.transaction((ask) => insert(ask)(id), { retry: 3 });
    load.start(insert(pool.ask), pool.ask, workers - 2);
    load.start(inTransaction, pool.ask, 2);
    const client = await rig.client(rig.options("primary"));
    load.start(insert(client), client, 1);
    const held = await pool.borrow();
    await load.goesOn();
    // Its connections stay; it only refuses from now on.
    await first.sql.setReadOnly(true);
    // A PostgreSQL session hears of it a moment after the others: until then its transaction is rolled back here.
    let refusal: unknown;
    await until("a refusal", 10_000, async () => {
      await held.ask("BEGIN");
      refusal = await insert(held.ask)(1_000_000).catch((error: unknown) => error);
      await held.ask("ROLLBACK");
      return refusal instanceof Error;
    });
    await assert.rejects(Promise.reject(refusal), driver.readOnlyError, "a transaction's owner is told");
    await pair.caughtUp();
    await pair.promote();
    await load.goesOn();
    await held.ask("BEGIN");
    await insert(held.ask)(2_000_000);
    await held.ask("COMMIT");
    held.release();
    await load.stop();
    assert.deepEqual([load.count("not-applied"), load.count("maybe-applied")], [0, 0], `of ${load.last}`);
    const rows = await rig.rows(second);
    load.verify(rows);
    assert.deepEqual([rows.get(1_000_000), rows.get(2_000_000)], [undefined, 1]);
    await rig.sessionsAt(first, 0);
  });

  test(`${name}: connections move back to the endpoint that comes first one at a time [mariadb-redis 40]`, async (t) => {
    const rig = await Rig.make(t, driver);
    if (rig === undefined) return;
    const { pair } = rig;
    const [first, second] = pair.servers;
    const size = 6;
    const failBackMs = 300;
    const pool = rig.pool({ ...rig.options("any"), failBackMs }, { max: size, min: size });
    await rig.sessionsAt(first, size);
    const leftAtMs: number[] = [];
    pool.resilience.on("retired", ({ reason }) => {
      if (reason === "leaving") leftAtMs.push(systemClock.nowMs());
    });
    await first.kill9();
    await pair.promote();
    await rig.sessionsAt(second, size);
    await pair.rejoin();
    await rig.sessionsAt(second, 0, 60_000);
    await rig.sessionsAt(first, size);
    assert.equal(leftAtMs.length, size);
    const gaps = leftAtMs.slice(1).map((atMs, i) => atMs - (leftAtMs[i] as number));
    assert.ok(Math.min(...gaps) >= failBackMs / 4, `gaps of ${gaps.map(Math.round)} ms`);
    assert.equal((await pool.ask("SELECT 1 AS one")).length, 1);
  });
}

/** Runs an example over a pair whose primary is killed meanwhile: all it wrote is told, at one server and then the other. */
export async function failoverExample(
  t: TestContext,
  name: string,
  server: "mariadb" | "postgres",
): Promise<void> {
  const pair = await withSqlPair(t, server, { synchronous: true });
  if (pair === undefined) return;
  const [first, second] = pair.servers;
  const path = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
  const endpoints = pair.servers.map(({ host, port }) => `${host}:${port}`);
  const example = execFile(process.execPath, [path, first.url, ...endpoints]);
  const ended = new Promise((resolve) => example.once("close", resolve));
  let text = "";
  example.stdout?.on("data", (chunk: string) => {
    text += chunk;
  });
  const problems: string[] = [];
  example.stderr?.on("data", (chunk: string) => problems.push(chunk));
  const writes = (port: number): Promise<boolean> =>
    until(`the example to write at ${port}`, 30_000, () => new RegExp(`written at ${port}\n`).test(text));
  try {
    await writes(first.port);
    await first.kill9();
    await pair.promote();
    await writes(second.port);
  } finally {
    example.kill("SIGINT");
  }
  assert.equal(await ended, 0, problems.join(""));
  const lines = text.trimEnd().split("\n");
  const numbers = lines.map((line) => Number.parseInt(line, 10));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
    "each is told, in order",
  );
  assert.ok(
    lines.every((line) => / (written at \d+|not-applied|maybe-applied)$/.test(line)),
    text,
  );
}
