/** The error table, and what is held against the library's inside. */
import assert from "node:assert/strict";
import { test } from "node:test";
import mysql2 from "mysql2";
import { HoldfastError } from "../../../src/call/index.ts";
import { classifyMysqlCall, classifyMysqlLink, isConflict } from "../../../src/drivers/mysql2/errors.ts";
import { internals } from "../../../src/drivers/mysql2/internals.ts";

const server = (errno: number, message = "") =>
  Object.assign(new Error(message), { errno, sqlState: "HY000" });
const system = (code: string) => Object.assign(new Error(code), { code, errno: -111, syscall: "connect" });
const call = { bytes: 0, kind: "unary", effect: "once" } as const;
const readOnly =
  "The MariaDB server is running with the --read-only option so it cannot execute this statement";

test("the class of every error that says something about a connection", () => {
  const table: Record<string, readonly unknown[]> = {
    auth: [
      ...[1044, 1045, 1130, 1251, 1524, 1698, 1820, 1862, 3118, 4151].map((n) => server(n)),
      system("AUTH_SWITCH_PLUGIN_ERROR"),
    ],
    fatal: [
      server(1049),
      system("HANDSHAKE_NO_SSL_SUPPORT"),
      system("EACCES"),
      new HoldfastError("HF_OPTION", ""),
    ],
    endpoint: [
      ...[server(1129), server(1792), server(1836), server(1290, readOnly)],
      ...[system("ENOTFOUND"), system("HANDSHAKE_SSL_ERROR"), system("DEPTH_ZERO_SELF_SIGNED_CERT")],
    ],
    transient: [
      ...[1040, 1053, 1152, 1184, 1203, 1226, 1927, 2006, 2013, 2055, 4031].map((n) => server(n)),
      ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "EAI_AGAIN"].map(system),
      system("PROTOCOL_CONNECTION_LOST"),
      server(1290, "The MariaDB server is running with the --secure-file-priv option"),
      new AggregateError([system("ENOTFOUND"), system("ECONNREFUSED")]),
    ],
  };
  for (const [expected, errors] of Object.entries(table)) {
    for (const error of errors) assert.equal(classifyMysqlLink(error, "dial"), expected, String(error));
  }
});

test("what an error means for a call: an answer, or an outcome", () => {
  for (const errno of [1062, 1146, 1205, 1213, 1064, 3024]) {
    assert.equal(classifyMysqlCall(server(errno), false, call), "answered");
  }
  assert.equal(classifyMysqlCall(server(1290, "--secure-file-priv"), false, call), "answered");
  const refused = { outcome: "not-applied", link: "endpoint", retryAfterMs: 100 };
  assert.deepEqual(classifyMysqlCall(server(1290, readOnly), false, call), refused);
  assert.equal(classifyMysqlCall(server(1290, readOnly), false, { ...call, kind: "pinned" }), "answered");
  for (const errno of [1053, 1927, 2013]) {
    assert.deepEqual(classifyMysqlCall(server(errno), false, call), {
      outcome: "maybe-applied",
      link: "transient",
    });
  }
  assert.deepEqual(classifyMysqlCall(system("ECONNRESET"), true, call), { outcome: "maybe-applied" });
  assert.ok(isConflict(server(1213)) && isConflict(server(1205)) && !isConflict(server(1062)));
});

test("the library's inside is found before anything is dialled, and a missing part is named", (t) => {
  const classes = internals();
  assert.deepEqual(
    Object.values(classes).map(({ name }) => name),
    ["Query", "Prepare", "Execute", "Ping", "ResetConnection", "ChangeUser"],
  );
  const { Connection } = mysql2 as unknown as { Connection: { prototype: Record<string, unknown> } };
  const base = Object.getPrototypeOf(Connection.prototype) as Record<string, unknown>;
  const { _notifyError } = base;
  t.after(() => {
    base._notifyError = _notifyError;
  });
  base._notifyError = undefined;
  assert.throws(() => internals(true), /not one that was tested \(3\.24\).*connection\._notifyError/);
});
