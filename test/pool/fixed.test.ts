/** The fixed pool (SOURCES C3, C4): the DataStax Java driver's ChannelPool tests, and its manual's timeline. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { constant, exponential } from "../../src/backoff/index.ts";
import { FixedPool, type FixedPoolOptions } from "../../src/pool/index.ts";
import { type Conn, FakeError, FakeServer, watch, within } from "./fake.ts";

function fixed(server: FakeServer, options: Partial<FixedPoolOptions<Conn>> = {}) {
  const { validate: _, ...connector } = server.connector();
  const backoff = exponential({ baseMs: 1_000, capMs: 60_000 });
  const pool = new FixedPool<Conn>({ ...{ connector, backoff, world: server.world, size: 3 }, ...options });
  const said: string[] = [];
  const at = (text: string): void => void said.push(`${server.clock.nowMs()} ${text}`);
  pool.on("opened", ({ open }) => at(`opened ${open}`));
  pool.on("left", ({ open }) => at(`left ${open}`));
  pool.on("started", ({ missing }) => at(`started ${missing}`));
  pool.on("attempt", ({ attempt, missing }) => at(`attempt ${attempt}: ${missing}`));
  pool.on("stopped", ({ open }) => at(`stopped ${open}`));
  return { pool, said: () => said.splice(0) };
}

async function full(server: FakeServer, options: Partial<FixedPoolOptions<Conn>> = {}) {
  const made = fixed(server, options);
  await within(server, 100, made.pool.start());
  await server.clock.advanceAsync(2_000);
  made.said();
  return made;
}

test("start opens all at once; it is one start however often it is called", async () => {
  const server = new FakeServer();
  const { pool, said } = fixed(server);
  assert.equal(server.dialsAtMs.length, 0);
  const first = pool.start();
  assert.equal(pool.start(), first);
  assert.equal(server.dialing, 3);
  await within(server, 100, first);
  assert.deepEqual(said(), ["10 opened 1", "10 opened 2", "10 opened 3"]);
  assert.equal(pool.missing, 0);
});

test("start succeeds with no connection at all, and goes on in the background after one delay", async () => {
  const server = new FakeServer();
  server.refuse = new FakeError("refused");
  const { pool, said } = fixed(server);
  await within(server, 100, pool.start());
  assert.equal(pool.next(), undefined);
  server.refuse = undefined;
  await server.clock.advanceAsync(1_010);
  assert.deepEqual(said(), [
    "10 started 3",
    "1010 attempt 1: 3",
    "1020 opened 1",
    "1020 opened 2",
    "1020 opened 3",
    "1020 stopped 3",
  ]);
});

test("partial success is kept and used; the same episode goes on for what is missing, with the next delay", async () => {
  const server = new FakeServer();
  const inner = server.connector();
  let dials = 0;
  const failing = new Set([2, 3, 4]);
  const { pool, said } = fixed(server, {
    connector: {
      ...inner,
      open: (context) =>
        failing.has(++dials) ? Promise.reject(new FakeError("refused")) : inner.open(context),
    },
  });
  await within(server, 100, pool.start());
  assert.equal(pool.connections.length, 1);
  assert.ok(pool.next());
  await server.clock.advanceAsync(4_000);
  assert.deepEqual(said(), [
    "10 opened 1",
    "10 started 2",
    "1010 attempt 1: 2",
    "1020 opened 2",
    "3020 attempt 2: 1",
    "3030 opened 3",
    "3030 stopped 3",
  ]);
});

test("a lost connection is replaced after one delay, the survivors are kept; a second loss starts nothing anew", async () => {
  const server = new FakeServer();
  const { pool, said } = await full(server);
  const [a, b, c] = server.opened as [Conn, Conn, Conn];
  server.cut(a);
  await server.clock.advanceAsync(500);
  server.cut(b);
  await server.clock.advanceAsync(600);
  assert.deepEqual(said(), [
    ...["2010 left 2", "2010 started 1", "2510 left 1", "3010 attempt 1: 2"],
    ...["3020 opened 2", "3020 opened 3", "3020 stopped 3"],
  ]);
  assert.equal(pool.connections[0], c);
  assert.equal(a.closed, "abrupt");
});

test("a connection that is leaving is replaced in the same way, and closed politely", async () => {
  const server = new FakeServer();
  const { pool, said } = await full(server);
  server.opened[0]?.context.leaving();
  await server.clock.advanceAsync(1_010);
  assert.deepEqual(said(), [
    ...["2010 left 2", "2010 started 1", "3010 attempt 1: 1", "3020 opened 3", "3020 stopped 3"],
  ]);
  assert.equal(server.opened[0]?.closed, "graceful");
  assert.equal(pool.connections.length, 3);
});

test("each episode has a fresh schedule; one whose success did not last goes on with the old one", async () => {
  const server = new FakeServer();
  const { said } = await full(server, { size: 1 });
  const attempts = (): string[] => said().filter((line) => line.includes("attempt"));
  server.cut(server.opened.at(-1) as Conn);
  await server.clock.advanceAsync(1_010);
  assert.deepEqual(attempts(), ["3010 attempt 1: 1"]);
  server.cut(server.opened.at(-1) as Conn); // accepted, then dropped
  await server.clock.advanceAsync(2_010);
  assert.deepEqual(attempts(), ["5020 attempt 1: 1"]);
  await server.clock.advanceAsync(1_000);
  server.cut(server.opened.at(-1) as Conn); // stable
  await server.clock.advanceAsync(1_010);
  assert.deepEqual(attempts(), ["7030 attempt 1: 1"]);
});

test("reconnectNow skips the delay; while full, or during an attempt, it does nothing", async () => {
  const server = new FakeServer();
  const { pool, said } = await full(server, { backoff: constant(86_400_000) });
  pool.reconnectNow();
  assert.equal(server.dialsAtMs.length, 3);
  server.cut(server.opened[0] as Conn);
  pool.reconnectNow();
  for (let i = 0; i < 1_000; i++) pool.reconnectNow();
  await server.clock.advanceAsync(10);
  assert.equal(server.dialsAtMs.length, 4);
  assert.deepEqual(said().at(-1), "2020 stopped 3");
});

test("shrinking closes the oldest at once; growing opens the missing number", async () => {
  const server = new FakeServer();
  const { pool } = await full(server, { size: 4 });
  pool.resize(2);
  assert.deepEqual(
    server.opened.map((conn) => conn.closed),
    ["graceful", "graceful", undefined, undefined],
  );
  pool.resize(3);
  await server.clock.advanceAsync(10);
  assert.equal(pool.connections.length, 3);
  assert.equal(pool.reconnecting, false);
  assert.throws(() => pool.resize(0), { code: "HF_OPTION" });
});

test("a resize during an attempt is decided at its end: smaller", async () => {
  const server = new FakeServer();
  const { pool, said } = await full(server, { size: 2 });
  server.cut(server.opened[0] as Conn);
  server.cut(server.opened[1] as Conn);
  await server.clock.advanceAsync(1_005);
  pool.resize(1);
  await server.clock.advanceAsync(10);
  assert.equal(pool.connections.length, 1);
  assert.equal(server.live[0]?.id, 4, "the newest is kept");
  assert.ok(said().some((line) => line.endsWith("stopped 1")) || !pool.reconnecting);
});

test("a resize during an attempt is decided at its end: larger, in the same episode with its second delay", async () => {
  const server = new FakeServer();
  const { pool, said } = await full(server, { size: 2 });
  server.cut(server.opened[0] as Conn);
  await server.clock.advanceAsync(1_005);
  pool.resize(4);
  await server.clock.advanceAsync(2_100);
  assert.deepEqual(said(), [
    ...["2010 left 1", "2010 started 1", "3010 attempt 1: 1", "3020 opened 2"],
    ...["5020 attempt 2: 2", "5030 opened 3", "5030 opened 4", "5030 stopped 4"],
  ]);
});

test("refused credentials are tried again; a fatal error stops the pool until it is told to go on", async () => {
  const server = new FakeServer();
  server.refuse = new FakeError("bad password", "auth");
  const { pool } = fixed(server, { size: 1 });
  await within(server, 100, pool.start());
  await server.clock.advanceAsync(3_500);
  assert.equal(server.dialsAtMs.length, 3);

  server.refuse = new FakeError("another cluster", "fatal");
  const refused: unknown[] = [];
  pool.on("refused", ({ error }) => refused.push(error));
  await server.clock.advanceAsync(600_000);
  assert.equal(server.dialsAtMs.length, 4);
  assert.deepEqual(refused, [server.refuse]);
  assert.equal(server.clock.pendingTimers, 0);

  server.refuse = undefined;
  pool.reconnectNow();
  await server.clock.advanceAsync(10);
  assert.equal(pool.connections.length, 1);
});

test("next takes turns, or the least busy one", async () => {
  const server = new FakeServer();
  const { pool } = await full(server);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => pool.next()?.id),
    [1, 2, 3, 1],
  );
  const busy = new Map([
    [4, 5],
    [5, 1],
    [6, 9],
  ]);
  const loaded = await full(server, { load: (conn) => busy.get(conn.id) ?? 100 });
  assert.equal(loaded.pool.next()?.id, 5);
});

test("close during an attempt: dials are given up, all are closed, no event after, no timer left", async () => {
  const server = new FakeServer();
  const { pool, said } = await full(server);
  server.cut(server.opened[0] as Conn);
  server.swallow = true;
  await server.clock.advanceAsync(1_005);
  assert.equal(server.dialing, 1);
  const closing = pool.close();
  assert.equal(pool.close(), closing);
  await within(server, 100, closing);
  assert.equal(server.dialing, 0);
  assert.equal(server.live.length, 0);
  assert.equal(pool.next(), undefined);
  assert.equal(server.clock.pendingTimers, 0);
  said();
  await server.clock.advanceAsync(100_000);
  assert.deepEqual(said(), []);
});

test("a close that the server does not answer becomes abrupt at the deadline", async () => {
  const server = new FakeServer();
  const hows: string[] = [];
  const inner = server.connector();
  const { pool } = await full(server, {
    size: 1,
    connector: {
      ...inner,
      close: (_, how) => {
        hows.push(how);
        return how === "graceful" ? new Promise(() => {}) : undefined;
      },
    },
  });
  const closing = watch(pool.close({ deadlineMs: 500 }));
  await server.clock.advanceAsync(499);
  assert.deepEqual(hows, ["graceful"]);
  await server.clock.advanceAsync(1);
  assert.deepEqual(hows, ["graceful", "abrupt"]);
  assert.equal(closing.settled, true);
  assert.equal(server.clock.pendingTimers, 0);
});

test("C4, C6, C8: the Java manual's timeline: node2 and node3 lose connections, each pool has its own schedule", async () => {
  const server = new FakeServer();
  server.dialMs = 0;
  const inner = server.connector();
  let failNext = false;
  const node2 = await full(server, {
    connector: {
      ...inner,
      open: (context) => {
        if (!failNext) return inner.open(context);
        failNext = false;
        return Promise.reject(new FakeError("refused"));
      },
    },
  });
  const node3 = await full(server);
  const zeroMs = server.clock.nowMs();
  const since = (lines: string[]): string[] =>
    lines
      .map((line) => line.split(" "))
      .filter(([, what]) => what !== "opened" && what !== "left")
      .map(([at, ...rest]) => `${(Number(at) - zeroMs) / 1_000} ${rest.join(" ")}`);
  server.cut(node2.pool.connections[0] as Conn);
  server.cut(node2.pool.connections[0] as Conn);
  failNext = true; // one of the two at t = 1
  await server.clock.advanceAsync(1_200);
  server.cut(node3.pool.connections[0] as Conn);
  await server.clock.advanceAsync(3_000);
  assert.deepEqual(since(node2.said()), ["0 started 1", "1 attempt 1: 2", "3 attempt 2: 1", "3 stopped 3"]);
  assert.deepEqual(since(node3.said()), ["1.2 started 1", "2.2 attempt 1: 1", "2.2 stopped 3"]);
});
