/** Peers that are silently gone are found; calls that are rightly silent are left alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../support/until.ts";
import { type Client, next, quick, rigFor } from "./rig.ts";

/** The server holds a blocked client. */
function blocked(direct: Client): Promise<true> {
  return until("a client that blocks", 5_000, async () =>
    (await direct.clientList()).some(({ flags }) => flags.includes("b")),
  );
}

test("an idle half-open connection is found by PING and replaced", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { ...quick, liveness: { idleProbeMs: 50, probeTimeoutMs: 80 } } });
  await client.connect();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "existing" });
  const found = next(client, "halfOpen");
  await next(client, "reconnected");
  await found;
  assert.equal(await client.ping(), "PONG");
});

test("a half-open connection with a call on it is found by the call's deadline", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ commandOptions: { timeout: 150 } });
  await client.connect();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", applyTo: "existing" });
  const back = next(client, "reconnected");
  await assert.rejects(client.incr("n"), { code: "HF_DEADLINE", outcome: "maybe-applied", step: "reply" });
  await back;
  assert.equal(await client.withCommandOptions({ timeout: 0 }).incr("n"), 1);
});

test("BLPOP is never probed to death, nor held to the deadline of other calls", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const liveness = { idleProbeMs: 40, probeTimeoutMs: 500 };
  const client = rig.client({ commandOptions: { timeout: 1_000 }, resilience: { ...quick, liveness } });
  await client.connect();
  let lost = 0;
  client.resilience.on("disconnected", () => lost++);
  const forEver = client.blPop("jobs", 0);
  const bounded = rig.client({ commandOptions: { timeout: 1_000 }, resilience: { ...quick, liveness } });
  await bounded.connect();
  assert.equal(await bounded.blPop("nothing", 1.5), null, "its own time, and then the server's null");
  await (await rig.direct()).rPush("jobs", "work");
  assert.deepEqual(await forEver, { key: "jobs", element: "work" });
  assert.equal(lost, 0);
});

test("a BLPOP whose connection is lost may have popped: it is told, not sent again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const direct = await rig.direct();
  const pop = client.blPop("jobs", 0);
  await blocked(direct);
  rig.proxy.cut("rst");
  await assert.rejects(pop, { code: "HF_LOST", outcome: "maybe-applied" });
  // An XREAD that blocks only reads.
  const read = client.xRead({ key: "stream", id: "$" }, { BLOCK: 0 });
  await blocked(direct);
  const again = next(client, "reconnected");
  rig.proxy.cut("rst");
  await again;
  await blocked(direct);
  await direct.xAdd("stream", "*", { f: "v" });
  assert.equal((await read)?.length, 1);
});

test("pingInterval probes and is told as the library tells it", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ pingInterval: 30 });
  const pinged = new Promise((resolve) => client.once("ping-interval", resolve));
  await client.connect();
  assert.equal(await pinged, "PONG");
});
