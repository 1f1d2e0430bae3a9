/** Which tests claim which row of docs/conformance, and what a row's result is. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

interface Row {
  readonly id: string;
  readonly needs: string;
  readonly reason?: string;
}
interface Result {
  readonly file: string;
  readonly name: string;
  readonly result: string;
}
interface Page {
  readonly groups: {
    readonly rows: { readonly id: string; readonly kind: string; readonly result: string }[];
  }[];
  readonly unknown: string[];
}
interface Rows {
  claimsOf(name: string): string[];
  rowsOf(group: object): Row[];
  conformance(rows: object, results: Result[], exists: (room: string) => boolean): Page;
}

const script = pathToFileURL(resolve("scripts/conformance-rows.mjs")).href;
const { claimsOf, rowsOf, conformance } = (await import(script)) as Rows;

test("ids before the colon, ranges, and ids in brackets are claims; words are not", () => {
  assert.deepEqual(claimsOf("L4 L5: a close starts the reconnect"), ["L4", "L5"]);
  assert.deepEqual(claimsOf("R1–R3: the URL"), ["R1", "R2", "R3"]);
  assert.deepEqual(claimsOf("N14 [nats 39]: pings"), ["[nats 39]", "N14"]);
  assert.deepEqual(claimsOf("[mariadb-redis 6] callers in order"), ["[mariadb-redis 6]"]);
  assert.deepEqual(claimsOf("redis: a loss [R1] [R8]"), ["R1", "R8"]);
  assert.deepEqual(claimsOf("close: R2 is only spoken of"), []);
  assert.deepEqual(claimsOf("an array [1, 2] and [x]"), []);
});

const rows = {
  reasons: ["concerns the peer's internals"],
  groups: [
    {
      prefix: "Q",
      style: "letter",
      title: "q",
      needs: "drivers/nsq",
      rows: ["a", "b", "c", "d", "e"],
      overrides: { "4": { reason: "concerns the peer's internals" }, "5": { needs: "drivers/absent" } },
    },
  ],
};
const ran = (name: string, result: string): Result => ({ file: "test/a.test.ts", name, result });

test("a row is passed only if a test of it passed and none failed, and its driver exists", () => {
  const page = conformance(
    rows,
    [ran("Q1: x", "passed"), ran("Q2: x", "passed"), ran("Q2: y", "failed"), ran("Q5: x", "passed")],
    (room) => room === "drivers/nsq",
  );
  assert.deepEqual(
    page.groups[0]?.rows.map(({ kind }) => kind),
    ["passed", "failed", "missing", "excused", "missing"],
  );
  assert.equal(page.groups[0]?.rows[4]?.result, "not there yet (driver absent)");
  assert.deepEqual(page.unknown, []);
});

test("a row whose tests were skipped is missing; a claim of no row is told", () => {
  const page = conformance(rows, [ran("Q1: x", "skipped"), ran("Q9: x", "passed")], () => true);
  assert.equal(page.groups[0]?.rows[0]?.kind, "missing");
  assert.deepEqual(page.unknown, ['Q9, claimed by "Q9: x"']);
});

test("a reason that is not of the list is refused", () => {
  const [group] = rows.groups;
  const bad = { ...rows, groups: [{ ...group, overrides: { "1": { reason: "too hard" } } }] };
  assert.throws(() => conformance(bad, [], () => true), /"too hard" is not a reason of the list/);
});

test("the rows of the project: every item of the sources, and each checklist at its length", async () => {
  const real = JSON.parse(await readFile("docs/conformance-rows.json", "utf8")) as {
    groups: { prefix: string }[];
  };
  const counts = Object.fromEntries(real.groups.map((group) => [group.prefix, rowsOf(group).length]));
  const letters = { N: 24, M: 13, R: 11, Q: 2, E: 2, L: 11, S: 14, C: 10 };
  const checklists = { nats: 72, "mariadb-redis": 60, cassandra: 33, nsq: 16, etcd: 17, sqlserver: 50 };
  assert.deepEqual(counts, { ...letters, ...checklists });
  assert.doesNotThrow(() => conformance(real, [], () => true));
});
