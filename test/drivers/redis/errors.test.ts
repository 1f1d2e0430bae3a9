import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallDescription, HoldfastError } from "../../../src/call/index.ts";
import { classifyRedisCall, classifyRedisLink, refusalOf } from "../../../src/drivers/redis/errors.ts";

const call: CallDescription = { bytes: 1, effect: "once", kind: "unary" };
const answered = { unsent: false, lost: false };
const coded = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

/** Replies as Redis 7 writes them: [reply, class while connecting, class when ready or "stays", wait before again]. */
const replies: readonly (readonly [string, string, string, number | undefined])[] = [
  ["LOADING Redis is loading the dataset in memory", "transient", "stays", 100],
  ["READONLY You can't write against a read only replica.", "endpoint", "endpoint", 0],
  [
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "endpoint",
    "endpoint",
    100,
  ],
  ["CLUSTERDOWN The cluster is down", "transient", "stays", 100],
  ["TRYAGAIN Multiple keys request during rehashing of slot", "transient", "stays", 100],
  ["NOREPLICAS Not enough good replicas to write.", "transient", "stays", 100],
  ["ERR max number of clients reached", "transient", "transient", 100],
  ["ERR max number of clients + cluster connections reached", "transient", "transient", 100],
  ["NOAUTH Authentication required.", "auth", "auth", undefined],
  ["WRONGPASS invalid username-password pair or user is disabled.", "auth", "stays", undefined],
  ["NOPERM this user has no permissions to run the 'get' command", "auth", "stays", undefined],
  ["DENIED Redis is running in protected mode because protected mode is enabled", "auth", "auth", undefined],
  ["NOPROTO unsupported protocol version", "fatal", "stays", undefined],
  ["ERR DB index is out of range", "fatal", "stays", undefined],
  ["ERR invalid password", "auth", "stays", undefined],
  ["MOVED 3999 127.0.0.1:6381", "endpoint", "stays", undefined],
  ["ASK 3999 127.0.0.1:6381", "endpoint", "stays", undefined],
  [
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "transient",
    "stays",
    undefined,
  ],
  ["OOM command not allowed when used memory > 'maxmemory'.", "transient", "stays", undefined],
  ["EXECABORT Transaction discarded because of previous errors.", "transient", "stays", undefined],
  [
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "endpoint",
    "endpoint",
    0,
  ],
];

test("refusals of the server: the attempt, the ready connection, and the call", () => {
  for (const [reply, attempt, ready, retryAfterMs] of replies) {
    const error = new Error(reply);
    assert.equal(classifyRedisLink(error, "restore"), attempt, reply);
    assert.equal(refusalOf(reply)?.ready ?? "stays", ready, reply);
    const verdict = classifyRedisCall(error, answered, call);
    if (ready === "stays" && retryAfterMs === undefined) {
      assert.equal(verdict, "answered", reply);
    } else {
      assert.deepEqual(
        verdict,
        {
          outcome: "not-applied",
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
          ...(ready === "stays" ? {} : { link: ready }),
        },
        reply,
      );
    }
  }
});

test("exactly the replies go-redis retries are sent again, and the role change under a blocked call", () => {
  const again = replies.filter(([, , , wait]) => wait !== undefined).map(([reply]) => reply.split(" ")[0]);
  assert.deepEqual(
    new Set(again),
    new Set([
      "LOADING",
      "READONLY",
      "MASTERDOWN",
      "CLUSTERDOWN",
      "TRYAGAIN",
      "NOREPLICAS",
      "ERR",
      "UNBLOCKED",
    ]),
  );
});

test("a reply that only resembles a refusal is an answer", () => {
  for (const reply of [
    "ERR syntax error",
    "ERR unknown command 'LOADING'",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "BUSYKEY Target key name already exists.",
    "BUSYGROUP Consumer Group name already exists",
    "LOADINGS x",
    "loading x",
    "UNBLOCKED client unblocked via CLIENT UNBLOCK",
    "",
  ]) {
    assert.equal(refusalOf(reply), undefined, reply);
    assert.equal(classifyRedisCall(new Error(reply), answered, call), "answered", reply);
  }
});

test("an error from inside a script proves nothing: the script may have written before it", () => {
  const reply =
    "READONLY You can't write against a read only replica. script: e0e1f9fabfc9d4800c877a703b823ac0578ff8db, on @user_script:1.";
  assert.equal(classifyRedisCall(new Error(reply), answered, call), "answered");
});

test("evidence goes before words: taken back is not applied, lost is maybe applied, pinned is never sent again", () => {
  const loading = new Error("LOADING x");
  assert.deepEqual(classifyRedisCall(loading, { unsent: true, lost: true }, call), {
    outcome: "not-applied",
  });
  assert.deepEqual(classifyRedisCall(loading, { unsent: false, lost: true }, call), {
    outcome: "maybe-applied",
  });
  assert.deepEqual(classifyRedisCall(coded("ECONNRESET"), { unsent: false, lost: true }, call), {
    outcome: "maybe-applied",
  });
  assert.equal(classifyRedisCall(loading, answered, { ...call, kind: "pinned" }), "answered");
});

test("socket, name and certificate errors", () => {
  const rows: Readonly<Record<string, string>> = {
    transient:
      "ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ECONNABORTED EAI_AGAIN EMFILE ENOENT EWHATEVER",
    endpoint:
      "ENOTFOUND CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN ERR_TLS_CERT_ALTNAME_INVALID UNABLE_TO_VERIFY_LEAF_SIGNATURE ERR_SSL_WRONG_VERSION_NUMBER",
    fatal: "EACCES EPERM ERR_SOCKET_BAD_PORT ERR_INVALID_ARG_TYPE",
  };
  for (const [expected, codes] of Object.entries(rows)) {
    for (const code of codes.split(" ")) assert.equal(classifyRedisLink(coded(code), "dial"), expected, code);
  }
});

test("every address failed: the mildest of their classes", () => {
  const all = (...codes: string[]): string => classifyRedisLink(new AggregateError(codes.map(coded)), "dial");
  assert.equal(all("EACCES", "ECONNREFUSED"), "transient");
  assert.equal(all("EACCES", "CERT_HAS_EXPIRED"), "endpoint");
  assert.equal(all("EACCES", "EACCES"), "fatal");
});

test("our own errors and odd throws", () => {
  assert.equal(classifyRedisLink(new HoldfastError("HF_OPTION", "x"), "dial"), "fatal");
  assert.equal(classifyRedisLink(new HoldfastError("HF_AUTH", "x"), "restore"), "auth");
  assert.equal(classifyRedisLink(new HoldfastError("HF_HALF_OPEN", "x"), "ready"), "transient");
  for (const odd of [undefined, null, "text", 5, {}, new Error("Socket closed unexpectedly")]) {
    assert.equal(classifyRedisLink(odd, "ready"), "transient");
  }
});
