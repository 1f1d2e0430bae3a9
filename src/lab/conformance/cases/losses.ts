/** Losses that are told: the link comes back by itself, and says what happened in order. */
import assert from "node:assert/strict";
import type { ConformanceCase } from "../case.ts";
import type { CaseContext, Opened } from "../context.ts";

/** Writes once and looks the write up at the server. */
export async function works(context: CaseContext, { client }: Opened): Promise<void> {
  const id = context.nextId();
  await client.write(id);
  assert.equal(await context.applied(id), 1, "an acknowledged write is at the server, once");
}

/** One episode: told once, with a cause, then attempts, then `reconnected`. */
function oneEpisode({ events }: Opened): void {
  assert.equal(events.of("disconnected").length, 1, "one disconnected");
  assert.notEqual(events.of("disconnected")[0]?.data.cause, undefined, "it says why");
  assert.equal(events.of("reconnected").length, 1, "one reconnected");
  assert.equal(events.of("connected").length, 1, "connected is for the first time only");
  const life = new Set(["connected", "disconnected", "reconnected", "closed"]);
  assert.deepEqual(
    events.names.filter((name) => life.has(name)),
    ["connected", "disconnected", "reconnected"],
  );
}

function cutBy(how: "rst" | "fin"): ConformanceCase {
  return {
    name: `an idle connection ended by ${how.toUpperCase()} comes back by itself`,
    items: ["N1", "N6", "Q1", "E1", "R1", "L2", "S1"],
    async run(context) {
      const opened = await context.connected();
      await works(context, opened);
      context.proxy.cut(how);
      await opened.events.until("reconnected");
      oneEpisode(opened);
      await works(context, opened);
      assert.equal(context.proxy.connections().length, 1, "one connection, not two");
    },
  };
}

export const lossCases: readonly ConformanceCase[] = [
  {
    name: "connects, writes, reads, closes",
    async run(context) {
      const opened = await context.connected();
      await works(context, opened);
      await opened.client.read();
      assert.equal(opened.client.resilience.health().status, "up");
      assert.equal(opened.client.resilience.snapshot().phase, "ready");
      await opened.client.close();
      assert.deepEqual(opened.events.names, ["attempt", "connected", "disconnected", "closed"]);
      assert.equal(
        opened.events.of("disconnected")[0]?.data.cause,
        undefined,
        "the owner's close is no error",
      );
      await context.noSockets();
    },
  },
  cutBy("rst"),
  cutBy("fin"),
  {
    name: "a FIN in one direction only is a loss",
    async run(context) {
      const opened = await context.connected();
      const half = await context.proxy.fault({ kind: "halfClose", direction: "down", applyTo: "existing" });
      await opened.events.until("reconnected");
      await half.undo();
      await works(context, opened);
    },
  },
  {
    name: "kill -9 and restart on the same port",
    items: ["N1", "R1", "Q1", "E1"],
    deadlineMs: 40_000,
    async run(context) {
      const opened = await context.connected();
      const before = context.nextId();
      await opened.client.write(before);
      await context.server.kill9();
      await opened.events.until("disconnected");
      await opened.events.until("attemptFailed");
      assert.equal(opened.client.resilience.health().status, "degraded");
      await context.server.restart();
      await opened.events.until("reconnected");
      oneEpisode(opened);
      assert.equal(await context.applied(before), 1, "the server keeps what it acknowledged");
      await works(context, opened);
    },
  },
  {
    name: "a listener that throws unwinds nothing",
    async run(context) {
      const opened = context.open();
      for (const name of ["connected", "disconnected", "reconnected"] as const) {
        opened.client.resilience.on(name, () => {
          throw new Error(`a listener of ${name}`);
        });
      }
      await opened.client.connect();
      context.proxy.cut("rst");
      await opened.events.until("reconnected");
      await works(context, opened);
    },
  },
  {
    name: "a slow line is no loss",
    async run(context) {
      const opened = await context.connected({
        resilience: { liveness: { idleProbeMs: 200, probeTimeoutMs: 5_000 } },
      });
      await using _latency = await context.proxy.fault({ kind: "latency", delayMs: 60, jitterMs: 20 });
      await using _drip = await context.proxy.fault({
        kind: "drip",
        direction: "down",
        bytes: 2,
        everyMs: 5,
      });
      for (let i = 0; i < 5; i++) await works(context, opened);
      assert.equal(opened.events.of("disconnected").length, 0);
    },
  },
  {
    name: "what the session holds is there again after a loss",
    items: ["N2"],
    needs: "session",
    async run(context) {
      const opened = await context.connected();
      const intact = await opened.client.holdSession?.();
      assert.equal(await intact?.(), true, "it holds before the loss");
      context.proxy.cut("rst");
      await opened.events.until("reconnected");
      assert.equal(await intact?.(), true, "it holds after the loss");
    },
  },
];
