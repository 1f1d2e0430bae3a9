/** One changed import: every name and type of the library, and programs on top of it that compile and run as they did. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import * as library from "@nats-io/transport-node";
import type {
  ConnectionOptions,
  Msg,
  MsgHdrs,
  NatsConnection,
  NodeConnectionOptions,
  QueuedIterator,
  RequestOptions,
  Status,
  Subscription,
  TlsOptions,
  WsConnectionOptions,
} from "../../../src/drivers/nats/index.ts";
import * as ours from "../../../src/drivers/nats/index.ts";
import { withNats } from "./support.ts";

/** Both ways: the same type under the same name. */
type Same<A, B> = [A, B] extends [B, A] ? true : never;
const sameTypes: readonly true[] = [
  true satisfies Same<ConnectionOptions, library.ConnectionOptions>,
  true satisfies Same<NodeConnectionOptions, library.NodeConnectionOptions>,
  true satisfies Same<WsConnectionOptions, library.WsConnectionOptions>,
  true satisfies Same<NatsConnection, library.NatsConnection>,
  true satisfies Same<Msg, library.Msg>,
  true satisfies Same<MsgHdrs, library.MsgHdrs>,
  true satisfies Same<Subscription, library.Subscription>,
  true satisfies Same<QueuedIterator<Msg>, library.QueuedIterator<library.Msg>>,
  true satisfies Same<RequestOptions, library.RequestOptions>,
  true satisfies Same<TlsOptions, library.TlsOptions>,
  true satisfies Same<Status, library.Status>,
];

/** Whoever holds the library's function may hold ours. */
const connects: readonly (typeof library.connect)[] = [library.connect, ours.connect];
const wsConnects: readonly (typeof library.wsconnect)[] = [library.wsconnect, ours.wsconnect];

test("every export of the library is there, the same thing but for connect and wsconnect", () => {
  assert.ok(sameTypes.length > 0 && wsConnects.length > 0);
  const required = createRequire(import.meta.url)("@nats-io/transport-node") as Record<string, unknown>;
  const names = Object.keys(required).sort();
  assert.ok(names.length > 80, `${names.length} names`);
  const own = ours as Readonly<Record<string, unknown>>;
  assert.deepEqual(
    names.filter((name) => own[name] !== required[name]),
    ["connect", "wsconnect"],
  );
  for (const name of [
    "connect",
    "wsconnect",
    "credsAuthenticator",
    "nkeys",
    "headers",
    "createInbox",
    "errors",
  ])
    assert.ok(name in ours, name);
});

test("no name that we add hides one of the library's, types included", () => {
  const folder = join(dirname(createRequire(import.meta.url).resolve("@nats-io/nats-core")), "");
  const declared = readdirSync(folder)
    .filter((name) => name.endsWith(".d.ts"))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), "utf8").matchAll(
        /^export (?:declare )?(?:abstract )?(?:interface|type|class|enum|const|function) (\w+)/gm,
      ),
    ])
    .map(([, name]) => name);
  assert.ok(declared.includes("NatsConnection") && declared.includes("wsconnect"));
  const entry = readFileSync(new URL("../../../../src/drivers/nats/entry.ts", import.meta.url), "utf8");
  const added = [...entry.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, list = ""]) => list.split(","))
    .map((name) => name.replace("type ", "").trim())
    .filter((name) => name !== "");
  assert.ok(added.includes("NatsConnectOptions"));
  assert.deepEqual(
    added.filter((name) => declared.includes(name)),
    [],
  );
});

/** A program as its author wrote it: nothing in it knows which `connect` it got. */
async function program(connect: typeof library.connect, servers: string): Promise<unknown[]> {
  const nc: NatsConnection = await connect({ servers, name: "a program" });
  const seen: unknown[] = [nc instanceof library.NatsConnectionImpl, nc.info?.max_payload];
  const sub: Subscription = nc.subscribe("program.*", { max: 2 });
  const h: MsgHdrs = ours.headers();
  h.set("k", "v");
  nc.publish("program.a", "1", { headers: h });
  nc.publishMessage({ ...({} as Msg), subject: "program.b", data: ours.TE.encode("2") } as Msg);
  for await (const message of sub) seen.push(message.subject, message.string(), message.headers?.get("k"));
  nc.subscribe("echo", { callback: (_error, message) => void message.respond(message.data) });
  seen.push((await nc.request("echo", "unary", { timeout: 5_000 })).string());
  const many: string[] = [];
  for await (const message of await nc.requestMany("echo", "many", { strategy: "count", maxMessages: 1 }))
    many.push(message.string());
  seen.push(many);
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: "P", subjects: ["p.*"] });
  const js = jetstream(nc);
  seen.push((await js.publish("p.a", "stored")).seq);
  const messages = await (await js.consumers.get("P")).fetch({ max_messages: 1, expires: 5_000 });
  for await (const message of messages) seen.push(message.string());
  const kv = await new Kvm(js).create("bucket");
  await kv.put("key", "value");
  seen.push((await kv.get("key"))?.string());
  await manager.streams.delete("P");
  await manager.streams.delete("KV_bucket");
  seen.push(nc.stats().outMsgs > 0, await nc.rtt().then((ms) => ms >= 0));
  await nc.drain();
  seen.push(nc.isClosed(), await nc.closed());
  return seen;
}

test("the same program gives the same with either import: JetStream, KV, requests, headers, iterators, drain", async (t) => {
  const server = await withNats(t, { durable: true });
  if (server === undefined) return;
  const [bare, own] = [
    await program(connects[0] as typeof library.connect, server.url),
    await program(connects[1] as typeof library.connect, server.url),
  ];
  assert.deepEqual(own, bare);
  assert.ok(bare.length > 15, "the program has seen what it asked for");
});
