/** Comments and the contents of strings never change the verdict; garbage never throws; time is linear. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Dialect, readStatement, type Statement } from "../../src/sql/index.ts";

const dialect = fc.constantFrom<Dialect>("mysql", "postgres");

/** Statements as lists of tokens; `'S'` stands for any string. */
const templates: readonly (readonly string[])[] = [
  ["SELECT", "a", ",", "count(", "*", ")", "FROM", "t", "WHERE", "b", "=", "'S'"],
  ["SELECT", "f", "(", "'S'", ")"],
  ["INSERT", "INTO", "t", "VALUES", "(", "'S'", ",", "'S'", ")"],
  ["WITH", "x", "AS", "(", "SELECT", "'S'", ")", "SELECT", "*", "FROM", "x"],
  ["SELECT", "'S'", ";", "DELETE", "FROM", "t", "WHERE", "a", "=", "'S'"],
  ["BEGIN", ";", "UPDATE", "t", "SET", "a", "=", "'S'", ";", "COMMIT"],
  ["SELECT", "*", "FROM", "t", "WHERE", "a", "=", "'S'", "FOR", "UPDATE"],
  ["EXPLAIN", "SELECT", "'S'"],
  ["CREATE", "TEMPORARY", "TABLE", "t", "(", "a", "int", ")"],
  ["DROP", "TABLE", "t", ",", "u"],
  ["LISTEN", "jobs"],
  ["SELECT", "lower", "(", "'S'", ")", "AS", "b", ";"],
  ["COMMIT"],
  ["ROLLBACK", "TO", "SAVEPOINT", "s"],
];

/** What holds between two tokens instead of one space. */
const gap: Record<Dialect, fc.Arbitrary<string>> = {
  mysql: fc.constantFrom(
    ...[
      " ",
      "\n",
      "\t ",
      " /* x */ ",
      " /* DELETE ; ' \" */",
      " -- it's ; '\n",
      "# x ' ;\n",
      " /**/ ",
      " /* /* */ ",
    ],
  ),
  postgres: fc.constantFrom(
    ...[" ", "\n", "\r\n", " /* x */ ", "/* /* ' */ ; $$ */", " --it's ; '\n", " --\n", " /**/ "],
  ),
};

const inner = fc.stringMatching(/^[^'\\\0]{0,12}$/);
const strings: Record<Dialect, fc.Arbitrary<string>> = {
  mysql: fc.oneof(
    inner.map((text) => `'${text}'`),
    inner.map((text) => `'${text}'''`),
    inner.map((text) => `"${text.replaceAll('"', '""')}"`),
    fc.constantFrom("'; DELETE FROM t'", "'-- '", "'/*'", "'a\\nb'", '"\'"', "'$$'"),
  ),
  postgres: fc.oneof(
    inner.map((text) => `'${text}'`),
    inner.map((text) => `E'${text}\\''`),
    inner.map((text) => `$q$${text.replaceAll("$", "")}$q$`),
    inner.map((text) => `$$${text.replaceAll("$", "")}'$$`),
    fc.constantFrom("'; DELETE FROM t'", "'--'", "'/*'", "'$$'", "$a$ $b$ ; ' $a$"),
  ),
};

/** Everything of a verdict but the texts to send, in which the written form is kept. */
function verdict(statement: Statement): unknown {
  return { ...statement, sets: statement.sets.map(({ key, transactional }) => ({ key, transactional })) };
}

function written(tokens: readonly string[], gaps: readonly string[], texts: readonly string[]): string {
  let next = 0;
  return tokens
    .map((token, n) => `${token === "'S'" ? texts[next++ % texts.length] : token}${gaps[n % gaps.length]}`)
    .join("");
}

for (const name of ["mysql", "postgres"] as const) {
  test(`statement: comments, spaces and strings never change the verdict (${name})`, () => {
    const cases = fc.tuple(
      fc.constantFrom(...templates),
      fc.array(gap[name], { minLength: 1, maxLength: 14 }),
      fc.array(strings[name], { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(cases, ([tokens, gaps, texts]) => {
        const plain = verdict(readStatement(written(tokens, [" "], ["'s'"]), name));
        const sql = written(tokens, gaps, texts);
        assert.deepEqual(verdict(readStatement(sql, name)), plain, sql);
      }),
      { numRuns: 2_000 },
    );
  });
}

const piece = fc.constantFrom(
  ...[
    "'",
    '"',
    "`",
    "\\",
    "$$",
    "$a$",
    "/*",
    "*/",
    "/*!",
    "--",
    "#",
    "\n",
    ";",
    "(",
    ")",
    "@",
    "@@",
    ":=",
    "::",
    ".",
  ],
  ...[
    "SELECT",
    "SET",
    "BEGIN",
    "CREATE TEMP TABLE",
    "PREPARE",
    "LISTEN",
    "GET_LOCK(",
    "set_config(",
    "=",
    ",",
    "1e",
  ],
  ...["E'", "U&", "a", "é", "\0", "💥", " ", "0x"],
);

test("statement: garbage never throws, and is no read with a write behind it", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.array(piece, { maxLength: 40 }).map((all) => all.join("")),
    fc.array(piece, { maxLength: 40 }).map((all) => `SELECT ${all.join(" ")}`),
  );
  fc.assert(
    fc.property(dialect, text, (name, sql) => {
      const statement = readStatement(sql, name);
      assert.ok(Object.isFrozen(statement));
      if (statement.effect === "read")
        assert.equal(readStatement(`${sql}\n;DELETE FROM t`, name).effect, "once");
    }),
    { numRuns: 5_000 },
  );
});

test("statement: time is linear in the length of the text, whatever it is made of", () => {
  const chars = 200_000;
  const units = [
    ...[
      "a",
      " ",
      "'",
      "\\",
      "'\\",
      "(",
      "/*",
      "/*!",
      "*/",
      "--",
      "-- \n",
      "$",
      "$$",
      "$a$ ",
      ";",
      "1",
      "1e",
      "@",
      "``",
    ],
    ...[
      "SET a = 1;",
      "f(",
      "set_config(",
      "GET_LOCK(",
      "SELECT 1;",
      "UNLISTEN *;LISTEN a;",
      "RESET ALL;",
      ".",
      ",",
    ],
    ...["CREATE FUNCTION;", "DROP TABLE a,", "é", "U&", "E'", '"'],
  ];
  const numbered = (text: (n: number) => string): string => {
    const all: string[] = [];
    for (let n = 0, length = 0; length < chars; n++) length += all[all.push(text(n)) - 1]?.length ?? 1;
    return all.join("");
  };
  const texts = [
    ...units.map((unit) => unit.repeat(chars / unit.length)),
    ...units.map((unit) => `SELECT '${unit.repeat(chars / unit.length)}`),
    numbered((n) => `SET a${n} = 1;`),
    numbered((n) => `LISTEN a${n};UNLISTEN *;SET b${n} = 1;`),
    numbered((n) => `$a${n}$ x `),
    `INSERT INTO t VALUES ${numbered((n) => `(${n}, 'x'),`)}`,
  ];
  const before = process.cpuUsage();
  for (const sql of texts) for (const name of ["mysql", "postgres"] as const) readStatement(sql, name);
  const { user, system } = process.cpuUsage(before);
  // About 15 ms of processor time for each; anything quadratic takes minutes for one of them.
  const milliseconds = (user + system) / 1_000 / (texts.length * 2);
  assert.ok(milliseconds < 400, `${milliseconds.toFixed(0)} ms for each text of ${chars} characters`);
});
