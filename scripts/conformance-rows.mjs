/** Rows of docs/conformance: which tests claim which row, and what that makes of it. Pure functions. */

/** Ids written before the first colon of a test's name (`L4 L5: …`, `R1–R6: …`) or in brackets (`[nats 3]`, `[L2]`). */
export function claimsOf(name) {
  const claims = new Set();
  for (const [, inside] of name.matchAll(/\[([^\]]+)\]/g)) {
    if (/^[a-z][a-z-]* \d+$/.test(inside)) claims.add(`[${inside}]`);
    else addLetters(inside, claims);
  }
  const head = name.includes(":") ? name.slice(0, name.indexOf(":")).replace(/\[[^\]]*\]/g, " ") : "";
  addLetters(head, claims);
  return [...claims];
}

const token = /^([NMRQELSC])(\d{1,2})(?:[–-]\1?(\d{1,2}))?$/;

/** Adds the ids of a text that consists of nothing but ids. */
function addLetters(text, claims) {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  if (!words.every((word) => token.test(word))) return;
  for (const word of words) {
    const [, letter, first, last] = token.exec(word);
    for (let n = Number(first); n <= Number(last ?? first); n++) claims.add(`${letter}${n}`);
  }
}

/** The rows of a group with their ids. */
export function rowsOf(group) {
  return group.rows.map((text, i) => ({
    id: group.style === "letter" ? `${group.prefix}${i + 1}` : `[${group.prefix} ${i + 1}]`,
    text,
    needs: group.needs,
    ...group.overrides?.[String(i + 1)],
  }));
}

/** What the tests that claim a row make of it. A room that is not there yet is never passed. */
export function resultOf(row, tests, roomExists) {
  if (row.reason !== undefined) return { kind: "excused", text: row.reason };
  if (!roomExists(row.needs)) {
    const [kind, name] = row.needs.split("/");
    const what = kind === "drivers" ? `driver ${name}` : row.needs;
    return { kind: "missing", text: `not there yet (${what})` };
  }
  if (tests.some(({ result }) => result === "failed")) return { kind: "failed", text: "failed" };
  if (tests.some(({ result }) => result === "passed")) return { kind: "passed", text: "passed" };
  return { kind: "missing", text: tests.length > 0 ? "missing: its tests did not run" : "missing: no test" };
}

/** The whole page as data. `unknown` are claims of rows that don't exist. */
export function conformance(rows, results, roomExists) {
  const byClaim = new Map();
  for (const test of results) {
    for (const claim of claimsOf(test.name)) byClaim.set(claim, [...(byClaim.get(claim) ?? []), test]);
  }
  const groups = rows.groups.map((group) => {
    const lines = rowsOf(group).map((row) => {
      const tests = byClaim.get(row.id) ?? [];
      byClaim.delete(row.id);
      if (row.reason !== undefined && !rows.reasons.includes(row.reason))
        throw new Error(`${row.id}: "${row.reason}" is not a reason of the list`);
      const { kind, text } = resultOf(row, tests, roomExists);
      return { id: row.id, row: row.text, tests, kind, result: text };
    });
    return { prefix: group.prefix, title: group.title, counts: countsOf(lines), rows: lines };
  });
  const unknown = [...byClaim].map(([id, tests]) => `${id}, claimed by "${tests[0].name}"`);
  return { groups, suite: suiteOf(results), unknown };
}

export function countsOf(lines) {
  const counts = { passed: 0, failed: 0, missing: 0, excused: 0 };
  for (const { kind } of lines) counts[kind]++;
  return counts;
}

/** Where the suite's cases become tests. */
const suiteFile = "test/support/conformance.ts";

/** The cases of the suite by driver. */
function suiteOf(results) {
  const cases = new Map();
  for (const { file, name, result, reason } of results) {
    const [, driver, rest] = /^([a-z0-9-]+): (.*)$/.exec(name) ?? [];
    if (file !== suiteFile || driver === undefined) continue;
    const title = rest.replace(/( \[[^\]]+\])+$/, "");
    cases.set(title, { ...cases.get(title), [driver]: { result, ...(reason && { reason }) } });
  }
  return [...cases].map(([name, drivers]) => ({ name, drivers }));
}
