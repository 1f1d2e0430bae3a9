/** What becomes of calls and of the session when the connection dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type HoldfastError, isHoldfastError } from "../../../src/call/index.ts";
import { WatchError } from "../../../src/drivers/redis/index.ts";
import { until } from "../../support/until.ts";
import { next, rigFor } from "./rig.ts";

async function failure(call: Promise<unknown>): Promise<HoldfastError> {
  const error = await call.then(
    (value) => assert.fail(`it succeeded with ${String(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(isHoldfastError(error), String(error));
  return error;
}

test("an INCR whose reply is lost is executed once and told maybe-applied; a GET is sent again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  await client.set("n", 0);
  const direct = await rig.direct();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const incr = failure(client.incr("n"));
  const get = client.get("n");
  await until("the server has it", 10_000, async () => (await direct.get("n")) === "1");
  rig.proxy.cut("rst");
  const error = await incr;
  assert.deepEqual([error.code, error.outcome], ["HF_LOST", "maybe-applied"]);
  assert.equal(await get, "1");
  assert.equal(await direct.get("n"), "1");
});

test("unsafeResendMaybeApplied restores the peers that send everything again: the INCR is applied twice", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { retry: { maxRetries: 3, unsafeResendMaybeApplied: true } } });
  await client.connect();
  const direct = await rig.direct();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const incr = client.incr("n");
  await until("the server has it", 10_000, async () => (await direct.get("n")) === "1");
  rig.proxy.cut("rst");
  assert.equal(await incr, 2);
});

test("calls made while the server is away wait, keep their order, and are applied once", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const lost = next(client, "disconnected");
  rig.proxy.cut("fin");
  await lost;
  const pushes = Array.from({ length: 200 }, (_, i) => client.rPush("list", String(i)));
  await refuse.undo();
  await Promise.all(pushes);
  assert.deepEqual(
    await client.lRange("list", 0, -1),
    Array.from({ length: 200 }, (_, i) => String(i)),
  );
});

test("what the library had not written is taken back: a burst cut off in the middle is mostly known", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { outbox: { bytes: 32 << 20 } } });
  await client.connect();
  const direct = await rig.direct();
  // 15 MB: less than the write buffer, and far more than any kernel holds for one connection (here about 4 MB).
  const value = "x".repeat(3_000);
  // The proxy stops reading, so the kernel fills up and the library keeps most of the burst to itself.
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "up", how: "stop-reading" });
  const burst = Array.from({ length: 5_000 }, () =>
    client.append("text", value).then(() => "done", outcomeOf),
  );
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await hole.undo();
  await back;
  const outcomes = await Promise.all(burst);
  const done = outcomes.filter((outcome) => outcome === "done").length;
  const unknown = outcomes.filter((outcome) => outcome === "maybe-applied").length;
  const appended = (await direct.strLen("text")) / value.length;
  assert.equal(done + unknown, 5_000);
  assert.ok(unknown < 4_000 && done > 1_000, `${done} done, ${unknown} unknown`);
  assert.ok(
    appended >= done && appended <= done + unknown,
    `${appended} appended, ${done} done, ${unknown} unknown`,
  );
});

function outcomeOf(error: unknown): string {
  return isHoldfastError(error) ? String(error.outcome) : String(error);
}

test("[mariadb-redis 52] [mariadb-redis 54] database, name, flags and subscriptions are there again, with a gap event; SELECT order is kept", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const gaps: string[] = [];
  client.resilience.on("gap", ({ subscription, downMs }) => gaps.push(`${subscription} ${downMs >= 0}`));
  const heard: string[] = [];
  await client.subscribe("news", (message) => heard.push(message));
  await client.pSubscribe("n*", (message) => heard.push(message));
  await client.sSubscribe("shard", (message) => heard.push(message));
  await client.select(3);
  await client.clientSetName("harbour");
  await client.clientNoEvict(true);
  await client.sendCommand(["CLIENT", "TRACKING", "ON", "NOLOOP"]);
  const info = async (): Promise<unknown[]> => {
    const { name, db, flags, sub, psub, ssub } = await client.clientInfo();
    return [name, db, [...flags].sort().join(""), sub, psub, ssub];
  };
  const before = await info();
  assert.deepEqual(before.slice(0, 2), ["harbour", 3]);
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  assert.deepEqual(await info(), before);
  assert.deepEqual(gaps, ["news true", "n* true", "shard true"]);
  const publisher = await rig.direct();
  assert.equal(await publisher.publish("news", "again"), 2);
  await publisher.sPublish("shard", "too");
  await until("messages", 10_000, () => heard.length === 3);
  assert.deepEqual(heard.sort(), ["again", "again", "too"]);
});

test("WATCH before a loss: EXEC fails once with the client's own WatchError, and nothing was written", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  await client.set("balance", "10");
  await client.watch("balance");
  assert.equal(client.isWatching, true);
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  await assert.rejects(client.multi().set("balance", "0").exec(), WatchError);
  assert.equal(await client.get("balance"), "10");
  assert.deepEqual(await client.multi().set("balance", "5").exec(), ["OK"]);
  await client.watch("balance");
  await (await rig.direct()).set("balance", "7");
  await assert.rejects(client.multi().set("balance", "0").exec(), WatchError);
});

test("a MULTI in flight is maybe-applied when its EXEC was written, and sent again when nothing was", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const direct = await rig.direct();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const lost = failure(client.multi().incr("a").incr("b").exec());
  await until("it ran", 10_000, async () => (await direct.get("b")) === "1");
  const unsent = client.incr("c"); // in the library's queue until the end of this turn
  const multi = client.multi().incr("a").incr("b").exec();
  rig.proxy.cut("rst");
  client.resilience.reconnectNow();
  assert.equal((await lost).outcome, "maybe-applied");
  assert.equal(await unsent, 1);
  assert.deepEqual(await multi, [2, 2]);
});
