/** `createClientPool`: the library's interface over our pool room, and what each parameter does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "redis";
import {
  ClientClosedError,
  clientPoolOptionsOf,
  createClient,
  createClientPool,
  defineScript,
  fromRedisPy,
  RESP_TYPES,
} from "../../../src/drivers/redis/index.ts";
import { type ClientPool, hold, poolRigFor } from "./pool-rig.ts";

/** Resolves at the pool's next event of that name. */
function told(pool: ClientPool, name: "retired" | "opened" | "dialFailed"): Promise<void> {
  return new Promise((resolve) => {
    const off = pool.resilience.on(name, () => {
      off();
      resolve();
    });
  });
}

test("the library's own interface: commands, views, MULTI, pipelines, scripts, prefix", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const add = defineScript({
    SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key: string, by: number) {
      parser.pushKey(key);
      parser.push(String(by));
    },
    transformReply: undefined as unknown as () => number,
  });
  const { host, port } = rig.proxy;
  const pool = createClientPool(
    { socket: { host, port }, keyPrefix: "p:", scripts: { add } },
    { maximum: 3 },
  );
  rig.own(pool as unknown as ClientPool);
  assert.ok(pool instanceof library.RedisClientPool);
  assert.deepEqual([pool.isOpen, pool.totalClients], [false, 0]);
  await assert.rejects(pool.get("a"), ClientClosedError);
  assert.equal(await pool.connect(), pool);
  assert.deepEqual([pool.isOpen, pool.idleClients], [true, 1]);
  assert.equal(await pool.set("a", "1"), "OK");
  assert.equal(await pool.add("a", 4), 5);
  assert.deepEqual(
    await pool.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get("a"),
    Buffer.from("5"),
  );
  assert.deepEqual(await pool.multi().incr("a").get("a").exec(), [6, "6"]);
  assert.deepEqual(await pool.multi().incr("a").get("a").execAsPipeline(), [7, "7"]);
  assert.deepEqual(await pool.sendCommand(["KEYS", "*"]), ["p:a"]);
  await assert.rejects(pool.sendCommand(["INCR", "p:a", "x"]), /wrong number of arguments/);
  const closing = pool.execute((client) => client.blPop("queue", 0.2));
  const closed = pool.close();
  assert.equal(pool.isClosing, true);
  await assert.rejects(pool.get("a"), ClientClosedError);
  assert.equal(await closing, null, "what was under way is finished");
  await closed;
  assert.deepEqual([pool.isOpen, pool.totalClients], [false, 0]);
});

test("R7: a connection is returned in every case: value, promise, throw, rejection, refusal, deadline", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ maximum: 1, acquireTimeout: 1_000 });
  await pool.connect();
  const boom = (): never => {
    throw new Error("boom");
  };
  const slow =
    "local s = redis.call('TIME') repeat local n = redis.call('TIME') until (n[1] - s[1]) * 1e6 + n[2] - s[2] > 1e5";
  const cases: [() => unknown, RegExp | undefined][] = [
    [() => pool.execute(() => 1), undefined],
    [() => pool.execute(async (client) => client.ping()), undefined],
    [() => pool.execute(boom), /boom/],
    [() => pool.execute(async () => boom()), /boom/],
    [() => pool.execute((client) => client.sendCommand(["NOPE"])), /unknown command/],
    [() => pool.withCommandOptions({ timeout: 20 }).eval(slow), /EVAL got no reply/],
    [() => pool.execute((client) => client.withAbortSignal(AbortSignal.abort()).ping()), /abort/i],
  ];
  for (const [run, error] of cases) {
    if (error === undefined) await run();
    else await assert.rejects(async () => run(), error);
    assert.equal(pool.clientsInUse, 0);
    assert.equal(await pool.ping(), "PONG");
  }
  const held = await hold(pool, 1);
  await assert.rejects(pool.ping(), { code: "HF_DEADLINE", step: "acquire", outcome: "not-applied" });
  assert.equal(pool.tasksQueueLength, 0);
  await held.release();
  assert.equal(await pool.ping(), "PONG");
  assert.equal(pool.totalClients, 1);
});

