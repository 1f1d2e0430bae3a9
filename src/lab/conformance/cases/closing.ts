/** Close in every state: at once, for good, with every wait ended and no socket left. */
import assert from "node:assert/strict";
import { isHoldfastError } from "../../../call/index.ts";
import type { LinkPhase } from "../../../link/index.ts";
import { systemClock } from "../../../time/index.ts";
import { until } from "../../servers/until.ts";
import type { ConformanceCase } from "../case.ts";
import { type CaseContext, type Opened, within } from "../context.ts";

/** Far less than what is waited for: a connect of 20 s, a wait of 60 s. */
const atOnceMs = 10_000;

/** Closes twice and looks that nothing is left. */
async function closesClean(
  context: CaseContext,
  { client, events }: Opened,
  everStarted = true,
): Promise<void> {
  const startMs = systemClock.nowMs();
  const first = client.close();
  await within("close", atOnceMs, first);
  await within("a second close", atOnceMs, client.close());
  assert.ok(systemClock.nowMs() - startMs < atOnceMs);
  if (everStarted) {
    assert.equal(client.resilience.snapshot().phase, "closed");
    assert.equal(events.of("closed").length, 1, "closed is told once");
    assert.equal(events.names.at(-1), "closed", "closed is last");
    assert.equal(events.of("closed")[0]?.data.why, "user");
  }
  await context.noSocketsAtServers();
  await context.proxy.clear();
  await context.noSockets();
}

function inState(
  what: string,
  phase: LinkPhase | undefined,
  reach: (context: CaseContext) => Promise<Opened>,
  needs?: "handshake",
): ConformanceCase {
  return {
    name: `close ${what}`,
    items: ["[mariadb-redis 55]", "L10"],
    ...(needs && { needs }),
    async run(context) {
      const opened = await reach(context);
      if (phase !== undefined) assert.equal(opened.client.resilience.snapshot().phase, phase);
      await closesClean(context, opened);
    },
  };
}

/** A client whose first connect goes on in the background. */
function connecting(context: CaseContext): Opened {
  const opened = context.open({ resilience: { connectTimeoutMs: 20_000, retryInitial: true } });
  opened.client.connect().catch(() => {});
  return opened;
}

export const closeCases: readonly ConformanceCase[] = [
  {
    name: "close before connect",
    items: ["L10"],
    run: (context) => closesClean(context, context.open(), false),
  },
  inState("while ready", "ready", (context) => context.connected()),
  inState("while dialing", "dialing", async (context) => {
    await context.proxy.fault({ kind: "freeze" });
    const opened = connecting(context);
    await opened.events.until("attempt");
    return opened;
  }),
  inState(
    "while the handshake hangs",
    undefined,
    async (context) => {
      await context.proxy.fault({ kind: "blackHole", direction: "down" });
      const opened = connecting(context);
      await until("a connection", 10_000, async () => (await context.server.connectionCount()) === 1);
      assert.notEqual(opened.client.resilience.snapshot().phase, "ready");
      return opened;
    },
    "handshake",
  ),
  inState("while waiting for the next attempt", "waiting", async (context) => {
    const opened = await context.connected({
      resilience: { backoff: { minMs: 60_000, baseMs: 60_000, capMs: 90_000 }, stableAfterMs: 0 },
    });
    await context.proxy.fault({ kind: "refuse" });
    context.proxy.cut("rst");
    await opened.events.until("attemptFailed");
    return opened;
  }),
  inState("while dormant", "dormant", async (context) => {
    const opened = context.open({ resilience: { lazy: true } });
    await opened.client.connect();
    return opened;
  }),
  inState("in the moment of a loss", undefined, async (context) => {
    const opened = await context.connected();
    context.proxy.cut("rst");
    await opened.events.until("disconnected");
    return opened;
  }),
  {
    name: "close ends calls that wait (not-applied) and calls on the wire (maybe-applied)",
    items: ["[mariadb-redis 39]", "[nats 45]", "[nats 49]", "L10"],
    async run(context) {
      const waits = await context.connected();
      const flies = await context.connected();
      const hole = await context.proxy.fault({ kind: "blackHole", direction: "down" });
      const id = context.nextId();
      const onTheWire = flies.client.write(id);
      onTheWire.catch(() => {});
      await until("the write at the server", 10_000, async () => (await context.applied(id)) === 1);
      await flies.client.close();
      await assert.rejects(onTheWire, (error) => isHoldfastError(error) && error.outcome === "maybe-applied");
      await hole.undo();
      await context.proxy.fault({ kind: "refuse" });
      context.proxy.cut("rst");
      await waits.events.until("disconnected");
      const waiting = waits.client.write(context.nextId());
      waiting.catch(() => {});
      await waits.client.close();
      await assert.rejects(waiting, (error) => isHoldfastError(error) && error.outcome === "not-applied");
      await context.noSockets();
    },
  },
  {
    name: "drain finishes what is in flight, then closes",
    items: ["[nats 67]"],
    async run(context) {
      const opened = await context.connected();
      await context.proxy.fault({ kind: "latency", delayMs: 80 });
      const ids = [context.nextId(), context.nextId()];
      const writes = ids.map((id) => opened.client.write(id));
      for (const write of writes) write.catch(() => {});
      await within("drain", 10_000, opened.client.resilience.drain());
      if (context.target.lacks.replies === undefined) await Promise.all(writes);
      else await Promise.allSettled(writes);
      await until("both at the server", 10_000, async () => {
        const applied = await context.server.audit();
        return ids.every((id) => applied.get(id) === 1);
      });
      assert.equal(opened.events.of("closed")[0]?.data.why, "drained");
      await assert.rejects(opened.client.write(context.nextId()));
    },
  },
];
