/** How callers wait: in order, within their deadline, in a bounded queue. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { FakeError, FakeServer, watch, within } from "./fake.ts";

test("[mariadb-redis 6] callers are served in the order they came, the higher priority first", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  const first = await within(server, 100, pool.acquire());
  const served: string[] = [];
  const call = (name: string, priority?: number): Promise<void> =>
    pool.use(() => void served.push(name), priority === undefined ? {} : { priority });
  const all = Promise.all([
    call("a"),
    call("b"),
    call("low", -1),
    call("c"),
    call("high", 5),
    call("high 2", 5),
  ]);
  first.release();
  await within(server, 100, all);
  assert.deepEqual(served, ["high", "high 2", "a", "b", "c", "low"]);
});

test("[mariadb-redis 6] a caller that left is never served, and its connection goes to the next", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  const first = await within(server, 100, pool.acquire());
  const controller = new AbortController();
  const left = watch(pool.acquire({ signal: controller.signal }));
  const timedOut = watch(pool.acquire({ deadlineMs: 50 }));
  const next = watch(pool.acquire());
  const reason = new Error("changed my mind");
  controller.abort(reason);
  await server.clock.advanceAsync(100);
  first.release();
  await server.clock.advanceAsync(0);
  assert.equal(left.error, reason);
  assert.ok(isHoldfastError(timedOut.error));
  assert.equal(next.value?.connection.id, 1);
  assert.equal(pool.stats().waiting, 0);
  await assert.rejects(pool.acquire({ signal: controller.signal }), reason);
});

test("[mariadb-redis 6] a connection opened for a caller that timed out stays in the pool", async () => {
  const server = new FakeServer();
  server.dialMs = 100;
  const pool = server.pool();
  await assert.rejects(within(server, 200, pool.acquire({ deadlineMs: 50 })));
  await server.clock.advanceAsync(200);
  assert.equal(pool.stats().idle, 1);
  assert.equal((await pool.acquire()).connection.id, 1);
});

test("[mariadb-redis 7] the deadline of acquire is absolute: dead connections in between do not restart it", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 5, min: 5, validateAfterIdleMs: 0, validationTimeoutMs: 400 });
  await server.clock.advanceAsync(1_000);
  for (const conn of server.live) conn.silent = true;
  server.swallow = true;
  const startMs = server.clock.nowMs();
  const caller = watch(pool.acquire({ deadlineMs: 1_000 }));
  await server.clock.advanceAsync(1_025);
  assert.ok(isHoldfastError(caller.error));
  assert.equal(caller.error.code, "HF_DEADLINE");
  assert.ok(pool.stats().closed.invalid >= 5);
  assert.equal(server.clock.nowMs() - startMs, 1_025);
});

test("[mariadb-redis 8] the timeout error names the last failed dial and the counts", async () => {
  const server = new FakeServer();
  const pool = server.pool({ name: "orders", max: 3 });
  const held = await within(server, 100, pool.acquire());
  server.refuse = new FakeError("connection refused by 127.0.0.1");
  const one = watch(pool.acquire({ deadlineMs: 300 }));
  const two = watch(pool.acquire({ deadlineMs: 900 }));
  await server.clock.advanceAsync(400);
  const { error } = one;
  assert.ok(isHoldfastError(error));
  assert.equal(error.code, "HF_DEADLINE");
  assert.equal(error.step, "acquire");
  assert.equal(error.outcome, "not-applied");
  assert.equal(error.cause, server.refuse);
  const { total, active, idle, waiting } = error.details as Record<string, number>;
  assert.deepEqual({ total, active, idle, waiting }, { total: 1, active: 1, idle: 0, waiting: 1 });
  assert.match(
    error.message,
    /^no connection of orders within 3\d\d ms \(1 open, 1 in use, 0 idle, \d being/,
  );
  assert.match(error.message, /the last dial failed: connection refused/);
  held.release();
  await server.clock.advanceAsync(0);
  assert.ok(two.value);
});

test("[mariadb-redis 8] a pool that is only busy names no dial error", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  await within(server, 100, pool.acquire());
  const caller = watch(pool.acquire({ deadlineMs: 100 }));
  await server.clock.advanceAsync(200);
  assert.ok(isHoldfastError(caller.error));
  assert.equal("cause" in caller.error, false);
  assert.doesNotMatch(caller.error.message, /dial failed/);
});

test("[mariadb-redis 9] after a timeout the pool serves as before", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  const held = await within(server, 100, pool.acquire());
  await assert.rejects(within(server, 1_000, pool.acquire({ deadlineMs: 100 })), { code: "HF_DEADLINE" });
  held.release();
  for (let i = 0; i < 3; i++)
    await within(
      server,
      100,
      pool.use(() => {}),
    );
  assert.equal(server.opened.length, 1);
  assert.equal(pool.stats().timeouts, 1);
});

test("[mariadb-redis 10] one caller too many is refused with an error of its own", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1, maxWaiting: 2 });
  const held = await within(server, 100, pool.acquire());
  const waiting = [watch(pool.acquire()), watch(pool.acquire())];
  await assert.rejects(pool.acquire(), { code: "HF_POOL_FULL", outcome: "not-applied" });
  held.release();
  await server.clock.advanceAsync(0);
  assert.ok(waiting[0]?.value);
  assert.equal(waiting[1]?.settled, false);
});

test("[mariadb-redis 10] waiting callers are bounded in bytes, as far as they say, and in age by their deadlines", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1, maxWaitingBytes: 100 });
  const held = await within(server, 100, pool.acquire());
  const first = watch(pool.acquire({ bytes: 60, deadlineMs: 500 }));
  await assert.rejects(pool.acquire({ bytes: 41 }), {
    code: "HF_POOL_FULL",
    message: /100 bytes are allowed/,
  });
  const silent = watch(pool.acquire());
  await server.clock.advanceAsync(600); // the first gives up, and its bytes are free
  assert.equal((first.error as { code?: string }).code, "HF_DEADLINE");
  const second = watch(pool.acquire({ bytes: 100 }));
  held.release();
  await server.clock.advanceAsync(0);
  silent.value?.release();
  await server.clock.advanceAsync(0);
  assert.ok(second.value);
  await assert.rejects(pool.acquire({ bytes: -1 }), /"bytes" is -1/);
});

test("with a deadline of 0 only a connection at hand will do", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  await assert.rejects(pool.acquire({ deadlineMs: 0 }), { code: "HF_DEADLINE" });
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  (await pool.acquire({ deadlineMs: 0 })).release();
});

test("a wrong priority or deadline is refused with the allowed range", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  await within(server, 100, pool.acquire());
  await assert.rejects(
    pool.acquire({ priority: 11 }),
    /"priority" is 11, but must be a whole number from -10 to 10/,
  );
  await assert.rejects(pool.acquire({ deadlineMs: Number.NaN }), /"deadlineMs" is NaN/);
  assert.equal(pool.stats().waiting, 0);
});

test("[mariadb-redis 27] a suspended pool parks its callers; their deadlines still count", async () => {
  const server = new FakeServer();
  const pool = server.pool({ min: 1 });
  await server.clock.advanceAsync(100);
  pool.suspend();
  const short = watch(pool.acquire({ deadlineMs: 100 }));
  const long = watch(pool.acquire({ deadlineMs: 1_000 }));
  await server.clock.advanceAsync(200);
  assert.ok(isHoldfastError(short.error) && short.error.code === "HF_DEADLINE");
  assert.equal(long.settled, false);
  assert.equal(server.dialsAtMs.length, 1);
  pool.resume();
  await server.clock.advanceAsync(0);
  assert.equal(long.value?.connection.id, 1);
});

test("[mariadb-redis 27] what comes back while suspended is kept for the resume", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  const held = await within(server, 100, pool.acquire());
  const caller = watch(pool.acquire());
  pool.suspend();
  held.release();
  await server.clock.advanceAsync(10);
  assert.equal(caller.settled, false);
  assert.equal(pool.stats().idle, 1);
  pool.resume();
  await server.clock.advanceAsync(0);
  assert.ok(caller.value);
});

test("[mariadb-redis 60] the numbers: open, in use, idle, waiting, waits, closed by reason, dial failures, last error", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 2 });
  const a = await within(server, 100, pool.acquire());
  const b = await within(server, 100, pool.acquire());
  const waiting = pool.acquire();
  await server.clock.advanceAsync(70);
  assert.deepEqual(
    { open: pool.stats().open, inUse: pool.stats().inUse, waiting: pool.stats().waiting },
    { open: 2, inUse: 2, waiting: 1 },
  );
  a.release();
  (await waiting).release();
  const lost = new FakeError("gone");
  server.refuse = new FakeError("refused");
  b.release(lost);
  const stats = pool.stats();
  assert.equal(stats.waitCount, 3); // both first callers had to wait for their dial
  assert.equal(stats.waitMs, 10 + 10 + 70);
  assert.equal(stats.opened, 2);
  assert.equal(stats.closed.error, 1);
  assert.equal(stats.idle, 1);
  assert.equal(stats.lastError, lost);
});