test("a changed session is not lent again: SELECT, WATCH, MULTI, SUBSCRIBE", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ maximum: 1 });
  await pool.connect();
  const before = await pool.execute((client) => client.clientId());
  assert.equal(await pool.execute((client) => client.clientId()), before, "a clean one is");
  const changes: ((client: Parameters<Parameters<ClientPool["execute"]>[0]>[0]) => Promise<unknown>)[] = [
    (client) => client.select(3),
    (client) => client.watch("key"),
    (client) => client.sendCommand(["MULTI"]),
    (client) => client.subscribe("channel", () => {}),
    (client) => client.clientSetName("me"),
  ];
  const ids = new Set([before]);
  for (const change of changes) {
    await pool.execute(change);
    const info = await pool.execute((client) => client.clientInfo());
    assert.deepEqual([info.db, info.sub, info.watch ?? 0, info.multi, info.name], [0, 0, 0, -1, ""]);
    ids.add(info.id);
  }
  assert.equal(ids.size, changes.length + 1);
});

test("a connection that is blocked by a call whose caller left is not lent again; one with calls under way is", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const pool = rig.pool({ maximum: 1 });
  await pool.connect();
  const before = await pool.execute((client) => client.clientId());
  let behind: Promise<unknown> = Promise.resolve();
  await pool.execute((client) => {
    behind = client.incr("n");
  });
  assert.equal(await pool.execute((client) => client.clientId()), before);
  assert.equal(await behind, 1);
  const abort = new AbortController();
  const blocked = pool.execute((client) => client.withAbortSignal(abort.signal).blPop("never", 0));
  setImmediate(() => setImmediate(() => abort.abort()));
  await assert.rejects(blocked, { name: "Error" });
  assert.notEqual(await pool.execute((client) => client.clientId()), before);
});

test("client.createPool: this client's own options, views and resilience", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const { host, port } = rig.proxy;
  const client = createClient({ socket: { host, port }, database: 2, name: "mine" });
  const pool = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).createPool({ maximum: 2 });
  rig.own(pool as unknown as ClientPool);
  await pool.connect();
  await pool.set("a", "b");
  assert.deepEqual(await pool.get("a"), Buffer.from("b"));
  const info = await pool.execute((one) => one.clientInfo());
  assert.deepEqual([info.db, info.name], [2, "mine"]);
  client.destroy();
});

test("connect fails with the first failed dial, and leaves nothing; with retryInitial it waits", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const pool = rig.pool();
  await assert.rejects(pool.connect(), { code: "HF_CONNECT" });
  assert.deepEqual([pool.isOpen, pool.totalClients], [false, 0]);
  const patient = rig.pool({ minimum: 2 }, { resilience: { retryInitial: true } });
  const failed = told(patient, "dialFailed");
  const connected = patient.connect();
  await failed;
  await refuse.undo();
  await connected;
  assert.ok(patient.totalClients >= 1);
  assert.throws(
    () => rig.pool({ minimum: 3, maximum: 2 }),
    /"minimum" is 3, but must be at most maximum \(2\)/,
  );
  assert.throws(() => rig.pool({ maximun: 2 } as object), /did you mean "maximum"/);
  assert.throws(() => rig.pool({}, { socket: { port: 0 } }), { code: "HF_OPTION" });
  assert.throws(() => rig.pool({ clientSideCache: {} } as object), /"clientSideCache" is refused/);
});

test("pool_size bounds what is open at the server; pool_timeout bounds the wait", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const pool = rig.go("pool_size=3&pool_timeout=1s");
  const held = await hold(pool, 3);
  assert.equal(new Set(held.ids).size, 3);
  await assert.rejects(pool.get("a"), { code: "HF_DEADLINE", step: "acquire", outcome: "not-applied" });
  assert.equal(rig.proxy.connections().length, 3);
  await held.release();
  await Promise.all(Array.from({ length: 30 }, () => pool.incr("n")));
  assert.equal(await pool.get("n"), "30");
  assert.equal(rig.proxy.connections().length, 3);
});

