/** Go's names for a pool's limits and numbers (SOURCES M2–M4), and how wrong options are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromGoLimits, type GoPoolLimits, toGoStats } from "../../src/pool/index.ts";
import { FakeServer, within } from "./fake.ts";

const NEVER = Number.POSITIVE_INFINITY;

test("M2–M4: nothing set is Go's defaults: no limit of open ones, 2 idle, for ever", () => {
  assert.deepEqual(fromGoLimits({}), {
    ...{ max: NEVER, maxIdle: 2, maxLifetimeMs: NEVER, lifetimeFuzz: 0, maxIdleTimeMs: NEVER },
    acquireTimeoutMs: NEVER,
  });
});

const cases: [GoPoolLimits, Partial<ReturnType<typeof fromGoLimits>>][] = [
  [{ MaxOpenConns: 0 }, { max: NEVER }],
  [{ MaxOpenConns: -1 }, { max: NEVER }],
  [
    { MaxOpenConns: 100, MaxIdleConns: 10 },
    { max: 100, maxIdle: 10 },
  ],
  [{ MaxOpenConns: 1 }, { max: 1, maxIdle: 1 }],
  [
    { MaxOpenConns: 5, MaxIdleConns: 10 },
    { max: 5, maxIdle: 5 },
  ],
  [{ MaxIdleConns: 0 }, { maxIdle: 0 }],
  [{ MaxIdleConns: -3 }, { maxIdle: 0 }],
  [
    { ConnMaxLifetime: 0, ConnMaxIdleTime: -1 },
    { maxLifetimeMs: NEVER, maxIdleTimeMs: NEVER },
  ],
  [
    { ConnMaxLifetime: "3m", ConnMaxIdleTime: "1m30s" },
    { maxLifetimeMs: 180_000, maxIdleTimeMs: 90_000 },
  ],
  [{ ConnMaxLifetime: 14_400_000 }, { maxLifetimeMs: 14_400_000 }],
];
for (const [given, expected] of cases) {
  test(`Go's ${JSON.stringify(given)}`, () => {
    const limits = fromGoLimits(given);
    assert.deepEqual({ ...limits, ...expected }, limits);
    new FakeServer().pool(limits); // and a pool takes them
  });
}

test("wrong limits are refused by name, value and range", () => {
  assert.throws(
    () => fromGoLimits({ MaxOpenConn: 3 } as GoPoolLimits),
    /"MaxOpenConn".*did you mean "MaxOpenConns"/,
  );
  assert.throws(() => fromGoLimits({ ConnMaxLifetime: "3 minutes" }), /"ConnMaxLifetime" is "3 minutes"/);
  assert.throws(() => fromGoLimits({ MaxIdleConns: 1.5 }), { code: "HF_OPTION" });
  const server = new FakeServer();
  assert.throws(() => server.pool({ min: 5, max: 3 }), /"min" is 5, but must be a whole number from 0 to 3/);
  assert.throws(
    () => server.pool({ max: 0 }),
    /"max" is 0, but must be a whole number of at least 1, or Infinity/,
  );
  assert.throws(
    () => server.pool({ maxIdel: 1 } as object),
    /unknown option "maxIdel" \(did you mean "maxIdle"\?\)/,
  );
  assert.throws(
    () => server.pool({ lifetimeFuzz: 1 }),
    /"lifetimeFuzz" is 1, but must be a number from 0 to 0.5/,
  );
  assert.throws(() => server.pool({ idleOrder: "random" as "lifo" }), /"idleOrder" is "random"/);
});

test("DBStats: the numbers in Go's names", async () => {
  const server = new FakeServer();
  const pool = server.pool(fromGoLimits({ MaxOpenConns: 3, MaxIdleConns: 1, ConnMaxIdleTime: "10s" }));
  const leases = await within(server, 200, Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]));
  assert.deepEqual(toGoStats(pool.stats()), {
    ...{ MaxOpenConnections: 3, OpenConnections: 3, InUse: 3, Idle: 0, WaitCount: 3, WaitDuration: 40 },
    ...{ MaxIdleClosed: 0, MaxIdleTimeClosed: 0, MaxLifetimeClosed: 0 },
  });
  for (const lease of leases) lease.release();
  await server.clock.advanceAsync(11_000);
  const { InUse, Idle, MaxIdleClosed, MaxIdleTimeClosed } = toGoStats(pool.stats());
  assert.deepEqual(
    { InUse, Idle, MaxIdleClosed, MaxIdleTimeClosed },
    { InUse: 0, Idle: 0, MaxIdleClosed: 2, MaxIdleTimeClosed: 1 },
  );
  assert.equal(toGoStats(server.pool({ max: NEVER }).stats()).MaxOpenConnections, 0);
});
