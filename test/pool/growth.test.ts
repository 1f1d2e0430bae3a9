/** When a pool dials, and when it does not. Names carry the rows of the peers' checklist. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import type { Lease } from "../../src/pool/index.ts";
import { type Conn, FakeError, FakeServer, watch, within } from "./fake.ts";

test("[mariadb-redis 1] making a pool dials nothing unless a warm minimum is asked for", async () => {
  const server = new FakeServer();
  const lazy = server.pool();
  await server.clock.advanceAsync(60_000);
  assert.equal(server.dialsAtMs.length, 0);
  const warm = server.pool({ min: 3 });
  await server.clock.advanceAsync(100);
  assert.equal(server.dialsAtMs.length, 3);
  assert.equal(warm.stats().idle, 3);
  assert.equal(lazy.stats().open, 0);
});

test("[mariadb-redis 2] never more than max open, dials in progress counted, under a burst with dial failures", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 4, dialConcurrency: 100, stableAfterMs: 0 });
  let done = 0;
  const work = async (): Promise<void> => {
    await pool.use(() => server.after(5));
    done++;
  };
  const all = Promise.all(Array.from({ length: 60 }, work));
  for (let i = 0; i < 40; i++) {
    server.refuse = i % 3 === 0 ? new FakeError("refused") : undefined;
    await server.clock.advanceAsync(7);
  }
  server.refuse = undefined;
  await within(server, 20_000, all);
  assert.equal(done, 60);
  assert.ok(server.mostAtOnce <= 4, `${server.mostAtOnce} at once`);
  assert.ok(server.mostAtOnce > 1);
});

test("[mariadb-redis 11] a failed dial rejects nobody while others or a retry can serve", async () => {
  const server = new FakeServer();
  server.refuse = new FakeError("refused");
  const pool = server.pool({ max: 2 });
  const waiting = Array.from({ length: 5 }, () => watch(pool.acquire()));
  await server.clock.advanceAsync(30);
  assert.ok(pool.stats().dialFailures >= 2);
  server.refuse = undefined;
  await server.clock.advanceAsync(3_000);
  assert.equal(waiting.filter(({ value }) => value !== undefined).length, 2);
  assert.equal(waiting.filter(({ error }) => error !== undefined).length, 0);
});

test("[mariadb-redis 12] dials while the server is down: bounded, whatever the number of waiting callers", async () => {
  const dialsWith = async (callers: number): Promise<number> => {
    const server = new FakeServer(7);
    server.refuse = new FakeError("refused");
    server.dialMs = 0;
    const pool = server.pool({ max: 100 });
    for (let i = 0; i < callers; i++) watch(pool.acquire());
    await server.clock.advanceAsync(2_000);
    // The first two together; after a failure one at a time, never sooner than the schedule's shortest delay.
    const gaps = server.dialsAtMs.slice(2).map((atMs, i) => atMs - (server.dialsAtMs[i + 1] as number));
    assert.ok(Math.min(...gaps) >= 50, `${gaps}`);
    return server.dialsAtMs.length;
  };
  const three = await dialsWith(3);
  // generic-pool: 248,079 with three callers in these 2 s; tarn: 30.
  assert.ok(three >= 4 && three <= 20, `${three} dials`);
  assert.equal(await dialsWith(1_000), three);
});

test("[mariadb-redis 12] a server that accepts and drops is backed off from like one that refuses", async () => {
  const server = new FakeServer();
  server.dialMs = 1;
  const pool = server.pool({ max: 10 });
  watch(
    (async () => {
      for (;;) {
        const lease = await pool.acquire();
        server.cut(lease.connection);
        lease.release(new FakeError("reset"));
      }
    })(),
  );
  await server.clock.advanceAsync(10_000);
  assert.ok(server.dialsAtMs.length <= 25, `${server.dialsAtMs.length} dials`);
  assert.ok(server.dialsAtMs.length >= 6, `${server.dialsAtMs.length} dials`);
});

test("[mariadb-redis 13] retrying stops when nobody waits any more, and on close", async () => {
  const server = new FakeServer();
  server.refuse = new FakeError("refused");
  const pool = server.pool();
  const caller = watch(pool.acquire({ deadlineMs: 500 }));
  await server.clock.advanceAsync(1_000);
  assert.ok(isHoldfastError(caller.error));
  const dials = server.dialsAtMs.length;
  await server.clock.advanceAsync(60_000);
  assert.equal(server.dialsAtMs.length, dials);

  const another = watch(pool.acquire());
  await server.clock.advanceAsync(100);
  assert.ok(server.dialsAtMs.length > dials);
  await pool.close();
  const atClose = server.dialsAtMs.length;
  await server.clock.advanceAsync(60_000);
  assert.ok(isHoldfastError(another.error) && another.error.code === "HF_CLOSED");
  assert.equal(server.dialsAtMs.length, atClose);
  assert.equal(server.clock.pendingTimers, 0);
});

for (const [linkClass, code] of [
  ["auth", "HF_AUTH"],
  ["fatal", "HF_CONNECT"],
] as const) {
  test(`[mariadb-redis 14] a dial error of class ${linkClass} reaches the callers at once, without a retry loop`, async () => {
    const server = new FakeServer();
    server.refuse = new FakeError("refused for good", linkClass);
    const pool = server.pool({ min: 2 });
    await server.clock.advanceAsync(60_000);
    assert.ok(server.dialsAtMs.length <= 2, "the warm minimum is no reason to loop");
    const before = server.dialsAtMs.length;
    const callers = Array.from({ length: 4 }, () => watch(pool.acquire()));
    await server.clock.advanceAsync(server.dialMs);
    for (const { error } of callers) {
      assert.ok(isHoldfastError(error));
      assert.equal(error.code, code);
      assert.equal(error.cause, server.refuse);
      assert.equal(error.outcome, "not-applied");
    }
    // Too soon to ask again: the next caller is told without a dial.
    const dials = server.dialsAtMs.length;
    await assert.rejects(pool.acquire(), { code });
    assert.equal(server.dialsAtMs.length, dials);
    assert.ok(dials - before <= 2);
    server.refuse = undefined;
    await server.clock.advanceAsync(60_000);
    await within(server, 100, pool.acquire());
  });
}

test("[mariadb-redis 15] a returned connection serves the caller for whom a dial is under way", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 10 });
  const first = await within(server, 100, pool.acquire());
  server.dialMs = 1_000;
  const second = watch(pool.acquire());
  await server.clock.advanceAsync(5);
  assert.equal(pool.stats().dialing, 1);
  first.release();
  await server.clock.advanceAsync(0);
  assert.equal(second.value?.connection.id, 1);
});

test("[mariadb-redis 16] the spike: 50 callers of 2 ms, 5 idle, a dial takes 150 ms: under 40 ms with at most 7 connections", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 50, min: 5 });
  await server.clock.advanceAsync(200);
  assert.equal(pool.stats().idle, 5);
  server.dialMs = 150;
  const startMs = server.clock.nowMs();
  const calls = Promise.all(Array.from({ length: 50 }, () => pool.use(() => server.after(2))));
  await within(server, 1_000, calls);
  const tookMs = server.clock.nowMs() - startMs;
  assert.ok(tookMs < 40, `${tookMs} ms`);
  await server.clock.advanceAsync(1_000);
  assert.ok(server.opened.length <= 7, `${server.opened.length} connections`);
});

test("long leases make the pool grow fast: dials double while callers go on waiting", async () => {
  const server = new FakeServer();
  server.dialMs = 100;
  const pool = server.pool({ max: 64 });
  const leases: Lease<Conn>[] = [];
  const callers = Array.from({ length: 64 }, async () => {
    leases.push(await pool.acquire());
  });
  await within(server, 800, Promise.all(callers));
  assert.equal(leases.length, 64);
});

test("[mariadb-redis 24] the warm minimum is refilled after an eviction, at a limited rate", async () => {
  const server = new FakeServer();
  const pool = server.pool({ min: 8, max: 10 });
  await server.clock.advanceAsync(1_000);
  assert.equal(pool.stats().idle, 8);
  server.refuse = new FakeError("restarting");
  pool.evict();
  const before = server.dialsAtMs.length;
  await server.clock.advanceAsync(1_000);
  assert.ok(server.dialsAtMs.length - before <= 12, `${server.dialsAtMs.length - before} dials in a second`);
  server.refuse = undefined;
  await server.clock.advanceAsync(5_000);
  assert.equal(pool.stats().idle, 8);
  assert.deepEqual(pool.stats().closed.evicted, 8);
});

test("a dial that is never answered is given up, and its late connection is closed", async () => {
  const server = new FakeServer();
  let answer: (conn: Conn) => void = () => {};
  const pool = server.pool(
    { connectTimeoutMs: 1_000, acquireTimeoutMs: 3_000 },
    {
      open: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    },
  );
  const caller = watch(pool.acquire());
  await server.clock.advanceAsync(1_050);
  assert.equal(pool.stats().dialFailures, 1);
  const late: Conn = {
    ...{ id: 1, dead: false, silent: false, closed: undefined, validations: 0, holdsProcess: true },
    context: { signal: new AbortController().signal, attempt: 1, lost() {}, leaving() {} },
  };
  answer(late);
  await server.clock.advanceAsync(0);
  assert.equal(late.closed, "abrupt");
  assert.equal(caller.settled, false);
  await pool.close();
});

test("the attempt number grows with failures in a row and starts again after a success", async () => {
  const server = new FakeServer();
  const attempts: number[] = [];
  const inner = server.connector();
  const pool = server.pool(
    { dialConcurrency: 1 },
    {
      open: (context) => {
        attempts.push(context.attempt);
        return inner.open(context);
      },
    },
  );
  server.refuse = new FakeError("refused");
  const caller = pool.acquire();
  await server.clock.advanceAsync(200);
  const failed = attempts.length;
  assert.ok(failed >= 2);
  assert.deepEqual(
    attempts,
    Array.from({ length: failed }, (_, i) => i + 1),
  );
  server.refuse = undefined;
  await within(server, 5_000, caller);
  attempts.length = 0;
  await within(server, 5_000, pool.acquire());
  assert.deepEqual(attempts, [1]);
});
