/** Rows of the checklist of Redis clients that no other test shows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type HoldfastError, isHoldfastError } from "../../../src/call/index.ts";
import { createClient } from "../../../src/drivers/redis/index.ts";
import { until } from "../../support/until.ts";
import { fakeServer } from "./fake-server.ts";
import { next, quick, rigFor } from "./rig.ts";

test("[mariadb-redis 35] of one call a part was written: maybe-applied; of the next nothing: sent again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ commandOptions: { timeout: 20_000 } });
  await client.connect();
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "up", how: "stop-reading" });
  // More than two kernels hold for one connection, and less than the write buffer.
  const partly = client.append("text", "x".repeat(15 << 20)).then(String, (error: HoldfastError) => error);
  const unwritten = client.incr("n");
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  rig.proxy.cut("rst");
  await hole.undo();
  const error = await partly;
  assert.ok(isHoldfastError(error), String(error));
  assert.deepEqual([error.code, error.outcome], ["HF_LOST", "maybe-applied"]);
  assert.equal(await unwritten, 1);
  assert.equal(await client.strLen("text"), 0, "half a command is no command");
});

test("[mariadb-redis 40] read-only for good: leaves, looks the name up again, backs off, and says so in the end", async () => {
  let asked = 0;
  await using server = await fakeServer(([name]) =>
    name === "INCR" && ++asked ? "-READONLY You can't write against a read only replica.\r\n" : undefined,
  );
  let lookups = 0;
  type Found = (error: null, found: readonly { address: string; family: number }[]) => void;
  const lookup = (_name: string, _options: object, found: Found): void => {
    lookups++;
    found(null, [{ address: "127.0.0.1", family: 4 }]);
  };
  const client = createClient({
    socket: { host: "redis.test", port: server.port, lookup: lookup as never },
    resilience: { ...quick, minDialGapMs: 50 },
  });
  const dialledMs: number[] = [];
  client.resilience.on("attempt", () => void dialledMs.push(performance.now()));
  await client.connect();
  await assert.rejects(client.incr("n"), { outcome: "not-applied", message: /READONLY/ });
  assert.equal(asked, 4, "once, and three times again");
  await client.resilience.whenReady();
  assert.equal(dialledMs.length, 5, "each refusal ended its connection");
  assert.equal(lookups, 5);
  // Four gaps of 50 ms, less what the first event was seen late.
  const tookMs = (dialledMs.at(-1) as number) - (dialledMs[0] as number);
  assert.ok(tookMs >= 150, `five dials in ${tookMs} ms`);
  await client.resilience.close();
});

test("[mariadb-redis 52] what the session held is there before the first call that waited: seen by the server", async (t) => {
  const rig = await rigFor(t, { password: "pw" });
  if (rig === undefined) return;
  const admin = createClient({ url: rig.server.url, password: "pw", resilience: quick });
  await admin.connect();
  const seen: string[] = [];
  const client = rig.client({ password: "pw" });
  await client.connect();
  await client.select(3);
  await client.clientSetName("harbour");
  await client.subscribe("news", () => {});
  await admin.monitor((line) => void seen.push(String(line)));
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const lost = next(client, "disconnected");
  rig.proxy.cut("rst");
  await lost;
  const calls = [client.rPush("list", "1"), client.rPush("list", "2")];
  await refuse.undo();
  assert.deepEqual(await Promise.all(calls), [1, 2]);
  await until("the monitor's last line", 10_000, () => seen.some((line) => line.includes('"2"')));
  const words = seen
    .map((line) => /\] (.*)$/.exec(line)?.[1] ?? "")
    .join(" ")
    .toLowerCase();
  const at = ['"select" "3"', '"setname" "harbour"', '"subscribe" "news"', '"rpush" "list" "1"', '"2"'].map(
    (word) => words.indexOf(word),
  );
  assert.ok(Math.min(...at) >= 0, words);
  assert.ok(Math.max(...at.slice(0, 3)) < (at[3] as number) && (at[3] as number) < (at[4] as number), words);
  await admin.resilience.close();
});

test("[mariadb-redis 55] disconnected and connected again at every moment: one connection in the end, and it works", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { ...quick, minDialGapMs: 0 } });
  for (let turn = 0; turn < 20; turn++) {
    const connecting = client.connect();
    connecting.catch(() => {});
    // At once, in the handshake, or when it is ready.
    if (turn % 3 === 1) await new Promise((resolve) => setImmediate(resolve));
    if (turn % 3 === 2) await connecting;
    client.destroy();
    if (turn % 2 === 0) client.destroy();
  }
  await client.connect();
  client.resilience.reconnectNow();
  await client.resilience.whenReady();
  assert.equal(await client.ping(), "PONG");
  await until("one connection", 10_000, async () => (await rig.server.connectionCount()) === 1);
});

test("[mariadb-redis 58] giving up is told by an event of its own, and the client can be started again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { ...quick, limits: { maxAttempts: 2 } } });
  const events: string[] = [];
  for (const name of ["terminated", "end"] as const) client.on(name, () => void events.push(name));
  client.resilience.on("closed", ({ why }) => void events.push(why));
  await client.connect();
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const closed = next(client, "closed");
  const lost = next(client, "disconnected");
  rig.proxy.cut("rst");
  await lost;
  const waiting = assert.rejects(client.incr("n"), { outcome: "not-applied" });
  await closed;
  await waiting;
  assert.deepEqual(events.sort(), ["attempts-exhausted", "end", "terminated"]);
  assert.deepEqual([client.isOpen, client.isReady], [false, false]);
  await refuse.undo();
  await client.connect();
  assert.equal(await client.incr("n"), 1);
});
