/** The library's API on a client of ours: everything that works there works here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "redis";
import * as ours from "../../../src/drivers/redis/index.ts";
import { defineScript, RESP_TYPES } from "../../../src/drivers/redis/index.ts";
import { until } from "../../support/until.ts";
import { type Client, rigFor } from "./rig.ts";

test("everything the redis package exports is exported", () => {
  const missing = Object.keys(library).filter(
    (name) => name !== "default" && name !== "module.exports" && !(name in ours),
  );
  assert.deepEqual(missing, []);
  assert.equal(ours.createSentinel, library.createSentinel);
  assert.notEqual(ours.createClient, library.createClient);
});

test("typed commands, views, iterators, MULTI and pipelines", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  assert.ok(client instanceof library.RedisClient);
  assert.equal(client.isOpen, false);
  await assert.rejects(client.get("k"), library.ClientClosedError);
  assert.equal(await client.connect(), client);
  assert.deepEqual([client.isOpen, client.isReady], [true, true]);
  await assert.rejects(client.connect(), /Socket already opened/);

  assert.equal(await client.set("k", "v"), "OK");
  assert.equal(await client.get("k"), "v");
  const buffer = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get("k");
  assert.deepEqual(buffer, Buffer.from("v"));
  assert.deepEqual(await client.multi().set("n", 1).incr("n").get("k").exec(), ["OK", 2, "v"]);
  assert.deepEqual(await client.multi().incr("n").get("k").execAsPipeline(), [3, "v"]);
  const typed = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.deepEqual(await typed.multi().get("k").execAsPipeline(), [Buffer.from("v")]);
  const keys: string[] = [];
  for await (const page of client.scanIterator()) keys.push(...page);
  assert.deepEqual(keys.sort(), ["k", "n"]);
  await assert.rejects(client.lPush("k", "x"), (error: Error) => error.message.startsWith("WRONGTYPE"));
  await assert.rejects(client.multi().lPush("k", "x").get("k").exec(), library.MultiErrorReply);
  await assert.rejects(client.sendCommand(["GET", 5 as unknown as string]), TypeError);
  await client.close();
  assert.equal(client.isOpen, false);
  await assert.rejects(client.get("k"), library.ClientClosedError);
});

test("scripts, functions, key prefixes, the legacy interface and duplicates", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = ours.createClient({
    socket: { host: rig.proxy.host, port: rig.proxy.port },
    keyPrefix: "app:",
    scripts: {
      add: defineScript({
        SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
        NUMBER_OF_KEYS: 1,
        parseCommand(parser, key: string, by: number) {
          parser.pushKey(key);
          parser.push(String(by));
        },
        transformReply: (reply: number) => reply,
      }),
    },
    functions: {
      lib: {
        seven: {
          NUMBER_OF_KEYS: 0,
          parseCommand(_parser: library.CommandParser) {},
          transformReply: undefined as unknown as () => number,
        },
      },
    },
  });
  await client.connect();
  assert.equal(await client.add("n", 4), 4, "NOSCRIPT is answered with EVAL");
  assert.equal(await client.add("n", 5), 9);
  await client.functionLoad("#!lua name=lib\nredis.register_function('seven', function() return 7 end)");
  assert.equal(await client.lib.seven(), 7);

  const other = client.duplicate();
  await other.connect();
  assert.equal(await other.get("n"), "9");
  assert.ok("resilience" in other);
  other.destroy();

  const legacy = client.legacy();
  const reply = await new Promise((resolve, reject) => {
    legacy.get("app:n", (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
  });
  assert.equal(reply, "9");
  await client.close();
});

test("pub/sub: channels, patterns and shards, as strings and buffers; a listener that throws harms nobody", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  await client.connect();
  const heard: unknown[] = [];
  const listener = (message: string, channel: string): void => void heard.push([message, channel]);
  await client.subscribe("a", listener);
  await client.subscribe("a", () => {
    throw new Error("a bug in a listener");
  });
  await client.pSubscribe("p*", (message, channel) => heard.push([message, channel]), true);
  await client.sSubscribe("s", listener);
  assert.equal(client.isPubSubActive, true);
  const publisher = await rig.direct();
  await publisher.publish("a", "1");
  await publisher.publish("p1", "2");
  await publisher.sPublish("s", "3");
  await until("three messages", 10_000, () => heard.length === 3);
  assert.deepEqual(heard, [
    ["1", "a"],
    [Buffer.from("2"), Buffer.from("p1")],
    ["3", "s"],
  ]);
  assert.equal(errors.length, 1);
  assert.match(String(errors[0]), /a bug in a listener/);
  await client.unsubscribe("a", listener);
  await client.unsubscribe("a");
  await client.pUnsubscribe();
  await client.sUnsubscribe("s", listener);
  assert.equal(client.isPubSubActive, false);
  assert.equal(await publisher.publish("a", "4"), 0);
  assert.equal(await client.ping(), "PONG");
});

test("duplicate: this client's own options, views and resilience, with what is overridden", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  rig.client({ keyPrefix: "first:" }); // of the same class, and made before
  const client = rig.client({ keyPrefix: "second:", resilience: { name: "mine", lazy: true } });
  const copy = client
    .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    .duplicate({ database: 1 }) as unknown as Client;
  await copy.set("k", "v");
  assert.deepEqual(await copy.get("k"), Buffer.from("v"));
  assert.equal(copy.resilience.snapshot().name, "mine");
  assert.equal((await copy.clientInfo()).db, 1);
  await copy.close();
  const direct = await rig.direct();
  await direct.select(1);
  assert.deepEqual(await direct.keys("*"), ["second:k"]);
});

test("closed and connected again, the client lives on, and so do its resilience listeners", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  let connects = 0;
  client.resilience.on("connected", () => connects++);
  await client.connect();
  await client.close();
  await client.connect();
  assert.equal(await client.ping(), "PONG");
  assert.equal(connects, 2);
  client.destroy();
  client.destroy();
  await client[Symbol.asyncDispose]();
  assert.equal(client.isOpen, false);
});
