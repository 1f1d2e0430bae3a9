/** Our own way through the library's queue: order, parts, portions, and what falls back to the library's. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { test } from "node:test";
import * as library from "redis";
import { createClient } from "../../../src/drivers/redis/index.ts";
import { brokenWriting, type LibraryClient, type LibraryQueue } from "../../../src/drivers/redis/library.ts";
import { next, quick, rigFor } from "./rig.ts";

test("one turn's commands are one write, and each gets its own reply, refusals among them", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  const sockets: Socket[] = [];
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe("net.client.socket", note);
  t.after(() => unsubscribe("net.client.socket", note));
  await client.connect();
  await client.set("text", "not a number");
  const socket = sockets[0] as Socket;
  const write = t.mock.method(socket, "write");
  const replies = await Promise.allSettled([
    client.set("a", "ä€😀"),
    client.incr("text"),
    client.get("a"),
    client.incr("text"),
    client.strLen("a"),
  ]);
  assert.deepEqual(
    replies.map((reply) => (reply.status === "fulfilled" ? reply.value : reply.reason.message.slice(0, 22))),
    ["OK", "ERR value is not an int", "ä€😀", "ERR value is not an int", 9].map((reply) =>
      typeof reply === "string" ? reply.slice(0, 22) : reply,
    ),
  );
  assert.equal(write.mock.callCount(), 1);
});

test("order holds between commands, bytes, MULTI, SUBSCRIBE, aborts and views", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const heard: string[] = [];
  const push = (value: string | Buffer): Promise<number> => client.rPush("list", value);
  await Promise.all([
    push("1"),
    client.multi().rPush("list", "2").rPush("list", "3").exec(),
    push(Buffer.from("4")),
    client.subscribe("channel", (message) => heard.push(message)),
    push("5"),
    client.withAbortSignal(new AbortController().signal).rPush("list", "6"),
    client.withTypeMapping({}).rPush("list", Buffer.from("7")),
    push("8"),
    client.multi().rPush("list", "9").execAsPipeline(),
  ]);
  assert.deepEqual(await client.lRange("list", 0, -1), ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  await (await rig.direct()).publish("channel", "hello");
  await client.ping();
  assert.deepEqual(heard, ["hello"]);
});

test("more than the socket takes: portions in order, also between the library's own", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { ...quick, writeBufferBytes: 200_000_000 } });
  await client.connect();
  const stopped = await rig.proxy.fault({
    kind: "blackHole",
    how: "stop-reading",
    direction: "up",
    afterwards: "resume",
  });
  const value = "v".repeat(50_000);
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 400; i++) {
    const text = `${i}:${value}`;
    calls.push(client.rPush("list", i % 3 === 0 ? Buffer.from(text) : text));
    if (i % 100 === 50) calls.push(client.multi().rPush("list", `${i}+:${value}`).exec());
  }
  await new Promise(setImmediate);
  const first = client.resilience.snapshot();
  await stopped.undo();
  await Promise.all(calls);
  assert.equal(first.inFlight, 404);
  const stored = (await client.lRange("list", 0, -1)).map((text) => text.split(":")[0]);
  const expected = Array.from({ length: 400 }, (_, i) =>
    i % 100 === 50 ? [`${i}`, `${i}+`] : [`${i}`],
  ).flat();
  assert.deepEqual(stored, expected);
});

test("a call whose deadline passes before the socket takes it is never sent", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({
    commandOptions: { timeout: 0 },
    resilience: { ...quick, writeBufferBytes: 200_000_000 },
  });
  await client.connect();
  const other = await rig.direct();
  await other.rPush("queue", "kept");
  const stopped = await rig.proxy.fault({
    kind: "blackHole",
    how: "stop-reading",
    direction: "up",
    afterwards: "resume",
  });
  const value = "v".repeat(100_000);
  const filling = Promise.all(Array.from({ length: 300 }, () => client.set("big", value)));
  // Of a blocking call a late answer proves nothing about the connection, so this one stays.
  await assert.rejects(client.withCommandOptions({ timeout: 100 }).blPop("queue", 0.1), {
    code: "HF_DEADLINE",
  });
  await stopped.undo();
  await filling;
  await client.ping();
  assert.equal(await other.lLen("queue"), 1);
});

test("who listens to the library's tracing hears each command", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const heard: unknown[] = [];
  const note = (message: unknown): void => {
    heard.push((message as { command: unknown }).command);
  };
  subscribe("tracing:node-redis:command:start", note);
  t.after(() => unsubscribe("tracing:node-redis:command:start", note));
  await Promise.all([client.set("a", "1"), client.get("a")]);
  assert.deepEqual(heard, ["SET", "GET"]);
});

test("what waited for the socket at a loss was never sent, and goes first on the next connection", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const back = next(client, "reconnected");
  const calls = Array.from({ length: 50 }, (_, i) => client.rPush("list", String(i)));
  client.resilience.reconnectNow(); // in the same turn: nothing was written yet
  await back;
  assert.deepEqual(
    await Promise.all(calls),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
});

test("a library whose queue works in another way writes by itself", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const fake = (queue: object): LibraryClient => ({ _getQueue: () => queue }) as unknown as LibraryClient;
  assert.equal(brokenWriting(library.createClient() as unknown as LibraryClient), undefined);
  assert.match(String(brokenWriting(fake({}))), /failed the check/);
  const prototype = Object.getPrototypeOf(
    (createClient() as unknown as LibraryClient)._getQueue(),
  ) as LibraryQueue;
  const original = prototype.prependCommandsToWrite;
  t.after(() => {
    prototype.prependCommandsToWrite = original;
  });
  prototype.prependCommandsToWrite = () => {};
  const client = rig.client();
  await client.connect();
  assert.deepEqual(await Promise.all([client.set("a", "1"), client.get("a")]), ["OK", "1"]);
});
