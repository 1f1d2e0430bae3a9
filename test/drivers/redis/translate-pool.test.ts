/** What go-redis and redis-py say about their pools, as arguments of `createClientPool`. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import {
  clientOptionsOf,
  clientPoolOptionsOf,
  fromGoRedisOptions,
  fromGoRedisUrl,
  fromRedisPy,
  fromRedisPyYaml,
  type RedisOptions,
} from "../../../src/drivers/redis/index.ts";

const url = (query: string, version: "8" | "9" | "9.22" = "9"): RedisOptions =>
  fromGoRedisUrl(`redis://h?${query}`, { version });

test("go-redis URL: every pool parameter has its place", () => {
  const { asked, ...pool } = url(
    "pool_size=7&pool_timeout=2&min_idle_conns=1&max_idle_conns=3&max_concurrent_dials=2&conn_max_idle_time=90s" +
      "&conn_max_lifetime=1h&conn_max_lifetime_jitter=6m&pool_fifo=true",
  ).pool;
  assert.deepEqual(pool, {
    max: 7,
    min: 1,
    maxIdle: 3,
    whenFull: "wait",
    acquireTimeoutMs: 2_000,
    maxIdleTimeMs: 90_000,
    maxLifetimeMs: 3_600_000,
    lifetimeJitterMs: 360_000,
    idleOrder: "fifo",
    dialConcurrency: 2,
  });
  assert.equal(asked.length, 9);
});

test("go-redis: the defaults of each version", () => {
  const { asked, ...nine } = url("").pool;
  const poolSize = 10 * availableParallelism();
  assert.deepEqual(nine, {
    max: poolSize,
    min: 0,
    maxIdle: undefined,
    whenFull: "wait",
    acquireTimeoutMs: 4_000, // the read timeout and a second
    maxIdleTimeMs: 30 * 60_000,
    maxLifetimeMs: undefined,
    lifetimeJitterMs: 0,
    idleOrder: "lifo",
    dialConcurrency: poolSize,
  });
  assert.deepEqual(asked, []);
  assert.equal(url("", "8").pool.maxIdleTimeMs, 5 * 60_000);
  assert.equal(url("", "9.22").pool.acquireTimeoutMs, 6_000);
  assert.equal(url("read_timeout=-1").pool.acquireTimeoutMs, 30_000);
  assert.deepEqual(fromGoRedisOptions({}).pool, url("").pool);
});

test("go-redis: the old names of v8, switched off, and bounds that refuse", () => {
  assert.equal(url("idle_timeout=20&max_conn_age=40", "8").pool.maxIdleTimeMs, 20_000);
  assert.equal(url("idle_timeout=20&max_conn_age=40", "8").pool.maxLifetimeMs, 40_000);
  assert.equal(url("idle_timeout=20&conn_max_idle_time=30").pool.maxIdleTimeMs, 30_000);
  assert.equal(url("conn_max_idle_time=-1").pool.maxIdleTimeMs, undefined);
  assert.equal(url("idle_check_frequency=30").pool.asked[0], "idle_check_frequency");
  assert.equal(url("pool_timeout=0").pool.whenFull, "refuse");
  const bounded = url("pool_size=8&max_active_conns=3").pool;
  assert.deepEqual([bounded.max, bounded.whenFull], [3, "refuse"]);
  const unbounded = url("pool_size=8&max_active_conns=9").pool;
  assert.deepEqual([unbounded.max, unbounded.whenFull], [8, "wait"]);
  assert.throws(
    () => url("pool_size=2&min_idle_conns=3"),
    /"min_idle_conns" is 3, but must be at most the pool's 2/,
  );
  assert.throws(() => url("pool_size=-1"), /"pool_size" is "-1"/);
  assert.throws(() => url("pool_fifo=yes"), /"pool_fifo" is "yes"/);
  const go = fromGoRedisOptions({ PoolSize: 4, MinIdleConns: 2, ConnMaxIdleTime: "1m", PoolFIFO: true }).pool;
  assert.deepEqual([go.max, go.min, go.maxIdleTimeMs, go.idleOrder], [4, 2, 60_000, "fifo"]);
  assert.deepEqual(go.asked, ["PoolFIFO", "PoolSize", "MinIdleConns", "ConnMaxIdleTime"]);
});

test("redis-py: the plain pool refuses what is too much, the blocking one waits", () => {
  const plain = fromRedisPyYaml("redis:\n  max_connections: 10\n").pool;
  assert.deepEqual([plain.max, plain.whenFull], [10, "refuse"]);
  assert.equal(fromRedisPy({}).pool.max, 2 ** 31);
  assert.equal(fromRedisPy({}, { version: "8" }).pool.max, 100);
  const blocking = (kwargs: object): RedisOptions["pool"] =>
    fromRedisPy(kwargs, { pool: "BlockingConnectionPool" }).pool;
  assert.deepEqual(
    [blocking({}).max, blocking({}).whenFull, blocking({}).acquireTimeoutMs],
    [50, "wait", 20_000],
  );
  assert.equal(blocking({ timeout: 3 }).acquireTimeoutMs, 3_000);
  assert.equal(blocking({ timeout: null }).acquireTimeoutMs, undefined);
  assert.throws(() => fromRedisPy({ timeout: 3 }), /"timeout" is refused: only BlockingConnectionPool waits/);
  assert.throws(() => fromRedisPy({}, { pool: "Pool" as "ConnectionPool" }), /"pool" is "Pool"/);
});

test("a configuration that shapes a pool is refused by createClient's translator, and followed by the pool's", () => {
  assert.throws(
    () => clientOptionsOf(url("pool_size=3")),
    /"pool_size" is refused: it shapes a pool.*clientPoolOptionsOf/,
  );
  assert.ok(clientOptionsOf(fromRedisPy({ max_connections: 3 })), "one connection keeps a ceiling");
  const [client, pool] = clientPoolOptionsOf(
    url("pool_size=3&conn_max_lifetime=60m&conn_max_lifetime_jitter=20m&pool_timeout=1"),
  );
  assert.deepEqual(client.socket, { host: "h", port: 6379 });
  assert.deepEqual(pool, {
    minimum: 0,
    maximum: 3,
    acquireTimeout: 1_000,
    cleanupDelay: 30 * 60_000,
    whenFull: "wait",
    // 40 to 80 minutes
    resilience: { maxLifetimeMs: 80 * 60_000, lifetimeFuzz: 0.5, idleOrder: "lifo", dialConcurrency: 3 },
  });
});
