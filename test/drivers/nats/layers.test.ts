import assert from "node:assert/strict";
import { test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Svcm } from "@nats-io/services";
import { isHoldfastError } from "../../../src/call/index.ts";
import { until } from "../../support/until.ts";
import { connected, lose, withNats } from "./support.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("JetStream: consume goes on after kill -9; every message with a PubAck is consumed", async (t) => {
  const server = await withNats(t, { durable: true });
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: "S", subjects: ["s.*"] });
  await manager.consumers.add("S", { durable_name: "d", ack_policy: "explicit" });
  const js = jetstream(nc);
  const seen: number[] = [];
  const messages = await (await js.consumers.get("S", "d")).consume();
  const reading = (async () => {
    for await (const message of messages) {
      seen.push(message.seq);
      await message.ackAck();
    }
  })();
  reading.catch(() => {});
  for (let i = 0; i < 5; i++) await js.publish("s.a", `${i}`);
  await until("the first five", 10_000, () => seen.length === 5);
  await nc.flush();
  await lose(nc, () => server.kill9());
  await server.restart();
  for (let i = 5; i < 10; i++)
    await until("a PubAck", 15_000, async () => (await js.publish("s.a", `${i}`)).seq > 0);
  await until("all ten", 30_000, () => new Set(seen).size === 10);
  assert.deepEqual([...new Set(seen)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await messages.close();
});

test("KV: a watch goes on after kill -9", async (t) => {
  const server = await withNats(t, { durable: true });
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const kv = await new Kvm(nc).create("b");
  const seen: string[] = [];
  const watch = await kv.watch();
  const reading = (async () => {
    for await (const entry of watch) seen.push(`${entry.key}=${entry.string()}`);
  })();
  reading.catch(() => {});
  await kv.put("k", "1");
  await until("the first", 10_000, () => seen.includes("k=1"));
  await lose(nc, () => server.kill9());
  await server.restart();
  await until("the put", 15_000, async () => (await kv.put("k", "2")) > 0);
  await until("the second", 30_000, () => seen.includes("k=2"));
  assert.equal((await kv.get("k"))?.string(), "2");
  watch.stop();
});

test("services: an endpoint answers again after kill -9", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const service = await new Svcm(nc as never).add({ name: "calc", version: "1.0.0" });
  service.addEndpoint("double", {
    handler: (_error, message) => void message.respond(`${Number(message.string()) * 2}`),
  });
  const ask = async () => (await nc.request("double", "21", { timeout: 10_000 })).string();
  assert.equal(await ask(), "42");
  await lose(nc, () => server.kill9());
  await server.restart();
  assert.equal(await ask(), "42");
});

test("[nats 71]: JetStream: a publish in flight fails at once with its outcome, a waiting one is acknowledged by the next server, an ordered consumer is made anew", async (t) => {
  const server = await withNats(t, { durable: true });
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: "O", subjects: ["o"] });
  const js = jetstream(nc);
  for (let i = 0; i < 5; i++) await js.publish("o", `${i}`);
  const ordered = await js.consumers.get("O");
  const seen: string[] = [];
  const messages = await ordered.consume();
  const reading = (async () => {
    for await (const message of messages) seen.push(message.string());
  })();
  reading.catch(() => {});
  await until("the first five", 10_000, () => seen.length === 5);

  await server.pause();
  const inFlight = js.publish("o", "in flight", { timeout: 60_000, retries: 0 });
  const outcome = assert.rejects(inFlight, (error: unknown) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.outcome, "maybe-applied");
    return true;
  });
  await nextTurn();
  await lose(nc, () => server.kill9());
  await outcome;
  const waiting = js.publish("o", "waited", { timeout: 30_000, retries: 5 });
  await server.restart();
  assert.ok((await waiting).seq > 5);
  for (let i = 5; i < 8; i++) await js.publish("o", `${i}`, { timeout: 10_000, retries: 5 });
  await until("the rest", 30_000, () => seen.includes("7"));
  const rest = seen.filter((text) => text !== "in flight");
  assert.deepEqual(rest, ["0", "1", "2", "3", "4", "waited", "5", "6", "7"], "in order, each once");
  await messages.close();
});
