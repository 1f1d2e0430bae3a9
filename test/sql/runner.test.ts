/** Statements on any connection of a pool, in virtual time: what is sent again, and what the caller is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { takenBack } from "../../src/link/index.ts";
import { type Ending, PoolRunner, type SqlJob } from "../../src/sql/index.ts";
import { CoarseTimers, type Random, seededRandom } from "../../src/time/index.ts";
import { type Conn, FakeServer } from "../pool/fake.ts";

/** What becomes of one send. `deaf`: no reply ever; `lostAfter`: carried out, and the reply lost. */
type Fate = "done" | "answer" | "readOnly" | "unsent" | "lostBefore" | "lostAfter" | "deaf";

class Rig {
  readonly server: FakeServer;
  readonly runner: PoolRunner<Conn, string, SqlJob<string>>;
  readonly pool: ReturnType<FakeServer["pool"]>;
  readonly fates: Fate[] = [];
  sends = 0;
  applied = 0;
  readonly #lost = new Map<Conn, Error>();

  constructor(seed: number, maxRetries: number) {
    this.server = new FakeServer(seed);
    this.pool = this.server.pool({ max: 3, acquireTimeoutMs: 5_000 });
    const { clock } = this.server;
    this.runner = new PoolRunner(
      this.pool,
      {
        transmit: (conn, job, ending) => this.#transmit(conn, job, ending),
        lostCause: (conn) => this.#lost.get(conn),
        classifyCall: (error, lost) => {
          if (error === this.readOnly) return { outcome: "not-applied", link: "endpoint", retryAfterMs: 100 };
          return lost ? { outcome: "maybe-applied" } : "answered";
        },
      },
      { retry: { maxRetries }, clock, timers: new CoarseTimers(clock) },
    );
  }

  readonly answer = new Error("duplicate key");
  readonly readOnly = new Error("read-only");

  #transmit(conn: Conn, job: SqlJob<string>, ending: Ending<string>): void {
    const fate = this.fates.shift() ?? "done";
    if (fate !== "unsent") this.sends++;
    if (fate === "done" || fate === "lostAfter") this.applied++;
    const end = (): void => {
      if (fate === "done") return ending.resolve(job.name ?? "");
      if (fate === "answer") return ending.reject(this.answer);
      if (fate === "readOnly") return ending.reject(this.readOnly);
      if (fate === "deaf") return;
      const cause = new Error("reset");
      this.#lost.set(conn, cause);
      this.server.cut(conn);
      ending.reject(fate === "unsent" ? takenBack : cause);
    };
    this.server.clock.setTimer(1, end);
  }

  /** What its caller hears, each time it hears something. */
  run(more: Partial<SqlJob<string>> = {}): unknown[] {
    const heard: unknown[] = [];
    this.runner.run({
      ...{ bytes: 10, effect: "once", kind: "unary", name: "it" },
      ...more,
      succeed: (reply) => heard.push(reply),
      fail: (error) => heard.push(isHoldfastError(error) ? `${error.code} ${error.outcome}` : error),
    });
    return heard;
  }
}

test("runner: what was not sent goes elsewhere, what may have been done is told, a read is repeated", async () => {
  const cases: [Fate[], SqlJob<string>["effect"], unknown, number][] = [
    [["unsent", "unsent", "unsent", "unsent", "done"], "once", "it", 1],
    [["lostBefore"], "once", "HF_LOST maybe-applied", 1],
    [["lostAfter"], "once", "HF_LOST maybe-applied", 1],
    [["lostBefore", "lostAfter", "done"], "read", "it", 3],
    [["lostBefore", "lostBefore", "lostBefore"], "read", "HF_LOST not-applied", 3],
    [["lostAfter", "done"], "idempotent", "it", 2],
    [["readOnly", "readOnly", "done"], "once", "it", 3],
  ];
  for (const [fates, effect, told, sends] of cases) {
    const rig = new Rig(1, 2);
    rig.fates.push(...fates);
    const heard = rig.run({ effect });
    await rig.server.clock.advanceAsync(4_000);
    assert.deepEqual([heard, rig.sends], [[told], sends], `${effect}: ${fates.join(" ")}`);
    await rig.pool.close();
  }
});

test("runner: a deadline on the wire ends the connection, and tells what may have been done; leaving does too", async () => {
  const rig = new Rig(1, 2);
  rig.fates.push("deaf", "deaf");
  const late = rig.run({ deadlineMs: 300 });
  const controller = new AbortController();
  const gone = rig.run({ signal: controller.signal });
  await rig.server.clock.advanceAsync(100);
  controller.abort(new Error("enough"));
  await rig.server.clock.advanceAsync(500);
  assert.deepEqual(late, ["HF_DEADLINE maybe-applied"]);
  assert.deepEqual(
    gone.map((error) => (error as Error).message),
    ["enough"],
  );
  assert.equal(rig.pool.stats().inUse, 0);
  assert.equal(rig.server.live.length, 0);
  await rig.pool.close();
});

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)] as T;
}

test("runner: whatever becomes of its sends, a caller hears once, and never a false word", async () => {
  const fates: Fate[] = ["done", "answer", "readOnly", "unsent", "lostBefore", "lostAfter", "deaf"];
  for (let seed = 1; seed <= 600; seed++) {
    const random = seededRandom(seed);
    const maxRetries = Math.floor(random.next() * 4);
    const rig = new Rig(seed, maxRetries);
    const script = Array.from({ length: 8 }, () => pick(random, fates));
    rig.fates.push(...script);
    const effect = pick(random, ["read", "idempotent", "once"] as const);
    const heard = rig.run({ effect, deadlineMs: pick(random, [50, 500, 3_000]) });
    await rig.server.clock.advanceAsync(10_000);
    const where = `seed ${seed}: ${effect}, ${maxRetries} retries, ${script.join(" ")} -> ${heard}, ${rig.sends} sends`;
    assert.equal(heard.length, 1, where);
    const [told] = heard;
    assert.ok(rig.sends <= maxRetries + 1, where);
    if (effect === "once") assert.ok(rig.applied <= 1, where);
    if (told === "it") assert.ok(rig.applied >= 1, where);
    else if (effect === "read") assert.doesNotMatch(String(told), /maybe-applied/, where);
    else if (/not-applied/.test(String(told)) || told === rig.readOnly) assert.equal(rig.applied, 0, where);
    else if (effect === "once" && told === rig.answer) assert.equal(rig.applied, 0, where);
    assert.equal(rig.pool.stats().inUse, 0, where);
    await rig.pool.close();
    assert.equal(rig.server.live.length, 0, where);
  }
});
