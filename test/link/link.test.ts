import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backoff, Schedule } from "../../src/backoff/index.ts";
import { isHoldfastError } from "../../src/call/index.ts";
import { type Driver, Link, type LinkConfig, type Sink, takenBack } from "../../src/link/index.ts";
import { virtualWorld } from "../../src/time/index.ts";

/** Delays 0, 100, 100, … */
const testBackoff: Backoff = {
  description: "0, then 100 ms",
  start: () => {
    const rest: Schedule = { next: () => ({ delayMs: 100, schedule: rest }) };
    return { next: () => ({ delayMs: 0, schedule: rest }) };
  },
};

interface FakeConnection {
  readonly endpoint: string;
  readonly sink: Sink;
  readonly pending: { resolve(value: unknown): void; reject(error: unknown): void; written: boolean }[];
  closed: boolean;
}

function fixture(overrides: Partial<LinkConfig<FakeConnection>["policy"]> = {}) {
  const world = virtualWorld(1);
  const made: FakeConnection[] = [];
  const server = { up: true, dials: 0 };
  const driver: Driver<FakeConnection> = {
    name: "fake",
    async open(dial) {
      server.dials++;
      if (!server.up) throw new Error("connection refused");
      const connection: FakeConnection = {
        endpoint: dial.endpoint.host,
        sink: dial.sink,
        pending: [],
        closed: false,
      };
      made.push(connection);
      return connection;
    },
    restore: async () => ({ restored: [] }),
    async close(connection) {
      connection.closed = true;
      for (const p of connection.pending) p.reject(new Error("socket closed"));
    },
    takeBack(connection) {
      for (const p of connection.pending) if (!p.written) p.reject(takenBack);
    },
    classifyLink: () => "transient",
    classifyCall: (_error, evidence) => (evidence.lost ? { outcome: "maybe-applied" } : "answered"),
  };
  const config: LinkConfig<FakeConnection> = {
    name: "test",
    driver,
    endpoints: [{ host: "a", port: 1 }],
    endpointOptions: { order: "given" },
    policy: {
      backoff: testBackoff,
      authBackoff: testBackoff,
      delayPer: "round",
      reconnect: true,
      retryInitial: false,
      lazy: false,
      maxAttempts: Number.POSITIVE_INFINITY,
      maxElapsedMs: Number.POSITIVE_INFINITY,
      maxAuthFailures: Number.POSITIVE_INFINITY,
      connectTimeoutMs: 5000,
      restoreTimeoutMs: 10_000,
      stableAfterMs: 5000,
      minDialGapMs: 50,
      closeTimeoutMs: 1000,
      ...overrides,
    },
    outbox: { bytes: 1000, entries: 10, ageMs: 30_000, whenFull: "reject" },
    retry: { maxRetries: 3 },
    writeBufferBytes: 1000,
    liveness: { idleProbeMs: Number.POSITIVE_INFINITY, probeTimeoutMs: 1000 },
    drainTimeoutMs: 5000,
    world,
  };
  const link = new Link(config);
  const log: string[] = [];
  for (const name of [
    "connected",
    "disconnected",
    "reconnected",
    "attempt",
    "attemptFailed",
    "closed",
  ] as const) {
    link.on(name, () => void log.push(name));
  }
  const call = (effect: "once" | "read" = "once", written = true): Promise<unknown> =>
    link.call(
      { bytes: 10, effect, kind: "unary" },
      (connection) =>
        new Promise((resolve, reject) => {
          connection.pending.push({ resolve, reject, written });
        }),
    );
  return { world, link, server, made, log, call, last: () => made.at(-1) as FakeConnection };
}

test("connects, loses, reconnects; an in-flight `once` call is maybe-applied, an unsent one is sent again", async () => {
  const { world, link, made, log, call, last } = fixture();
  await link.connect();
  assert.equal(link.phase, "ready");
  await world.clock.advanceAsync(6000);
  const written = call("once", true);
  const unsent = call("once", false);
  written.catch(() => {});
  last().sink.lost(new Error("ECONNRESET"));
  await world.clock.advanceAsync(1);
  await assert.rejects(
    written,
    (e) => isHoldfastError(e) && e.code === "HF_LOST" && e.outcome === "maybe-applied",
  );
  assert.equal(link.phase, "ready");
  assert.equal(made.length, 2);
  assert.equal(made[0]?.closed, true);
  assert.equal(last().pending.length, 1, "the unsent call is on the new connection");
  last().pending[0]?.resolve("done");
  assert.equal(await unsent, "done");
  assert.deepEqual(log, ["attempt", "connected", "disconnected", "attempt", "reconnected"]);
  await link.close();
  assert.equal(log.at(-1), "closed");
  assert.equal(world.clock.pendingTimers, 0);
});

test("accept-then-drop backs off like refused, and no dial comes sooner than the minimum gap", async () => {
  const { world, link, server, last } = fixture();
  await link.connect();
  link.on("reconnected", () => last().sink.lost(new Error("dropped")));
  last().sink.lost(new Error("dropped"));
  await world.clock.advanceAsync(1000);
  assert.equal(server.dials, 11, "one dial in 100 ms");
  await link.close();
});

test("a thousand reconnectNow are one dial", async () => {
  const { world, link, server } = fixture();
  await link.connect();
  await world.clock.advanceAsync(6000);
  for (let i = 0; i < 1000; i++) link.reconnectNow();
  await world.clock.advanceAsync(40);
  assert.equal(server.dials, 2);
  await link.close();
});

test("a failed first connect closes with the cause; waiting calls are told so", async () => {
  const { link, server, call, world } = fixture();
  server.up = false;
  const waiting = call();
  waiting.catch(() => {});
  await assert.rejects(link.connect(), (e) => isHoldfastError(e) && e.code === "HF_CONNECT");
  await assert.rejects(waiting, (e) => isHoldfastError(e) && e.outcome === "not-applied");
  assert.equal(world.clock.pendingTimers, 0);
});

test("a waiting call expires with its deadline, names the reason, and is never sent", async () => {
  const { link, server, world, last } = fixture();
  await link.connect();
  await world.clock.advanceAsync(6000);
  server.up = false;
  last().sink.lost(new Error("ECONNRESET"));
  let sent = 0;
  const call = link.call(
    { bytes: 1, effect: "once", kind: "unary", deadlineMs: 300, name: "INCR" },
    async () => {
      sent++;
    },
  );
  call.catch(() => {});
  await world.clock.advanceAsync(1000);
  await assert.rejects(
    call,
    /INCR was not sent within its deadline of 300 ms; the link is down: connection refused/,
  );
  server.up = true;
  await world.clock.advanceAsync(1000);
  assert.equal(link.phase, "ready");
  assert.equal(sent, 0);
  await link.close();
});

test("drain finishes what is in flight, refuses new calls, then closes", async () => {
  const { link, call, last, world } = fixture();
  await link.connect();
  const running = call();
  const drained = link.drain();
  await assert.rejects(call(), (e) => isHoldfastError(e) && e.code === "HF_DRAINING");
  last().pending[0]?.resolve(1);
  assert.equal(await running, 1);
  await world.clock.advanceAsync(10);
  await drained;
  assert.equal(link.phase, "closed");
  assert.equal(world.clock.pendingTimers, 0);
});
