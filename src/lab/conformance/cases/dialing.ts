/** When and how often a link dials, and what becomes of dials that fail or hang. */
import assert from "node:assert/strict";
import { isHoldfastError } from "../../../call/index.ts";
import { systemClock } from "../../../time/index.ts";
import { until } from "../../servers/until.ts";
import type { ConformanceCase } from "../case.ts";
import type { EventLog } from "../watch.ts";
import { works } from "./losses.ts";

const gapMs = 50;

/**
 * No attempts closer than the smallest gap, on the whole: what is told late, because the machine was busy just then, seems
 * close to the next.
 */
function noHotLoop(events: EventLog): void {
  const times = events.of("attempt").map(({ atMs }) => atMs);
  const tookMs = (times.at(-1) as number) - (times[0] as number);
  const least = (times.length - 2) * gapMs;
  assert.ok(tookMs >= least, `${times.length} attempts within ${tookMs.toFixed(1)} ms`);
}

export const dialCases: readonly ConformanceCase[] = [
  {
    name: "refused: backs off, then comes back",
    items: ["[nats 4]", "[nats 9]", "[nats 35]", "N1", "L2", "L8"],
    async run(context) {
      const opened = await context.connected();
      const refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("attemptFailed", 4);
      noHotLoop(opened.events);
      assert.equal(opened.client.resilience.health().status, "degraded");
      assert.match(opened.client.resilience.explain(), /attempt/);
      await refused.undo();
      await opened.events.until("reconnected");
      assert.equal(
        opened.events.of("disconnected").length,
        1,
        "one loss is told once, however many attempts fail",
      );
      await works(context, opened);
    },
  },
  {
    name: "accepted and dropped: backs off like refused",
    items: ["[mariadb-redis 45]", "[mariadb-redis 48]"],
    async run(context) {
      const opened = await context.connected({ noGreeting: true });
      const drop = await context.proxy.fault({ kind: "drop" });
      context.proxy.cut("rst");
      await until("six dropped dials", 10_000, () => drop.hits.length >= 6);
      noHotLoop(opened.events);
      await drop.undo();
      await until("ready", 10_000, () => opened.client.resilience.snapshot().phase === "ready");
      await works(context, opened);
    },
  },
  {
    name: "a connect that hangs is ended by its deadline, and tried again",
    async run(context) {
      const opened = await context.connected({ resilience: { connectTimeoutMs: 300, retryInitial: true } });
      const frozen = await context.proxy.fault({ kind: "freeze" });
      context.proxy.cut("rst");
      await opened.events.until("attemptFailed", 2);
      const [failed] = opened.events.of("attemptFailed");
      assert.ok(isHoldfastError(failed?.data.cause) && failed.data.cause.code === "HF_CONNECT_TIMEOUT");
      await frozen.undo();
      await opened.events.until("reconnected", 1, 8_000);
      await works(context, opened);
    },
  },
  {
    name: "a hang in the handshake is ended by its deadline, and tried again",
    items: ["[mariadb-redis 46]", "[mariadb-redis 47]", "[nats 46]"],
    needs: "handshake",
    async run(context) {
      const opened = await context.connected({
        resilience: {
          ...{ connectTimeoutMs: 300, restoreTimeoutMs: 1_000, retryInitial: true },
          liveness: { idleProbeMs: false },
        },
      });
      const hole = await context.proxy.fault({ kind: "blackHole", direction: "down" });
      context.proxy.cut("rst");
      await opened.events.until("attemptFailed", 2);
      const [failed] = opened.events.of("attemptFailed");
      assert.ok(isHoldfastError(failed?.data.cause) && failed.data.cause.code === "HF_CONNECT_TIMEOUT");
      noHotLoop(opened.events);
      const id = context.nextId();
      const write = opened.client.write(id);
      await opened.events.until("attemptFailed", opened.events.of("attemptFailed").length + 1);
      await hole.undo();
      await write;
      assert.equal(await context.applied(id), 1, "no failed handshake consumed it");
      await works(context, opened);
    },
  },
  {
    name: "an aborted first dial leaves no socket: hanging connect",
    async run(context) {
      const frozen = await context.proxy.fault({ kind: "freeze" });
      const opened = context.open();
      const leave = new AbortController();
      const connecting = opened.client.connect(leave.signal);
      connecting.catch(() => {});
      await opened.events.until("attempt");
      leave.abort(new Error("the caller left"));
      await assert.rejects(connecting, /the caller left/);
      await opened.events.until("closed");
      await frozen.undo();
      await context.noSockets();
    },
  },
  {
    name: "an aborted first dial leaves no socket: hanging handshake",
    needs: "handshake",
    async run(context) {
      const hole = await context.proxy.fault({ kind: "blackHole", direction: "down" });
      const opened = context.open();
      const leave = new AbortController();
      const connecting = opened.client.connect(leave.signal);
      connecting.catch(() => {});
      await until(
        "a connection at the server",
        10_000,
        async () => (await context.server.connectionCount()) === 1,
      );
      leave.abort(new Error("the caller left"));
      await assert.rejects(connecting, /the caller left/);
      await context.noSocketsAtServers();
      await hole.undo();
      await context.noSockets();
      assert.equal(opened.client.resilience.snapshot().phase, "closed");
    },
  },
  {
    name: "a first connect that is refused fails fast, with the cause",
    async run(context) {
      await using _refused = await context.proxy.fault({ kind: "refuse" });
      const opened = context.open();
      const startMs = systemClock.nowMs();
      await assert.rejects(
        opened.client.connect(),
        (error) => isHoldfastError(error) && error.code === "HF_CONNECT",
      );
      assert.ok(systemClock.nowMs() - startMs < 4_500, "fast: not when the time for a connect is over");
      assert.deepEqual(opened.events.names, ["attempt", "attemptFailed", "closed"]);
      assert.equal(opened.client.resilience.health().status, "down");
    },
  },
  {
    name: "with retryInitial the first connect is tried until it works, and calls wait for it",
    items: ["[nats 57]", "N24", "S2"],
    async run(context) {
      const refused = await context.proxy.fault({ kind: "refuse" });
      const opened = context.open({ resilience: { retryInitial: true } });
      const connecting = opened.client.connect();
      const id = context.nextId();
      const write = opened.client.write(id);
      await opened.events.until("attemptFailed", 2);
      await refused.undo();
      await Promise.all([connecting, write]);
      assert.equal(await context.applied(id), 1);
      assert.equal(opened.events.of("connected").length, 1);
    },
  },
  {
    name: "reconnectNow cuts a long wait short, and a thousand of them are one dial",
    items: ["[nats 18]", "[nats 20]", "L1"],
    async run(context) {
      const opened = await context.connected({
        resilience: { backoff: { minMs: 60_000, baseMs: 60_000, capMs: 120_000 }, stableAfterMs: 0 },
      });
      const refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("attemptFailed");
      await refused.undo();
      const before = opened.events.of("attempt").length;
      for (let i = 0; i < 1_000; i++) opened.client.resilience.reconnectNow();
      await opened.events.until("reconnected", 1, 10_000);
      assert.equal(opened.events.of("attempt").length, before + 1);
      await works(context, opened);
    },
  },
  {
    name: "with reconnecting off a loss closes the link and says so",
    items: ["[nats 3]", "N3"],
    async run(context) {
      const opened = await context.connected({ resilience: { reconnect: false } });
      context.proxy.cut("rst");
      await opened.events.until("closed");
      assert.equal(opened.events.of("closed")[0]?.data.why, "reconnect-disabled");
      assert.notEqual(opened.events.of("closed")[0]?.data.cause, undefined);
      await context.noSockets();
    },
  },
  {
    name: "a limit of attempts ends the episode and is told",
    items: ["[mariadb-redis 58]", "[nats 36]", "N7", "N17"],
    async run(context) {
      const opened = await context.connected({
        resilience: { limits: { maxAttempts: 3 }, stableAfterMs: 0 },
      });
      await using _refused = await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await opened.events.until("closed");
      assert.equal(opened.events.of("attemptFailed").length, 3);
      assert.equal(opened.events.of("closed")[0]?.data.why, "attempts-exhausted");
      await assert.rejects(opened.client.write(context.nextId()));
      await context.noSockets();
    },
  },
  {
    name: "garbage from the server ends the connection, not the process",
    items: ["[nats 53]"],
    async run(context) {
      const opened = await context.connected({ callDeadlineMs: 1_000 });
      const garbage = await context.proxy.fault({ kind: "corrupt", direction: "down", everyBytes: 1 });
      const calls = [opened.client.read(), opened.client.read()];
      await Promise.allSettled(calls);
      await garbage.undo();
      context.proxy.cut("rst");
      await until("ready", 10_000, () => opened.client.resilience.snapshot().phase === "ready");
      await opened.client.resilience.whenReady();
      await works(context, await context.connected());
    },
  },
];