test("min_idle_conns are opened and kept; max_idle_conns closes the others when they come back", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const pool = rig.go("pool_size=6&min_idle_conns=2&max_idle_conns=3");
  await pool.connect();
  assert.equal(rig.proxy.connections().length, 2);
  const held = await hold(pool, 6);
  assert.equal(pool.totalClients, 6);
  await held.release();
  assert.equal(pool.totalClients, 3);
  const lost = told(pool, "retired");
  rig.proxy.cut("rst");
  await lost;
  while (pool.idleClients < 2) await told(pool, "opened");
  assert.equal(await pool.ping(), "PONG");
});

test("max_active_conns and redis-py's plain pool refuse at once; the blocking one waits", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  const { host, port } = rig.proxy;
  const py = (kwargs: object, pool: "ConnectionPool" | "BlockingConnectionPool"): ClientPool =>
    rig.own(createClientPool(...clientPoolOptionsOf(fromRedisPy({ host, port, ...kwargs }, { pool }))));
  for (const pool of [
    rig.go("pool_size=5&max_active_conns=2"),
    py({ max_connections: 2 }, "ConnectionPool"),
  ]) {
    const held = await hold(pool, 2);
    await assert.rejects(pool.ping(), { code: "HF_POOL_FULL", outcome: "not-applied" });
    await held.release();
    assert.equal(await pool.ping(), "PONG");
  }
  const blocking = py({ max_connections: 2, timeout: 5 }, "BlockingConnectionPool");
  const held = await hold(blocking, 2);
  const waiting = blocking.ping();
  assert.equal(blocking.tasksQueueLength, 1);
  await held.release();
  assert.equal(await waiting, "PONG");
});

test("conn_max_idle_time and conn_max_lifetime close connections, never one in use", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  for (const query of [
    "conn_max_idle_time=150ms",
    "conn_max_lifetime=150ms",
    "conn_max_lifetime=150ms&conn_max_lifetime_jitter=20ms",
  ]) {
    const pool = rig.go(query);
    const reasons: string[] = [];
    pool.resilience.on("retired", ({ reason }) => reasons.push(reason));
    assert.equal(await pool.execute((client) => client.blPop("never", 0.3)), null);
    if (pool.totalClients > 0) await told(pool, "retired");
    assert.equal(reasons[0], query.startsWith("conn_max_idle") ? "idle-time" : "lifetime");
    assert.equal(await pool.ping(), "PONG");
    await pool.close();
  }
});

test("pool_fifo: the longest idle goes first; without it, the last returned", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  for (const [query, one] of [
    ["pool_fifo=false", true],
    ["pool_fifo=true", false],
  ] as const) {
    const pool = rig.go(`pool_size=3&${query}`);
    await (await hold(pool, 3)).release();
    const used = new Set<number>();
    for (let i = 0; i < 6; i++) used.add(await pool.execute((client) => client.clientId()));
    assert.equal(used.size, one ? 1 : 3, query);
  }
});

test("max_concurrent_dials bounds dials under way", async (t) => {
  const rig = await poolRigFor(t);
  if (rig === undefined) return;
  for (const most of [1, 3]) {
    const pool = rig.go(`pool_size=6&max_concurrent_dials=${most}`);
    const silent = await rig.proxy.fault({
      kind: "blackHole",
      how: "stop-reading",
      afterwards: "resume",
      applyTo: "new",
    });
    const calls = Promise.all(
      Array.from({ length: 6 }, () => pool.execute((client) => client.blPop("never", 0.05))),
    );
    const dialing = (): number => pool.resilience.snapshot().dialing;
    while (dialing() < most) await new Promise(setImmediate);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    assert.equal(dialing(), most);
    await silent.undo();
    await calls;
    await pool.close();
  }
});
