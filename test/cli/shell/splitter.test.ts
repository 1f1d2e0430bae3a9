import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Splitter } from "../../../src/cli/shell/splitter.ts";

type Dialect = "mysql" | "postgres";

function split(dialect: Dialect, ...lines: string[]): string[] {
  const splitter = new Splitter(dialect);
  return [...lines.flatMap((line) => splitter.push(line)), ...splitter.end()].map(({ text }) => text);
}

const both: readonly (readonly [lines: string[], statements: string[]])[] = [
  [["SELECT 1;"], ["SELECT 1"]],
  [["SELECT 1; SELECT 2;"], ["SELECT 1", "SELECT 2"]],
  [
    ["SELECT 1", "  + 1;", "SELECT 3"],
    ["SELECT 1\n  + 1", "SELECT 3"],
  ],
  [["SELECT ';';"], ["SELECT ';'"]],
  [["SELECT 'it''s; so';"], ["SELECT 'it''s; so'"]],
  [["SELECT /* ; */ 1;"], ["SELECT /* ; */ 1"]],
  [["SELECT 1 -- ;", ";"], ["SELECT 1 -- ;"]],
  [["SELECT 'a", ";b';"], ["SELECT 'a\n;b'"]],
  [[";;;"], []],
  [["SELECT 1\\g SELECT 2\\G"], ["SELECT 1", "SELECT 2"]],
];

for (const dialect of ["mysql", "postgres"] as const) {
  test(`${dialect}: statements end at ; outside quotes and comments`, () => {
    for (const [lines, statements] of both)
      assert.deepEqual(split(dialect, ...lines), statements, lines.join("⏎"));
  });
}

test("mysql: backslashes, backticks, # comments, -- only before a space", () => {
  assert.deepEqual(split("mysql", "SELECT 'a\\';b';"), ["SELECT 'a\\';b'"]);
  assert.deepEqual(split("mysql", "SELECT `a;b`;"), ["SELECT `a;b`"]);
  assert.deepEqual(split("mysql", "SELECT `a\\`;"), ["SELECT `a\\`"]);
  assert.deepEqual(split("mysql", "SELECT 1 # ;", ";"), ["SELECT 1 # ;"]);
  assert.deepEqual(split("mysql", "SELECT 1--1;"), ["SELECT 1--1"]);
});

test("postgres: dollar quotes, nested comments, E strings; a plain string keeps its backslash", () => {
  assert.deepEqual(split("postgres", "DO $$ BEGIN; END $$;"), ["DO $$ BEGIN; END $$"]);
  assert.deepEqual(split("postgres", "SELECT $a$ ; $$ ; $a$;"), ["SELECT $a$ ; $$ ; $a$"]);
  assert.deepEqual(split("postgres", "SELECT $1; SELECT 2;"), ["SELECT $1", "SELECT 2"]);
  assert.deepEqual(split("postgres", "SELECT /* /* ; */ ; */ 1;"), ["SELECT /* /* ; */ ; */ 1"]);
  assert.deepEqual(split("postgres", "SELECT E'a\\';b';"), ["SELECT E'a\\';b'"]);
  assert.deepEqual(split("postgres", "SELECT 'a\\'; SELECT 2;"), ["SELECT 'a\\'", "SELECT 2"]);
});

test("the prompt knows what is open", () => {
  const splitter = new Splitter("mysql");
  assert.equal(splitter.fresh, true);
  splitter.push("SELECT 'a");
  assert.deepEqual([splitter.fresh, splitter.open], [false, "'"]);
  splitter.push("b'");
  assert.deepEqual([splitter.fresh, splitter.open], [false, ""]);
  splitter.clear();
  assert.equal(splitter.fresh, true);
  assert.equal(splitter.push("SELECT 1\\G")[0]?.upright, true);
});

test("nothing typed is lost, and garbage never throws", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" })),
      fc.constantFrom<Dialect>("mysql", "postgres"),
      (lines, dialect) => {
        const flat = lines.map((line) => line.replaceAll("\n", " "));
        const kept = split(dialect, ...flat).join("");
        const bare = (text: string): string => text.replace(/\\g|\\G|[;\s]/g, "");
        assert.equal(bare(kept), bare(flat.join("\n")));
      },
    ),
  );
});
