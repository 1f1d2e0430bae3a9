/** What errors mean: the table of codes, for links and for calls. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallDescription } from "../../../src/call/index.ts";
import { classifyPgCall, classifyPgLink, endsSession, isConflict } from "../../../src/drivers/pg/errors.ts";
import { DatabaseError } from "../../../src/drivers/pg/index.ts";

function serverError(code: string, severity: string): Error {
  return Object.assign(new DatabaseError("a message", 1, "error"), { code, severity });
}

const call: CallDescription = { bytes: 1, effect: "once", kind: "unary" };

/** Code, severity; class at a dial, class in use; verdict on a call; whether the session ends. */
const servers: [string, string, string, string, unknown, boolean][] = [
  ["28P01", "FATAL", "auth", "auth", "maybe-applied", true],
  ["28000", "FATAL", "auth", "auth", "maybe-applied", true],
  ["3D000", "FATAL", "fatal", "fatal", "maybe-applied", true],
  ["42501", "FATAL", "auth", "transient", "maybe-applied", true],
  ["42501", "ERROR", "auth", "transient", "answered", false],
  ["53300", "FATAL", "transient", "transient", "maybe-applied", true],
  ["57P01", "FATAL", "transient", "transient", "maybe-applied", true],
  ["57P01", "FATAL:", "transient", "transient", "maybe-applied", true],
  ["57P02", "FATAL", "transient", "transient", "maybe-applied", true],
  ["57P03", "FATAL", "transient", "transient", "maybe-applied", true],
  ["57P05", "FATAL", "transient", "transient", "maybe-applied", true],
  ["25P03", "FATAL", "transient", "transient", "maybe-applied", true],
  ["08P01", "FATAL", "transient", "transient", "maybe-applied", true],
  // Two parameters where one is wanted: a statement's own affair.
  ["08P01", "ERROR", "transient", "transient", "answered", false],
  ["25006", "ERROR", "endpoint", "endpoint", "not-applied", false],
  ["25P02", "ERROR", "transient", "transient", "answered", false],
  ["40001", "ERROR", "transient", "transient", "answered", false],
  ["40P01", "ERROR", "transient", "transient", "answered", false],
  ["57014", "ERROR", "transient", "transient", "answered", false],
  ["23505", "ERROR", "transient", "transient", "answered", false],
  ["XX000", "PANIC", "transient", "transient", "maybe-applied", true],
];

test("pg errors: the server's, by SQLSTATE and severity", () => {
  for (const [code, severity, dial, ready, verdict, ends] of servers) {
    const error = serverError(code, severity);
    const said = classifyPgCall(error, false, call);
    assert.deepEqual(
      [
        classifyPgLink(error, "dial"),
        classifyPgLink(error, "ready"),
        said === "answered" ? said : said.outcome,
        endsSession(error),
      ],
      [dial, ready, verdict, ends],
      `${code} ${severity}`,
    );
  }
});

test("pg errors: Node's and the library's", () => {
  const coded = (code: string) => Object.assign(new Error("x"), { code });
  for (const code of ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "EAI_AGAIN"]) {
    assert.equal(classifyPgLink(coded(code), "dial"), "transient", code);
  }
  assert.equal(classifyPgLink(coded("ENOTFOUND"), "dial"), "endpoint");
  assert.equal(classifyPgLink(coded("EACCES"), "dial"), "fatal");
  assert.equal(classifyPgLink(new Error("Connection terminated unexpectedly"), "ready"), "transient");
  assert.equal(classifyPgLink(new Error("The server does not support SSL connections"), "dial"), "fatal");
  assert.equal(
    classifyPgLink(new AggregateError([coded("EACCES"), coded("ECONNREFUSED")]), "dial"),
    "transient",
  );
  assert.deepEqual(classifyPgCall(new Error("Connection terminated unexpectedly"), true, call), {
    outcome: "maybe-applied",
  });
  assert.equal(classifyPgCall(new Error("a row could not be parsed"), false, call), "answered");
});

test("pg errors: read-only inside a transaction is told, outside it moves", () => {
  const readOnly = serverError("25006", "ERROR");
  assert.equal(classifyPgCall(readOnly, false, { ...call, kind: "pinned" }), "answered");
  const moved = classifyPgCall(readOnly, false, call);
  assert.ok(moved !== "answered" && moved.link === "endpoint" && moved.outcome === "not-applied");
  assert.ok(isConflict(serverError("40001", "ERROR")) && isConflict(serverError("40P01", "ERROR")));
  assert.ok(!isConflict(serverError("23505", "ERROR")));
});
