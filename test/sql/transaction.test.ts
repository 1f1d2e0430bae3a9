/** `transaction(fn)` without a server: which failures run the function again, and what its caller is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldfastError, isHoldfastError } from "../../src/call/index.ts";
import { runTransaction, type TransactionOptions } from "../../src/sql/index.ts";
import { type Random, seededRandom } from "../../src/time/index.ts";

const lostUnsent = () => new HoldfastError("HF_LOST", "lost", { outcome: "not-applied" });
const lostSent = () => new HoldfastError("HF_LOST", "lost", { outcome: "maybe-applied" });
const poisoned = () =>
  new HoldfastError("HF_UNRECOVERABLE", "lost", {
    outcome: "not-applied",
    details: { lost: ["transaction"] },
  });
const conflict = () => Object.assign(new Error("deadlock"), { conflict: true });
const answer = () => new Error("duplicate key");
const failures = { lostUnsent, lostSent, poisoned, conflict, answer };
type Failure = keyof typeof failures;

/** One failure for each step that fails, in order; `undefined` for a step that succeeds. */
class Script {
  readonly log: string[] = [];
  readonly #fails: (Failure | undefined)[];
  #passed = 0;

  constructor(fails: readonly (Failure | undefined)[]) {
    this.#fails = [...fails];
  }

  async #step(name: string): Promise<void> {
    this.#passed++;
    this.log.push(name);
    const fails = this.#fails.shift();
    if (fails !== undefined) throw failures[fails]();
  }

  run(statements: number, options: TransactionOptions): Promise<string> {
    return runTransaction<string>(
      {
        passed: () => this.#passed,
        begin: () => this.#step("begin"),
        work: async () => {
          for (let n = 0; n < statements; n++) await this.#step("work");
          return "value";
        },
        commit: () => this.#step("commit"),
        rollback: async () => this.log.push("rollback"),
        isConflict: (error) => (error as { conflict?: boolean }).conflict === true,
      },
      options,
    );
  }
}

const failed = (promise: Promise<unknown>): Promise<HoldfastError> =>
  promise.then(
    () => assert.fail("it succeeded"),
    (error: HoldfastError) => error,
  );

test("transaction: a COMMIT in flight is never run again, whatever was asked", async () => {
  const script = new Script([undefined, undefined, "lostSent"]);
  const error = await failed(script.run(1, { retry: 9 }));
  assert.deepEqual([error.code, error.outcome], ["HF_LOST", "maybe-applied"]);
  assert.deepEqual(script.log, ["begin", "work", "commit"]);
});

test("transaction: lost before COMMIT is not applied, with the reason and what was lost; run again when asked", async () => {
  const once = new Script([undefined, "lostSent"]);
  const error = await failed(once.run(1, {}));
  assert.deepEqual([error.code, error.outcome], ["HF_LOST", "not-applied"]);
  assert.match(error.message, /^the transaction was not committed: /);
  const again = new Script([
    undefined,
    "lostSent",
    undefined,
    "poisoned",
    undefined,
    undefined,
    "lostUnsent",
  ]);
  assert.equal(await again.run(1, { retry: 3 }), "value");
  assert.deepEqual(again.log.filter((step) => step === "begin").length, 4);
});

test("transaction [mariadb-redis 37]: what is repeated is bounded, and a longer one is refused with the reason", async () => {
  const fits = new Script([undefined, undefined, undefined, "lostSent"]);
  assert.equal(await fits.run(3, { retry: 1, maxStatements: 3 }), "value");
  const long = new Script([undefined, undefined, undefined, undefined, "poisoned"]);
  const error = await failed(long.run(4, { retry: 1, maxStatements: 3 }));
  assert.match(error.message, /it had passed 4 statements, too many to run it again$/);
  assert.deepEqual([error.outcome, error.details], ["not-applied", { lost: ["transaction"] }]);
  assert.deepEqual(long.log, ["begin", "work", "work", "work", "work", "rollback"]);
  // COMMIT is none of the statements.
  const atCommit = new Script([undefined, undefined, "conflict"]);
  assert.equal(await atCommit.run(1, { retry: 1, maxStatements: 1 }), "value");
});

test("transaction: a wrong option is refused before anything is begun", async () => {
  for (const options of [{ retry: -1 }, { retry: 1.5 }, { retry: "2" }, { maxStatements: 0 }]) {
    const script = new Script([]);
    const error = await failed(script.run(1, options as TransactionOptions));
    assert.equal(error.code, "HF_OPTION");
    assert.match(error.message, new RegExp(Object.keys(options)[0] as string));
    assert.deepEqual(script.log, []);
  }
});

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)] as T;
}

test("transaction: whatever fails, it commits at most once, rolls back what it leaves, and tells the truth", async () => {
  const kinds: (Failure | undefined)[] = [undefined, undefined, ...(Object.keys(failures) as Failure[])];
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = seededRandom(seed);
    const retry = Math.floor(random.next() * 4);
    const fails = Array.from({ length: 20 }, () => pick(random, kinds));
    const script = new Script(fails);
    const told = await script.run(2, { retry }).then(
      () => "done",
      (error: unknown) => (isHoldfastError(error) ? error.outcome : "answer"),
    );
    const where = `seed ${seed}: ${script.log.join(" ")} -> ${told}`;
    const steps = script.log.filter((step) => step !== "rollback");
    const outcomes = steps.map((step, n) => ({ step, fails: fails[n] }));
    const last = outcomes.at(-1);
    assert.ok(outcomes.filter(({ step }) => step === "begin").length <= retry + 1, where);
    // The server has it if a COMMIT succeeded; it may have it if one was lost on the wire.
    const committed = outcomes.filter(({ step, fails }) => step === "commit" && fails === undefined).length;
    const inDoubt = outcomes.filter(({ step, fails }) => step === "commit" && fails === "lostSent").length;
    assert.equal(committed, told === "done" ? 1 : 0, where);
    if (inDoubt > 0) assert.deepEqual([told, last?.step], ["maybe-applied", "commit"], where);
    else assert.notEqual(told, "maybe-applied", where);
    // Every try but one that is done or in doubt, or was refused at COMMIT, ends with a rollback.
    const refused = last?.step === "commit" && last.fails === "answer" ? 1 : 0;
    const tries = outcomes.filter(({ step }) => step === "begin").length;
    assert.equal(script.log.length - steps.length, tries - committed - inDoubt - refused, where);
  }
});
