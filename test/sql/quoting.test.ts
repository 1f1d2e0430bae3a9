/** Whatever the server's settings make of quotes and backslashes: a text that writes is never taken for a read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Dialect, readStatement } from "../../src/sql/index.ts";

/** What a server's setting changes about where literals end. */
interface Quoting {
  /** A backslash in a single-quoted string escapes what follows. */
  readonly backslash: boolean;
  /** The same in double quotes: never where they hold an identifier. */
  readonly backslashInDouble: boolean;
  readonly backtick: boolean;
  /** `#` begins a comment, and `--` only before a space or a control character. */
  readonly mysql: boolean;
}

const mysql = { backtick: true, mysql: true } as const;
const postgres = { backtick: false, mysql: false, backslashInDouble: false } as const;
/** `sql_mode` with and without NO_BACKSLASH_ESCAPES and ANSI_QUOTES; `standard_conforming_strings` on and off. */
const settings: Record<Dialect, readonly Quoting[]> = {
  mysql: [
    { ...mysql, backslash: true, backslashInDouble: true },
    { ...mysql, backslash: true, backslashInDouble: false },
    { ...mysql, backslash: false, backslashInDouble: false },
  ],
  postgres: [
    { ...postgres, backslash: false },
    { ...postgres, backslash: true },
  ],
};
/** Those that are left when the server has said that backslashes mean what they mean by default. */
const settingsKnown: Record<Dialect, readonly Quoting[]> = {
  mysql: settings.mysql.slice(0, 2),
  postgres: settings.postgres.slice(0, 1),
};

/** The text without comments, and with every literal and quoted name as `L`: written for clarity, character by character. */
function bare(sql: string, how: Quoting): string {
  let out = "";
  let at = 0;
  const quoted = (quote: string, backslash: boolean): void => {
    for (at++; at < sql.length; at++) {
      if (backslash && sql[at] === "\\") at++;
      else if (sql[at] === quote && sql[at + 1] === quote) at++;
      else if (sql[at] === quote) break;
    }
    at++;
    out += "L";
  };
  while (at < sql.length) {
    const [c, rest] = [sql[at] as string, sql.slice(at)];
    // To PostgreSQL every character beyond ASCII is a letter: an E behind one ends a name, and begins no string.
    if (c === "'") {
      const escapes = !how.mysql && /(^|[^\w$\u0080-\uffff])e$/i.test(sql.slice(0, at));
      quoted(c, how.backslash || escapes);
    } else if (c === '"') quoted(c, how.backslashInDouble);
    else if (c === "`" && how.backtick) quoted(c, false);
    else if (how.mysql ? /^(#|--([\s\x7f]|$))/.test(rest) : rest.startsWith("--")) {
      const end = how.mysql ? rest.indexOf("\n") : rest.search(/[\r\n]/);
      at = end < 0 ? sql.length : at + end;
    } else if (rest.startsWith("/*") && !/^\/\*[!M]/.test(rest)) {
      let depth = 0;
      do {
        if (sql.startsWith("/*", at) && (depth === 0 || !how.mysql)) depth += ++at > 0 ? 1 : 0;
        else if (sql.startsWith("*/", at)) depth -= ++at > 0 ? 1 : 0;
        at++;
      } while (depth > 0 && at < sql.length);
      out += " ";
    } else {
      out += c;
      at++;
    }
  }
  return out;
}

const writes = (text: string): boolean => /\b(delete|insert|into|evil\s*\()/i.test(text);

const pieces = fc.constantFrom(
  ...["'", "'", '"', '"', "\\", "\\'", '\\"', "''", '""', "`", "a", " ", " ", "\n", "\r", ",", "(", ")"],
  ...["--", "-- ", "--\x7f", "#", "/*", "*/", "E'", "e'", "N'", "x", "1", "=", "@", "\u00a0"],
  ...["; DELETE FROM t", " evil()", " INTO x", "; INSERT INTO t VALUES (1)"],
);

for (const dialect of ["mysql", "postgres"] as const) {
  test(`statement: no setting of quotes and backslashes turns a write into a read (${dialect})`, () => {
    let written = 0;
    let read = 0;
    const text = fc.array(pieces, { minLength: 1, maxLength: 14 }).map((all) => `SELECT ${all.join("")}`);
    fc.assert(
      fc.property(text, (sql) => {
        for (const escapesKnown of [false, true]) {
          const possible = (escapesKnown ? settingsKnown : settings)[dialect];
          const { effect } = readStatement(sql, dialect, { escapesKnown });
          const culprit = possible.find((how) => writes(bare(sql, how)));
          if (culprit !== undefined) written++;
          if (effect === "read") read++;
          if (culprit !== undefined) assert.equal(effect, "once", `${sql} under ${JSON.stringify(culprit)}`);
        }
      }),
      { numRuns: 20_000 },
    );
    // Both sides were met, often enough to mean something.
    assert.ok(written > 2_000 && read > 200, `${written} written, ${read} read`);
  });
}

test("statement: a stored function that has the name of a harmless one is not harmless", () => {
  const effect = (sql: string): string => readStatement(sql, "mysql").effect;
  assert.deepEqual(["SELECT now()", "SELECT lower ('A')"].map(effect), ["read", "read"]);
  const stored = [
    "SELECT now ()",
    "SELECT count\n(1) FROM t",
    "SELECT `now`()",
    "SELECT `lower`('A')",
    'SELECT "now"()',
  ];
  assert.deepEqual(
    stored.map(effect),
    stored.map(() => "once"),
  );
  // In PostgreSQL a quoted name is the same function.
  assert.equal(readStatement('SELECT "now"()', "postgres").effect, "read");
  assert.equal(readStatement('SELECT "Now"()', "postgres").effect, "once");
  // No space for either server: part of a name.
  for (const dialect of ["mysql", "postgres"] as const)
    assert.equal(readStatement("SELECT \u00a0now()", dialect).effect, "once");
});
