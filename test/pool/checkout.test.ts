/** What a caller gets: a connection that works, with nobody else's session. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { type Conn, FakeError, FakeServer, watch, within } from "./fake.ts";

test("[mariadb-redis 17] a connection that is dead at checkout is replaced without the caller noticing", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  await server.clock.advanceAsync(1_000);
  server.restart();
  const lease = await within(server, 200, pool.acquire({ deadlineMs: 200 }));
  assert.equal(lease.connection.dead, false);
  assert.equal(pool.stats().closed.invalid, 1);
});

test("[mariadb-redis 18] every idle connection dead at once: the next call succeeds, and so do as many as there were", async () => {
  const server = new FakeServer();
  const pool = server.pool({ min: 8, max: 8 });
  await server.clock.advanceAsync(2_000);
  server.restart();
  const startMs = server.clock.nowMs();
  const lease = await within(server, 1_000, pool.acquire());
  assert.equal(lease.connection.dead, false);
  assert.ok(server.clock.nowMs() - startMs <= 50, "not one failed validation after the other");
  lease.release();

  await server.clock.advanceAsync(2_000);
  server.restart();
  const seen: boolean[] = [];
  const calls = Array.from({ length: 8 }, () => pool.use((conn) => void seen.push(conn.dead)));
  await within(server, 2_000, Promise.all(calls));
  assert.deepEqual(seen, new Array(8).fill(false));
});

test("[mariadb-redis 19] validation is skipped within the bypass window", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  const conn = await within(
    server,
    100,
    pool.use((c) => c),
  );
  await server.clock.advanceAsync(500);
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  assert.equal(conn.validations, 0);
  await server.clock.advanceAsync(501);
  await within(
    server,
    100,
    pool.use(() => {}),
  );
  assert.equal(conn.validations, 1);
});

test("[mariadb-redis 19] a half-open connection costs the validation's time limit, not the caller's deadline", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 2, validationTimeoutMs: 1_000 });
  const conn = await within(
    server,
    100,
    pool.use((c) => c),
  );
  await server.clock.advanceAsync(10_000);
  conn.silent = true;
  const startMs = server.clock.nowMs();
  const lease = await within(server, 3_000, pool.acquire({ deadlineMs: 3_000 }));
  assert.notEqual(lease.connection, conn);
  assert.ok(server.clock.nowMs() - startMs <= 1_050);
  assert.equal(conn.closed, "abrupt");
});

test("[mariadb-redis 20] after one fatal error every other connection is validated before it is used", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 4 });
  const leases = await within(server, 500, Promise.all(Array.from({ length: 4 }, () => pool.acquire())));
  const [broken, stillOut, ...idle] = leases;
  const heldOut = stillOut?.connection as Conn;
  for (const lease of idle) lease.release();
  broken?.release(new FakeError("server has gone away"));
  stillOut?.release();
  for (let i = 0; i < 3; i++) await within(server, 500, pool.acquire());
  for (const conn of [heldOut, ...server.live.filter((c) => c.id <= 4)]) assert.equal(conn.validations, 1);
});

test("[mariadb-redis 20] without a way to validate, doubtful connections are replaced", async () => {
  const server = new FakeServer();
  const { validate: _, ...plain } = server.connector();
  const { ElasticPool } = await import("../../src/pool/index.ts");
  const pool = new ElasticPool<Conn>({ connector: plain, world: server.world, max: 2 });
  const [a, b] = await within(server, 200, Promise.all([pool.acquire(), pool.acquire()]));
  b?.release();
  server.restart();
  a?.release(new FakeError("gone"));
  const lease = await within(server, 1_000, pool.acquire());
  assert.equal(lease.connection.dead, false);
  assert.equal(pool.stats().closed.invalid, 1);
});

test("[mariadb-redis 20] one failed validation casts doubt on what is in use, too", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 2 });
  const [a, b] = await within(server, 100, Promise.all([pool.acquire(), pool.acquire()]));
  const [inUse, idle] = [a?.connection, b?.connection] as [Conn, Conn];
  b?.release();
  await server.clock.advanceAsync(1_000);
  idle.dead = true;
  const replacement = await within(server, 100, pool.acquire());
  a?.release();
  assert.equal((await within(server, 100, pool.acquire())).connection, inUse);
  assert.equal(inUse.validations, 1);
  assert.equal(replacement.connection.validations, 0);
});

test("[mariadb-redis 6] a newcomer does not overtake the caller whose connection is being validated", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 2 });
  const [a, b] = await within(server, 100, Promise.all([pool.acquire(), pool.acquire()]));
  const [proven, doubtful] = [a?.connection, b?.connection] as [Conn, Conn];
  a?.release();
  b?.doubt();
  server.rttMs = 50;
  const first = watch(pool.acquire());
  const second = watch(pool.acquire());
  await server.clock.advanceAsync(10);
  assert.equal(first.value?.connection, proven);
  assert.equal(second.settled, false);
  await server.clock.advanceAsync(50);
  assert.equal(second.value?.connection, doubtful);
});

test("an error of class endpoint retires every connection: the next ones go elsewhere", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 3 });
  const [a, b, c] = await within(server, 300, Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]));
  c?.release();
  a?.release(new FakeError("read-only", "endpoint"));
  b?.release();
  await server.clock.advanceAsync(10);
  assert.equal(server.live.length, 0);
  assert.equal(pool.stats().closed.evicted, 2);
});

test("[mariadb-redis 29] no session state crosses borrowers, neither by acquire nor by use", async () => {
  const server = new FakeServer();
  const variables = new Map<Conn, string>();
  const pool = server.pool(
    { max: 1 },
    {
      reset: (conn) => {
        if (!variables.has(conn)) return undefined; // clean: costs nothing
        return server.after(2).then(() => void variables.delete(conn));
      },
    },
  );
  const lease = await within(server, 100, pool.acquire());
  variables.set(lease.connection, "mine");
  lease.release();
  await within(
    server,
    100,
    pool.use((conn) => {
      assert.equal(variables.get(conn), undefined);
      variables.set(conn, "used");
    }),
  );
  const after = await within(server, 100, pool.acquire());
  assert.equal(variables.get(after.connection), undefined);
  assert.equal(after.connection.id, 1);
});

test("[mariadb-redis 30] a failed reset discards the connection and the caller is served by another", async () => {
  const server = new FakeServer();
  const pool = server.pool(
    { max: 1 },
    { reset: () => server.after(1).then(() => Promise.reject(new FakeError("no reset"))) },
  );
  const lease = await within(server, 100, pool.acquire());
  const next = pool.acquire();
  lease.release();
  assert.equal((await within(server, 100, next)).connection.id, 2);
  assert.equal(pool.stats().closed.reset, 1);
});

test("[mariadb-redis 30] a reset that never ends is cut off", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1, validationTimeoutMs: 200 }, { reset: () => new Promise(() => {}) });
  const lease = await within(server, 100, pool.acquire());
  const next = pool.acquire();
  lease.release();
  assert.equal((await within(server, 500, next)).connection.id, 2);
});

test("[mariadb-redis 31] an idle connection that dies is told once, harms nobody, and is not handed out", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  const conn = await within(
    server,
    100,
    pool.use((c) => c),
  );
  const told: unknown[] = [];
  pool.on("retired", ({ reason, error }) => told.push([reason, error]));
  const error = new FakeError("terminated by administrator");
  server.cut(conn, error);
  server.cut(conn, new FakeError("again"));
  await server.clock.advanceAsync(0);
  assert.deepEqual(told, [["lost", error]]);
  assert.notEqual((await within(server, 500, pool.acquire())).connection, conn);
});

test("[mariadb-redis 31] a listener that throws unwinds nothing", async () => {
  const server = new FakeServer();
  const pool = server.pool();
  pool.on("opened", () => {
    throw new Error("the listener's own fault");
  });
  assert.ok(await within(server, 100, pool.acquire()));
});

test("a connection lost while in use is closed when it comes back, even if nobody noticed", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  const lease = await within(server, 100, pool.acquire());
  server.cut(lease.connection);
  lease.release();
  assert.equal(pool.stats().closed.lost, 1);
  assert.equal((await within(server, 500, pool.acquire())).connection.id, 2);
});

test("a connection that is leaving serves out its lease and no other", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 2 });
  const [a, b] = await within(server, 100, Promise.all([pool.acquire(), pool.acquire()]));
  const [inUse, idle] = [a?.connection, b?.connection] as [Conn, Conn];
  b?.release();
  inUse.context.leaving();
  idle.context.leaving();
  assert.equal(idle.closed, "graceful");
  assert.equal(inUse.closed, undefined);
  a?.release();
  assert.equal(inUse.closed, "graceful");
  assert.equal(pool.stats().closed.leaving, 2);
});

test("use: the connector says whether a connection survives an error; in doubt it is validated", async () => {
  const server = new FakeServer();
  const pool = server.pool(
    { max: 1 },
    {
      survives: (error) => (error as Error).message !== "gone",
    },
  );
  await assert.rejects(
    within(
      server,
      100,
      pool.use(() => Promise.reject(new Error("syntax"))),
    ),
    /syntax/,
  );
  assert.equal(pool.stats().idle, 1);
  await assert.rejects(
    within(
      server,
      100,
      pool.use(() => Promise.reject(new Error("gone"))),
    ),
    /gone/,
  );
  assert.equal(pool.stats().closed.error, 1);

  const doubting = server.pool({ max: 1 });
  const conn = await within(
    server,
    500,
    doubting.use((c) => c),
  );
  await assert.rejects(
    within(
      server,
      100,
      doubting.use(() => {
        throw new Error("what?");
      }),
    ),
    /what/,
  );
  await within(
    server,
    100,
    doubting.use(() => {}),
  );
  assert.equal(conn.validations, 1);
});

test("[mariadb-redis 25] a second release is harmless and loud; a released lease gives nothing away", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  let told = 0;
  pool.on("doubleRelease", () => told++);
  const lease = await within(server, 100, pool.acquire());
  lease.release();
  const next = await pool.acquire();
  lease.release();
  lease.release(new FakeError("late"));
  lease.discard();
  await server.clock.advanceAsync(0);
  assert.equal(told, 3);
  assert.equal(pool.stats().inUse, 1);
  assert.equal(next.connection.closed, undefined);
  assert.throws(
    () => lease.connection,
    (error) => isHoldfastError(error) && error.code === "HF_CLOSED",
  );
  const another = watch(pool.acquire());
  await server.clock.advanceAsync(10);
  assert.equal(another.settled, false, "the double release freed nothing");
});

test("await using releases at the end of the block, and a lease released before is left alone", async () => {
  const server = new FakeServer();
  const pool = server.pool({ max: 1 });
  {
    await using lease = await within(server, 100, pool.acquire());
    assert.equal(pool.stats().inUse, 1);
    assert.equal(lease.connection.id, 1);
  }
  assert.equal(pool.stats().inUse, 0);
  {
    await using lease = await pool.acquire();
    lease.release();
  }
  assert.equal(pool.stats().doubleReleases, 0);
});
