/** How long connections live, and how a pool ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { ElasticPool } from "../../src/pool/index.ts";
import type { Clock } from "../../src/time/index.ts";
import { type Conn, FakeError, FakeServer, watch, within } from "./fake.ts";

const NEVER = Number.POSITIVE_INFINITY;

async function held(server: FakeServer, pool: ElasticPool<Conn>, count: number) {
  return within(server, 10_000, Promise.all(Array.from({ length: count }, () => pool.acquire())));
}

test("[mariadb-redis 3] a lower max closes the surplus on return, never in use", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 4 });
  const leases = await held(server, pool, 4);
  pool.configure({ max: 2 });
  await server.clock.advanceAsync(1_000);
  assert.equal(server.live.length, 4);
  for (const lease of leases) lease.release();
  assert.equal(server.live.length, 2);
  assert.equal(pool.stats().closed.resized, 2);
  pool.configure({ max: 3 });
  await held(server, pool, 3);
  assert.equal(server.live.length, 3);
});

test("[mariadb-redis 4] the idle ceiling holds on return and at once when lowered, and is counted", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 6, maxIdle: 4 });
  for (const lease of await held(server, pool, 6)) lease.release();
  assert.equal(pool.stats().idle, 4);
  assert.equal(pool.stats().closed["max-idle"], 2);
  pool.configure({ maxIdle: 1 });
  assert.equal(pool.stats().idle, 1);
  assert.equal(pool.stats().closed["max-idle"], 5);
  pool.configure({ maxIdle: 0 });
  assert.equal(server.live.length, 0);
});

test("[mariadb-redis 5] idle connections are reused last in, first out: a trickle lets the pool shrink to its minimum", async () => {
  const trickle = async (idleOrder: "lifo" | "fifo"): Promise<number> => {
    const server = new FakeServer();
    const pool = server.pool({ max: 6, min: 2, maxIdleTimeMs: 10_000, idleOrder });
    for (const lease of await held(server, pool, 6)) lease.release();
    for (let i = 0; i < 60; i++) {
      await within(
        server,
        100,
        pool.use(() => {}),
      );
      await server.clock.advanceAsync(1_000);
    }
    return pool.stats().open;
  };
  assert.equal(await trickle("lifo"), 2);
  assert.equal(await trickle("fifo"), 6);
});

test("[mariadb-redis 21] the lifetime ends idle connections without demand and never cuts one in use", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 2, maxLifetimeMs: 10_000, lifetimeFuzz: 0, maxIdleTimeMs: NEVER });
  const [busy, idle] = await held(server, pool, 2);
  const [busyConn, idleConn] = [busy?.connection as Conn, idle?.connection as Conn];
  idle?.release();
  await server.clock.advanceAsync(9_500);
  assert.equal(idleConn.closed, undefined);
  await server.clock.advanceAsync(1_000);
  assert.equal(idleConn.closed, "graceful");
  await server.clock.advanceAsync(10_000);
  assert.equal(busyConn.closed, undefined);
  busy?.release();
  assert.equal(busyConn.closed, "graceful");
  assert.equal(pool.stats().closed.lifetime, 2);
});

test("[mariadb-redis 22] connections made together do not expire together", async () => {
  const server = new FakeServer();
  const pool = server.pool({
    max: 50,
    maxLifetimeMs: 100_000,
    lifetimeFuzz: 0.25,
    maxIdleTimeMs: NEVER,
    dialConcurrency: 50,
  });
  for (const lease of await held(server, pool, 50)) lease.release();
  assert.equal(pool.stats().idle, 50);
  const expiredAtMs: number[] = [];
  pool.on("retired", () => expiredAtMs.push(server.clock.nowMs()));
  await server.clock.advanceAsync(74_000);
  assert.equal(expiredAtMs.length, 0);
  await server.clock.advanceAsync(27_000);
  assert.equal(expiredAtMs.length, 50);
  const most = Math.max(
    ...expiredAtMs.map((at) => expiredAtMs.filter((b) => Math.abs(b - at) <= 500).length),
  );
  assert.ok(most <= 8, `${most} within a second`);
});

test("a shorter lifetime counts for the connections that are open", async () => {
  const server = new FakeServer();
  const pool = server.pool({ lifetimeFuzz: 0 });
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  await server.clock.advanceAsync(5_000);
  pool.configure({ maxLifetimeMs: 1_000 });
  assert.equal(pool.stats().closed.lifetime, 1);
});

test("[mariadb-redis 23] a keepalive takes the connection out of rotation, has a deadline, and replaces the dead", async () => {
  const server = new FakeServer();
  const pool = server.pool({ min: 1, keepaliveMs: 10_000, validationTimeoutMs: 1_000 });
  await server.clock.advanceAsync(100);
  const first = server.opened[0] as Conn;
  await server.clock.advanceAsync(10_000);
  assert.equal(first.validations, 1);
  assert.equal(pool.stats().idle, 1);
  first.silent = true;
  while (first.validations < 2) await server.clock.advanceAsync(25);
  assert.deepEqual({ idle: pool.stats().idle, busy: pool.stats().busy }, { idle: 0, busy: 1 });
  const other = await within(server, 100, pool.acquire());
  assert.notEqual(other.connection, first);
  await server.clock.advanceAsync(1_100);
  assert.equal(first.closed, "abrupt");
});

test("a keepalive does not make a connection look used: it still ages out", async () => {
  const server = new FakeServer();
  const pool = server.pool({ keepaliveMs: 1_000, maxIdleTimeMs: 5_000 });
  const conn = await within(
    server,
    100,
    pool.use((c) => c),
  );
  await server.clock.advanceAsync(5_050);
  assert.ok(conn.validations >= 4);
  assert.equal(pool.stats().closed["idle-time"], 1);
});

test("[mariadb-redis 25] soft eviction spares what is in use until its return; hard eviction does not", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 3 });
  const [a, b, c] = await held(server, pool, 3);
  const conns = server.opened;
  c?.release();
  pool.evict();
  assert.deepEqual(
    conns.map((conn) => conn.closed),
    [undefined, undefined, "graceful"],
  );
  a?.release();
  assert.equal(conns[0]?.closed, "graceful");
  pool.evict({ hard: true });
  assert.equal(conns[1]?.closed, "abrupt");
  assert.equal(pool.stats().inUse, 0);
  b?.release(); // its connection is closed already: no second close, no wrong count
  assert.equal(pool.stats().inUse, 0);
  assert.equal(pool.stats().closed.evicted, 3);
});

test("[mariadb-redis 26] a lease held too long is reported with the stack of its acquire, and cleared on return", async () => {
  const server = new FakeServer();
  const pool = server.pool({ leakThresholdMs: 2_000 });
  const leaks: string[] = [];
  pool.on("leak", ({ heldMs, stack }) => leaks.push(`${Math.round(heldMs / 1_000)} ${stack}`));
  let returned = 0;
  pool.on("leakReturned", () => returned++);
  async function forgetfulCaller() {
    return pool.acquire();
  }
  const lease = await within(server, 100, forgetfulCaller());
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  await server.clock.advanceAsync(10_000);
  assert.equal(leaks.length, 1, "reported once");
  assert.match(leaks[0] as string, /^2 .*forgetfulCaller/s);
  assert.equal(pool.stats().leaked, 1);
  lease.release();
  await server.clock.advanceAsync(0);
  assert.equal(pool.stats().leaked, 0);
  assert.equal(returned, 1);
  await within(
    server,
    2_000,
    pool.use(() => server.after(1_500)),
  );
  await server.clock.advanceAsync(10_000);
  assert.equal(leaks.length, 1);
});

test("[mariadb-redis 28] a leap of the wall clock evicts nothing and freezes no timer", async () => {
  const server = new FakeServer();
  let leapMs = 0;
  const clock: Clock = {
    nowMs: () => server.clock.nowMs(),
    wallMs: () => server.clock.wallMs() + leapMs,
    setTimer: (delayMs, fire) => server.clock.setTimer(delayMs, fire),
  };
  const world = { ...server.world, clock };
  const pool = new ElasticPool<Conn>({ connector: server.connector(), world, maxIdleTimeMs: 10_000 });
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  for (const leap of [-3_600_000, 7_200_000]) {
    leapMs += leap;
    await server.clock.advanceAsync(2_000);
    assert.equal(pool.stats().idle, 1);
  }
  await server.clock.advanceAsync(7_000);
  assert.equal(pool.stats().closed["idle-time"], 1);
});

test("[mariadb-redis 32] close: new and waiting callers are rejected, what is in use is awaited, nothing is left", async () => {
  const server = new FakeServer();
  server.closeMs = 5;
  const pool = server.pool({ max: 3, min: 1, leakThresholdMs: 60_000, keepaliveMs: 30_000 });
  const [a, b] = await held(server, pool, 2);
  a?.release();
  server.swallow = true;
  const c = await pool.acquire();
  const waiting = watch(pool.acquire());
  const closing = pool.close();
  assert.equal(pool.close(), closing, "idempotent");
  await assert.rejects(pool.acquire(), { code: "HF_CLOSED" });
  await server.clock.advanceAsync(100);
  assert.ok(isHoldfastError(waiting.error) && waiting.error.code === "HF_CLOSED");
  assert.equal(watch(closing).settled, false);
  assert.equal(server.dialing, 0, "the dial under way was given up");
  b?.release();
  c.release(new FakeError("broke at the end"));
  await within(server, 100, closing);
  assert.equal(server.live.length, 0);
  assert.equal(server.clock.pendingTimers, 0);
  assert.equal(pool.stats().open, 0);
});

test("[mariadb-redis 32] what is in use at the deadline of close is destroyed", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  const [lease] = await held(server, pool, 1);
  const conn = lease?.connection as Conn;
  const closing = watch(pool.close({ deadlineMs: 1_000 }));
  await server.clock.advanceAsync(999);
  assert.equal(conn.closed, undefined);
  await server.clock.advanceAsync(1);
  assert.equal(conn.closed, "abrupt");
  assert.equal(closing.settled, true);
  lease?.release();
  assert.equal(server.clock.pendingTimers, 0);
});

test("[mariadb-redis 32] a second close with a nearer deadline hastens the first", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  await held(server, pool, 1);
  const closing = watch(pool.close({ deadlineMs: 60_000 }));
  await within(server, 10, pool.close({ deadlineMs: 0 }));
  await server.clock.advanceAsync(0);
  assert.equal(closing.settled, true);
  assert.equal(server.live.length, 0);
});

test("[mariadb-redis 32] close during validation closes that connection and settles its caller", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  const conn = await within(
    server,
    100,
    pool.use((c) => c),
  );
  await server.clock.advanceAsync(5_000);
  conn.silent = true;
  const caller = watch(pool.acquire());
  await server.clock.advanceAsync(5);
  await within(server, 10, pool.close());
  assert.ok(isHoldfastError(caller.error) && caller.error.code === "HF_CLOSED");
  assert.equal(conn.closed, "abrupt");
  assert.equal(server.clock.pendingTimers, 0);
});

test("[mariadb-redis 33] the process can exit while every connection is idle, if asked", async () => {
  const server = new FakeServer();
  const holds = {
    ref: (c: Conn) => {
      c.holdsProcess = true;
    },
    unref: (c: Conn) => {
      c.holdsProcess = false;
    },
  };
  const pool = server.pool({ exitWhenIdle: true, min: 1 }, holds);
  await server.clock.advanceAsync(100);
  const conn = server.opened[0] as Conn;
  assert.equal(conn.holdsProcess, false);
  const lease = await pool.acquire();
  assert.equal(conn.holdsProcess, true);
  lease.release();
  assert.equal(conn.holdsProcess, false);
  assert.throws(() => server.pool({ exitWhenIdle: true }), /exitWhenIdle.*no ref and unref/);
});

test("[mariadb-redis 33] no timer of an idle pool holds the process", async () => {
  const server = new FakeServer();
  const held: boolean[] = [];
  const clock: Clock = {
    nowMs: () => server.clock.nowMs(),
    wallMs: () => server.clock.wallMs(),
    setTimer: (delayMs, fire, options) => {
      held.push(options?.unref !== true);
      return server.clock.setTimer(delayMs, fire);
    },
  };
  const pool = new ElasticPool<Conn>({
    ...{ connector: server.connector(), world: { ...server.world, clock } },
    ...{ leakThresholdMs: 1_000, keepaliveMs: 5_000 },
  });
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  assert.ok(held.length >= 2);
  assert.equal(held.includes(true), false);
});
