import assert from "node:assert/strict";
import { test } from "node:test";
import { constant } from "../../../src/backoff/index.ts";
import { connect, errors } from "../../../src/drivers/nats/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, next, quick, withNats } from "./support.ts";

/** Refuses CONNECT on every connection for which `refuses` says so. */
function refusing(refuses: (n: number) => boolean, text = "Authorization Violation") {
  return {
    line: (line: string, socket: { end(text: string): unknown }, n: number) => {
      if (!line.startsWith("CONNECT") || !refuses(n)) return undefined;
      socket.end(`-ERR '${text}'\r\n`);
      return false;
    },
  };
}

test("[nats 63]: the same refusal twice from one server ends an infinite reconnect, with the error", async (t) => {
  const server = await fakeNats(
    t,
    refusing((n) => n > 1),
  );
  const nc = await connected(t, server.url, { resilience: { auth: { backoff: constant(10) } } });
  for (const socket of server.open) socket.destroy();
  const why = await nc.closed();
  assert.ok(why instanceof errors.AuthorizationError, String(why));
  assert.equal(server.accepted(), 3);
});

test("[nats 70]: ignoreAuthErrorAbort goes on, and a success between two refusals clears the first", async (t) => {
  const stubborn = await fakeNats(
    t,
    refusing((n) => n > 1 && n < 6),
  );
  const options = { resilience: { auth: { backoff: constant(10) } } };
  const nc = await connected(t, stubborn.url, { ...options, ignoreAuthErrorAbort: true });
  const back = next(nc, "reconnected");
  for (const socket of stubborn.open) socket.destroy();
  await back;
  assert.equal(stubborn.accepted(), 6);

  const flaky = await fakeNats(
    t,
    refusing((n) => n === 2 || n === 4),
  );
  const other = await connected(t, flaky.url, options);
  for (let round = 0; round < 2; round++) {
    const again = next(other, "reconnected");
    for (const socket of flaky.open) socket.destroy();
    await again;
  }
  assert.equal(flaky.accepted(), 5);
});

test("[nats 63]: refusals count for each server: one of each of two servers ends nothing, a second one of the same does", async (t) => {
  const options = { resilience: { auth: { backoff: constant(10) }, stableAfterMs: 0 } };
  for (const times of [1, 2]) {
    let left = 0;
    const a = await fakeNats(
      t,
      refusing((n) => n > 1 && n <= 1 + times),
    );
    const b = await fakeNats(
      t,
      refusing(() => left-- > 0),
    );
    const nc = await connected(t, [a.url, b.url], options);
    left = times;
    const back = next(nc, "reconnected");
    for (const socket of a.open) socket.destroy();
    if (times === 1) await back;
    else assert.ok((await nc.closed()) instanceof errors.AuthorizationError);
    // Lost by a, refused by b, by a, then by b again: the third is the second of its server.
    assert.deepEqual([b.accepted(), a.accepted()], [2, 2]);
  }
});

test("[nats 17] [nats 66] [nats 61]: credentials are asked for at each attempt; a callback that throws is tried again", async (t) => {
  const server = await fakeNats(t);
  let calls = 0;
  const nc = await connected(t, server.url, {
    authenticator: () => {
      calls++;
      if (calls === 2) throw new Error("the credential file is gone");
      return { auth_token: `token-${calls}` };
    },
  });
  const failed = next(nc, "attemptFailed");
  const back = next(nc, "reconnected");
  for (const socket of server.open) socket.write("-ERR 'User Authentication Expired'\r\n");
  const { cause } = (await failed) as { cause: unknown };
  assert.match(String(cause), /credential file is gone/);
  await back;
  const tokens = server.lines
    .filter((line) => line.startsWith("CONNECT"))
    .map((line) => /token-\d/.exec(line)?.[0]);
  assert.deepEqual(tokens, ["token-1", "token-3"]);
});

test("[nats 66]: a wrong password fails the first connect with the library's error as cause, and shows no secret", async (t) => {
  const server = await withNats(t, { password: "right" });
  if (server === undefined) return;
  await assert.rejects(
    connect({ ...quick, servers: server.url.replace("right", "wr0ng-one") }),
    (error: unknown) => {
      assert.ok(error instanceof Error);
      assert.ok(error.cause instanceof errors.AuthorizationError);
      assert.ok(!`${error.message} ${error.stack}`.includes("wr0ng-one"));
      return true;
    },
  );
  const nc = await connected(t, server.url);
  await nc.flush();
  await until("ready", 10_000, () => nc.resilience.snapshot().phase === "ready");
});
