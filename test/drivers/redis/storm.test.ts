/** Nothing acknowledged is lost, nothing is applied twice, nothing stays open: counted against a real server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { createClient } from "../../../src/drivers/redis/index.ts";
import { seededRandom } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { next, quick, rigFor } from "./rig.ts";

test("cuts at random moments: the list holds every acknowledged push once, and no push that was not-applied", async (t) => {
  const rig = await rigFor(t, { durable: true });
  if (rig === undefined) return;
  const seed = (process.pid * 7919) % 100_000;
  const random = seededRandom(seed);
  const client = rig.client();
  await client.connect();
  const acknowledged = new Set<string>();
  const unknown = new Set<string>();
  const notApplied = new Set<string>();
  let sent = 0;
  const push = async (): Promise<void> => {
    const item = String(sent++);
    try {
      await client.rPush("list", item);
      acknowledged.add(item);
    } catch (error) {
      assert.ok(isHoldfastError(error), String(error));
      (error.outcome === "maybe-applied" ? unknown : notApplied).add(item);
    }
  };
  const workers = Array.from({ length: 20 }, async () => {
    while (sent < 6_000) await push();
  });
  let cuts = 0;
  const storm = (async () => {
    while (sent < 6_000) {
      const target = sent + Math.floor(random.next() * 400);
      await until("progress", 5_000, () => sent >= Math.min(target, 6_000));
      rig.proxy.cut(random.next() < 0.5 ? "rst" : "fin");
      cuts++;
      await client.resilience.whenReady();
    }
  })();
  await Promise.all([...workers, storm]);
  const list = await (await rig.direct()).lRange("list", 0, -1);
  const applied = new Set(list);
  const told = `seed ${seed}: ${cuts} cuts, ${acknowledged.size} ok, ${unknown.size} unknown, ${notApplied.size} not applied`;
  assert.equal(list.length, applied.size, `applied twice (${told})`);
  assert.deepEqual(
    [...acknowledged].filter((item) => !applied.has(item)),
    [],
    `acknowledged but absent (${told})`,
  );
  assert.deepEqual(
    [...notApplied].filter((item) => applied.has(item)),
    [],
    `told not-applied but applied (${told})`,
  );
  assert.equal(acknowledged.size + unknown.size + notApplied.size, 6_000, told);
  assert.ok(unknown.size <= cuts * 20, `more unknown than could be in flight (${told})`);
  assert.ok(cuts > 3 && acknowledged.size > 5_000, told);
});

test("kill -9 and restart: what waited is done, in order, on the new process", async (t) => {
  const rig = await rigFor(t, { durable: true });
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  await client.rPush("list", "before");
  const lost = next(client, "disconnected");
  await rig.server.kill9();
  await lost;
  const waiting = Promise.all(["a", "b", "c"].map((item) => client.rPush("list", item)));
  await rig.server.start();
  assert.deepEqual(await waiting, [2, 3, 4]);
  assert.deepEqual(await client.lRange("list", 0, -1), ["before", "a", "b", "c"]);
});

test("a restarted server that reads its data from disk is waited for; nothing that waited sees LOADING", async (t) => {
  const rig = await rigFor(t, { config: { "key-load-delay": "1000", "aof-use-rdb-preamble": "no" } });
  if (rig === undefined) return;
  const client = rig.client({ commandOptions: { timeout: 60_000 } });
  await client.connect();
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => client.set(`k${i}`, i)));
  const lost = next(client, "disconnected");
  await rig.server.kill9();
  await lost;
  const call = client.get("k2999");
  const started = rig.server.start();
  assert.equal(await call, "2999");
  await started;
  assert.match(
    await client.info("errorstats"),
    /errorstat_LOADING:count=[1-9]/,
    "it did meet a loading server",
  );
});

test("a MULTI of which a part was written, but not its EXEC, had no effect: it is sent again, and applied once", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ commandOptions: { timeout: 20_000 } });
  await client.connect();
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "up", how: "stop-reading" });
  const multi = client.multi();
  const value = "x".repeat(64 * 1024);
  for (let i = 0; i < 115; i++) multi.rPush("list", value);
  const result = multi.exec();
  // Some of it is in the kernel, and much of it can't be.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  rig.proxy.cut("rst");
  await hole.undo();
  assert.equal((await result).length, 115);
  assert.equal(await client.lLen("list"), 115);
});

test("[mariadb-redis 55] failover leaves for the next endpoint; closing ends everything at once, also right before a connect", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { server, proxy } = rig;
  const client = createClient({
    resilience: {
      ...quick,
      order: "given",
      endpoints: [`${proxy.host}:${proxy.port}`, `${server.host}:${server.port}`],
    },
  });
  await client.connect();
  const moved = next(client, "reconnected");
  client.resilience.failover();
  await moved;
  assert.match(client.resilience.explain(), new RegExp(`${server.host}:${server.port}`));
  const call = client.blPop("nothing", 0);
  client.destroy();
  const again = client.connect();
  await assert.rejects(call, { code: "HF_CLOSED", outcome: "not-applied" }, "it was never written");
  await again;
  assert.equal(await client.ping(), "PONG");
  await client.resilience.close();
});

test("newer credentials that a caller sent with AUTH are those of the next handshake", async (t) => {
  const rig = await rigFor(t, { password: "first" });
  if (rig === undefined) return;
  const client = rig.client({ password: "first" });
  await client.connect();
  await client.configSet("requirepass", "second");
  await client.auth({ password: "second" });
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  assert.equal(await client.ping(), "PONG");
});
