/** Bounds, aborts, events, and the check of the library's inside. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "redis";
import type { HoldfastError } from "../../../src/call/index.ts";
import { AbortError, ClientOfflineError, createClient } from "../../../src/drivers/redis/index.ts";
import { brokenEvidence, type LibraryClient } from "../../../src/drivers/redis/library.ts";
import { fakeServer } from "./fake-server.ts";
import { type Client, next, quick, rigFor } from "./rig.ts";

test("disableOfflineQueue: the library's own error at once, and nothing waits", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ disableOfflineQueue: true });
  await client.connect();
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const lost = next(client, "disconnected");
  rig.proxy.cut("fin");
  await lost;
  await assert.rejects(client.get("k"), ClientOfflineError);
  assert.equal(client.isReady, false);
  assert.equal(client.isOpen, true);
  await refuse.undo();
});

test("disableOfflineQueue: a reply that asks to wait is told at once, for nothing may wait: its error is the cause", async () => {
  await using server = await fakeServer(([name]) =>
    name === "GET" ? "-TRYAGAIN keys are moving\r\n" : undefined,
  );
  const client = createClient({
    socket: { host: "127.0.0.1", port: server.port },
    disableOfflineQueue: true,
    resilience: quick,
  });
  await client.connect();
  await assert.rejects(client.get("k"), (error: HoldfastError) => {
    assert.deepEqual([error.code, error.outcome], ["HF_OUTBOX_FULL", "not-applied"]);
    assert.match(String((error.cause as Error).message), /^TRYAGAIN/);
    return true;
  });
  assert.equal(server.commands.filter((name) => name === "GET").length, 1);
  await client.resilience.close();
});

test("commandsQueueMaxLength bounds what waits and what is under way", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ commandsQueueMaxLength: 3 });
  await client.connect();
  const online = await Promise.allSettled([1, 2, 3, 4].map(() => client.ping()));
  assert.deepEqual(
    online.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected"],
  );
  assert.match(String((online[3] as PromiseRejectedResult).reason), /The queue is full/);
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const lost = next(client, "disconnected");
  rig.proxy.cut("fin");
  await lost;
  const offline = [1, 2, 3].map(() => client.ping());
  await assert.rejects(client.ping(), { code: "HF_OUTBOX_FULL", outcome: "not-applied" });
  await refuse.undo();
  assert.deepEqual(await Promise.all(offline), ["PONG", "PONG", "PONG"]);
});

test("the live write buffer is bounded: beyond it a call is refused as not-applied, at once", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { ...quick, writeBufferBytes: 100_000 } });
  await client.connect();
  const value = "x".repeat(10_000);
  const results = await Promise.allSettled(Array.from({ length: 30 }, () => client.rPush("list", value)));
  const refused = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  for (const { reason } of refused) {
    assert.deepEqual([reason.code, reason.outcome], ["HF_WRITE_BUFFER_FULL", "not-applied"]);
  }
  // 9 × (10,000 + RESP) fit in 100,000.
  assert.equal(refused.length, 21);
  assert.equal(await client.lLen("list"), 9);
  // What the kernel has taken counts no more: the same again, one turn at a time, all pass.
  for (let i = 0; i < 30; i++) await client.rPush("list", value);
  assert.equal(await client.lLen("list"), 39);
});

test("an aborted call rejects with the library's AbortError, and is never sent when it was waiting", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  await assert.rejects(client.withAbortSignal(AbortSignal.abort()).incr("n"), AbortError);
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const lost = next(client, "disconnected");
  rig.proxy.cut("fin");
  await lost;
  const abort = new AbortController();
  const call = client.withAbortSignal(abort.signal).incr("n");
  abort.abort();
  await assert.rejects(call, AbortError);
  await refuse.undo();
  assert.equal(await client.incr("n"), 1);
});

test("events come in the library's order", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { host, port } = rig.proxy;
  const names = ["connect", "ready", "error", "reconnecting", "end", "terminated"] as const;
  const heard = async (client: Pick<Client, "on" | "once" | "connect" | "close">): Promise<string[]> => {
    const events: string[] = [];
    for (const name of names) client.on(name, () => void events.push(name));
    await client.connect();
    const refuse = await rig.proxy.fault({ kind: "refuse" });
    const failedTwice = new Promise<void>((resolve) => {
      let errors = 0;
      client.on("error", () => ++errors === 3 && resolve());
    });
    rig.proxy.cut("rst");
    await failedTwice;
    const ready = new Promise((resolve) => client.once("ready", resolve));
    await refuse.undo();
    await ready;
    await client.close();
    return events;
  };
  const strategy = (): number => 20;
  const theirs = await heard(
    library.createClient({ socket: { host, port, reconnectStrategy: strategy } }) as unknown as Client,
  );
  const ours = await heard(rig.client());
  // How many attempts fail is a matter of timing.
  const shape = (events: readonly string[]): string =>
    events.join(" ").replace(/(error reconnecting ?)+/, "(error reconnecting)+ ");
  assert.equal(shape(ours), shape(theirs));
  assert.equal(shape(ours), "connect ready (error reconnecting)+ connect ready end");
});

test("an error that nobody hears does not end the process", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  assert.equal(client.listenerCount("error"), 0);
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
});

test("[mariadb-redis 56] no listener grows over many reconnects; old connections say nothing more", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { minDialGapMs: 0 } });
  let heard = 0;
  await client.connect();
  await client.subscribe("a", () => heard++);
  const counts = (): number[] => client.eventNames().map((name) => client.listenerCount(name));
  const before = counts();
  for (let i = 0; i < 30; i++) {
    const back = next(client, "reconnected");
    client.resilience.reconnectNow();
    await back;
  }
  assert.deepEqual(counts(), before);
  await (await rig.direct()).publish("a", "once");
  await client.ping();
  assert.equal(heard, 1);
});

test("a library whose queue can't be trusted: everything lost is maybe-applied, and it is told", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const unsent = async (client: Client): Promise<string> => {
    await client.connect();
    const call = client.incr("n"); // in the library's queue until the end of this turn
    client.resilience.reconnectNow();
    return call.then(
      () => "sent again",
      (error: { outcome?: string }) => String(error.outcome),
    );
  };
  assert.equal(await unsent(rig.client()), "sent again");

  const queue = Object.getPrototypeOf((createClient() as unknown as LibraryClient)._getQueue()) as Record<
    string,
    unknown
  >;
  const original = queue.extractAllCommands;
  t.after(() => {
    queue.extractAllCommands = original;
  });
  for (const broken of [undefined, () => [], () => [{}]]) {
    queue.extractAllCommands = broken;
    const client = rig.client({ resilience: { ...quick, minDialGapMs: 0 } });
    const told: unknown[] = [];
    client.resilience.on("asyncError", ({ error }) => told.push(error));
    assert.equal(await unsent(client), "maybe-applied");
    assert.match(String(told[0]), /not the one that was tested/);
  }
});

test("the check of the library's inside passes on the installed one and names what is wrong on others", () => {
  const fake = (queue: object): LibraryClient => ({ _getQueue: () => queue }) as unknown as LibraryClient;
  assert.equal(brokenEvidence(library.createClient() as unknown as LibraryClient), undefined);
  assert.match(String(brokenEvidence({} as LibraryClient)), /failed the check/);
  assert.match(String(brokenEvidence(fake({}))), /has no addCommand/);
});
