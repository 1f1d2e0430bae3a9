/** Every layer above the connection at once, on a cluster of three, while the member it is connected to is killed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Svcm } from "@nats-io/services";
import type { ResilientNatsConnection } from "../../../src/drivers/nats/index.ts";
import { withNatsCluster } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { connected, lose, next, withNats } from "./support.ts";

/** A cluster that just formed, or lost its leader, takes no stream and no message for a while. */
function elected<T>(what: string, work: () => Promise<T>): Promise<T> {
  return until(what, 30_000, async () => ({ value: await work() })).then(({ value }) => value);
}

async function publish(nc: ResilientNatsConnection, texts: readonly string[]): Promise<void> {
  const js = jetstream(nc);
  for (const text of texts)
    await elected("a PubAck", () => js.publish("s.a", text, { timeout: 2_000, msgID: text }));
}

for (const server of ["nats", "nats-current"] as const) {
  test(`${server} cluster: consume, ordered consumer, KV watch, request/reply and a service survive kill -9 of their member`, async (t) => {
    const cluster = await withNatsCluster(t, { server, durable: true });
    if (cluster === undefined) return;
    const nc = await connected(t, cluster.urls);
    const peer = await connected(t, cluster.urls);
    const replicas = { num_replicas: 3 };
    const { streams, consumers } = await elected("JetStream", () => jetstreamManager(nc));
    await elected("the stream", () => streams.add({ name: "S", subjects: ["s.*"], ...replicas }));
    await elected("the consumer", () =>
      consumers.add("S", { durable_name: "d", ack_policy: "explicit", ...replicas }),
    );
    const js = jetstream(nc);
    const acked: string[] = [];
    const consuming = await (await js.consumers.get("S", "d")).consume({ expires: 2_000 });
    void (async () => {
      for await (const message of consuming) {
        acked.push(message.string());
        message.ack();
      }
    })().catch(() => {});
    const inOrder: string[] = [];
    const ordered = await (await js.consumers.get("S")).consume({ expires: 2_000 });
    void (async () => {
      for await (const message of ordered) inOrder.push(message.string());
    })().catch(() => {});
    const kv = await elected("the bucket", () => new Kvm(nc).create("b", { replicas: 3 }));
    const watched: string[] = [];
    const watch = await kv.watch();
    void (async () => {
      for await (const entry of watch) watched.push(`${entry.key}=${entry.string()}`);
    })().catch(() => {});
    nc.subscribe("reply", { callback: (_error, message) => void message.respond(`re: ${message.string()}`) });
    const service = await new Svcm(nc as never).add({ name: "calc", version: "1.0.0" });
    service.addEndpoint("double", {
      handler: (_error, message) => void message.respond(`${Number(message.string()) * 2}`),
    });
    await nc.flush();

    const before = ["0", "1", "2", "3", "4"];
    await publish(nc, before);
    await elected("a put", () => kv.put("k", "before"));
    await until(
      "all of it",
      15_000,
      () => acked.length >= 5 && inOrder.length === 5 && watched.includes("k=before"),
    );
    const lost = next(nc, "disconnected");
    const back = next(nc, "reconnected");
    const member = cluster.member(nc.getServer());
    await member.kill9();
    await lost;
    await back;
    const asks = async (subject: string, text: string): Promise<string> =>
      (await elected(subject, () => peer.request(subject, text, { timeout: 1_000 }))).string();
    assert.equal(await asks("reply", "hello"), "re: hello");
    assert.equal(await asks("double", "21"), "42");
    const after = ["5", "6", "7", "8", "9"];
    await publish(nc, after);
    await elected("a put", () => kv.put("k", "after"));
    const all = [...before, ...after];
    await until("the rest consumed", 30_000, () => new Set(acked).size === 10);
    // An ordered consumer lives on one member, perhaps on this one: without it the cluster has no word of it.
    await member.start();
    await until("all of it again", 60_000, () => {
      const told = `${new Set(acked).size} consumed, ${inOrder.length} in order, ${watched.join()}`;
      if (new Set(acked).size < 10 || inOrder.length < 10 || !watched.includes("k=after"))
        throw new Error(told);
      return true;
    });
    assert.deepEqual([...new Set(acked)].sort(), all);
    assert.deepEqual(inOrder, all, "in order, each once");
    assert.deepEqual(
      watched.filter((text) => text.startsWith("k=")),
      ["k=before", "k=after"],
    );
    await consuming.close();
    await ordered.close();
    watch.stop();
  });
}

test("[nats 71]: one server: an ordered consumer goes on after kill -9, in order, each message once", async (t) => {
  const server = await withNats(t, { durable: true });
  if (server === undefined) return;
  const nc = await connected(t, server.url);
  const { streams } = await jetstreamManager(nc);
  await streams.add({ name: "S", subjects: ["s.*"] });
  const ordered = await (await jetstream(nc).consumers.get("S")).consume({ expires: 2_000 });
  const seen: string[] = [];
  void (async () => {
    for await (const message of ordered) seen.push(message.string());
  })().catch(() => {});
  await publish(nc, ["a", "b", "c"]);
  await until("the first three", 10_000, () => seen.length === 3);
  await lose(nc, () => server.kill9());
  await server.restart();
  await publish(nc, ["d", "e", "f"]);
  await until("all six", 30_000, () => seen.length >= 6);
  assert.deepEqual(seen, ["a", "b", "c", "d", "e", "f"]);
  await ordered.close();
});

test("one server: request/reply goes on after kill -9: the replier's subscription, the inbox of requests", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const [asker, replier] = [await connected(t, server.url), await connected(t, server.url)];
  replier.subscribe("q", { callback: (_error, message) => void message.respond(message.data) });
  await replier.flush();
  const ask = async (text: string): Promise<string> =>
    (await asker.request("q", text, { timeout: 10_000 })).string();
  assert.equal(await ask("before"), "before");
  const losses = [asker, replier].map((nc) => next(nc, "disconnected"));
  const returns = [asker, replier].map((nc) => next(nc, "reconnected"));
  await server.kill9();
  await Promise.all(losses);
  const waiting = ask("asked while down").catch(String); // the asker may be back before the replier
  await server.restart();
  await Promise.all(returns);
  assert.match(await waiting, /^asked while down$|no responders/);
  await replier.flush();
  assert.equal(await ask("after"), "after");
});
