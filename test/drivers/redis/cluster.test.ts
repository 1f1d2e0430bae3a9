/** `createCluster` against real servers that form a cluster: redirections, nodes that go, fail-over. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { constant } from "../../../src/backoff/index.ts";
import { isHoldfastError } from "../../../src/call/index.ts";
import { withClientsFrom } from "../../../src/drivers/redis/cluster-nodes.ts";
import {
  createCluster,
  defineScript,
  MaxCommandRedirectionsError,
  RESP_TYPES,
  RedisClient,
  RedisCluster,
} from "../../../src/drivers/redis/index.ts";
import type { RedisClusterOptions, RunningServer, RedisCluster as Servers } from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { withRedisCluster } from "../../support/servers.ts";
import { quick } from "./rig.ts";

type Options = Partial<Parameters<typeof createCluster>[0]>;

interface ClusterRig {
  readonly servers: Servers;
  client(options?: Options): ReturnType<typeof createCluster>;
}

async function rigFor(t: TestContext, options?: RedisClusterOptions): Promise<ClusterRig | undefined> {
  const cleanUp = checkLeaks(t);
  const servers = await withRedisCluster(t, options);
  if (servers === undefined) return undefined;
  return {
    servers,
    client({ resilience, ...rest } = {}) {
      const client = createCluster({
        rootNodes: servers.rootNodes,
        ...rest,
        resilience: { ...quick, ...resilience },
      });
      cleanUp(() => client.destroy());
      return client;
    },
  };
}

/** Two keys of one slot and the slot's number; which server has it, and another. */
async function slotOf({ servers }: ClusterRig, tag = "here") {
  const [first] = servers.servers as [RunningServer];
  const slot = /^:(\d+)/.exec(await servers.tell(first, "CLUSTER", "KEYSLOT", `{${tag}}`))?.[1] as string;
  const at = Math.floor((Number(slot) * 3) / 16_384);
  const [owner, other] = [servers.servers[at], servers.servers[(at + 1) % 3]] as [
    RunningServer,
    RunningServer,
  ];
  return { slot, key: `{${tag}}1`, key2: `{${tag}}2`, owner, other };
}

/** How often a server was asked for a command, those it redirected included. */
async function asked({ servers }: ClusterRig, server: RunningServer, command: string): Promise<number> {
  const stats = await servers.tell(server, "INFO", "commandstats");
  const [, calls = "0", rejected = "0"] =
    new RegExp(`^cmdstat_${command}:calls=(\\d+),.*rejected_calls=(\\d+)`, "m").exec(stats) ?? [];
  return Number(calls) + Number(rejected);
}

/** A wait of any kind would be longer than a call may take. */
const patient = { backoff: constant(60_000), retryBackoff: constant(60_000) };

test("[mariadb-redis 42] MOVED is followed at once, and the new owner is known from then on", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { slot, key, owner, other } = await slotOf(rig);
  const client = await rig.client({ resilience: patient }).connect();
  await client.set(key, "1");
  await client.del(key);
  const id = await rig.servers.idOf(other);
  for (const server of [other, ...rig.servers.servers]) {
    await rig.servers.tell(server, "CLUSTER", "SETSLOT", slot, "NODE", id);
  }
  const before = await asked(rig, owner, "set");
  assert.equal(await client.set(key, "2"), "OK");
  assert.equal((await asked(rig, owner, "set")) - before, 1, "asked once in vain");
  assert.equal(await client.incr(key), 3);
  assert.equal(await asked(rig, owner, "incr"), 0, "the old owner is not asked again");
  for (const [node, { episodes }] of Object.entries(client.resilience.snapshot())) {
    assert.equal(episodes, 0, `${node} lost nothing: a redirection is an answer`);
  }
});

test("[mariadb-redis 42] ASK is followed at once, for that one call, a MULTI included", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { slot, key, key2, owner, other } = await slotOf(rig);
  const client = await rig.client({ resilience: patient }).connect();
  await client.set(key, "moved");
  await client.set(key2, "stays");
  const { servers } = rig;
  await servers.tell(other, "CLUSTER", "SETSLOT", slot, "IMPORTING", await servers.idOf(owner));
  await servers.tell(owner, "CLUSTER", "SETSLOT", slot, "MIGRATING", await servers.idOf(other));
  await servers.tell(owner, "MIGRATE", other.host, String(other.port), key, "0", "5000");
  assert.equal(await client.get(key), "moved");
  assert.equal(await client.get(key2), "stays");
  assert.deepEqual(await client.multi().append(key, "!").get(key).exec(), [6, "moved!"]);
  assert.equal(await asked(rig, other, "asking"), 2);
  assert.ok((await asked(rig, owner, "get")) >= 2, "the slot is still its own");
});

test("[mariadb-redis 42] redirections in a circle end at the limit", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { slot, key, owner, other } = await slotOf(rig);
  const client = await rig.client({ maxCommandRedirections: 3, resilience: patient }).connect();
  const { servers } = rig;
  await servers.tell(owner, "CLUSTER", "SETSLOT", slot, "NODE", await servers.idOf(other));
  await servers.tell(other, "CLUSTER", "SETSLOT", slot, "NODE", await servers.idOf(owner));
  await assert.rejects(client.incr(key), MaxCommandRedirectionsError);
  const each = await Promise.all(servers.servers.map((server) => asked(rig, server, "incr")));
  assert.equal(each[0]! + each[1]! + each[2]!, 4, "once, and three times more");
});

test("a node killed and restarted: its calls wait, others go on, what was in flight is told", async (t) => {
  const rig = await rigFor(t, { durable: true, nodeTimeoutMs: 60_000 });
  if (rig === undefined) return;
  const { key, owner } = await slotOf(rig);
  const client = await rig.client({ commandOptions: { timeout: 30_000 } }).connect();
  const lost: string[] = [];
  const noticed = new Promise<void>((resolve) =>
    client.resilience.on("disconnected", ({ node }) => {
      lost.push(node);
      resolve();
    }),
  );
  const writes = Promise.allSettled(Array.from({ length: 200 }, () => client.incr(key)));
  await owner.kill9();
  await noticed;
  const waiting = client.incr(key);
  assert.equal(client.resilience.health().status, "degraded");
  const elsewhere = [..."abcdefgh"].map((name) => client.set(name, "1"));
  const reached = await Promise.race([waiting.then(() => "the dead one"), Promise.any(elsewhere)]);
  assert.equal(reached, "OK", "another node's call is not held up");
  await owner.restart();
  const last = await waiting;
  await Promise.all(elsewhere);
  const results = await writes;
  const acknowledged = results.filter(({ status }) => status === "fulfilled").length;
  const unknown = results.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  for (const error of unknown)
    assert.ok(isHoldfastError(error) && error.outcome === "maybe-applied", `${error}`);
  assert.ok(last > acknowledged && last <= acknowledged + unknown.length + 1, `${last} of ${acknowledged}`);
  assert.equal(client.resilience.health().status, "up");
  assert.deepEqual([...new Set(lost)], [`${owner.host}:${owner.port}`]);
});

test("fail-over: a call that waits for the dead primary goes to its successor", async (t) => {
  const rig = await rigFor(t, { replicas: 1 });
  if (rig === undefined) return;
  const { key, owner } = await slotOf(rig);
  const client = await rig
    .client({ commandOptions: { timeout: 30_000 }, topologyRefreshOnReconnectionAttemptStrategy: 100 })
    .connect();
  await owner.kill9();
  assert.equal(await client.set(key, "1"), "OK");
  assert.equal(await client.get(key), "1");
  assert.ok(!client.resilience.nodes().has(`${owner.host}:${owner.port}`), "the dead one has left");
});

test("connect: needs one root node, and does not wait for a node that is away", async (t) => {
  const rig = await rigFor(t, { nodeTimeoutMs: 60_000 });
  if (rig === undefined) return;
  const { owner, other } = await slotOf(rig);
  await owner.kill9();
  const client = rig.client({ rootNodes: [{ url: owner.url }, { url: other.url }] });
  await client.connect();
  const name = `${owner.host}:${owner.port}`;
  assert.equal(client.resilience.health().status, "degraded");
  assert.match(client.resilience.explain(), new RegExp(`${name}: .*ECONNREFUSED`));
  await owner.start();
  await client.resilience.nodes().get(name)?.whenReady();
  assert.equal(client.resilience.health().status, "up");
  const nobody = rig.client({ rootNodes: [{ url: "redis://127.0.0.1:1" }] });
  await assert.rejects(nobody.connect(), /root nodes are unavailable/);
  assert.equal(nobody.resilience.explain(), "no node is known");
});

test("subscriptions come back with their node, and the gap is told", async (t) => {
  const rig = await rigFor(t, { nodeTimeoutMs: 60_000 });
  if (rig === undefined) return;
  const client = await rig.client().connect();
  const heard: string[] = [];
  await client.subscribe("news", (message) => heard.push(message));
  const address = client.pubSubNode?.address ?? "";
  const node = rig.servers.servers.find(({ port }) => address.endsWith(`:${port}`)) as RunningServer;
  const gap = new Promise<unknown>((resolve) => client.resilience.on("gap", resolve));
  await node.kill9();
  await node.start();
  const { subscription, node: from } = (await gap) as { subscription: string; node: string };
  assert.deepEqual([subscription, from], ["news", address]);
  // The servers' own links need a moment: what one publishes the others hear when those are there again.
  while (heard.length === 0) await client.publish("news", "again");
  assert.equal(heard[0], "again");
});

test("views, scripts, duplicates and close are the library's", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const twice = defineScript({
    SCRIPT: "return redis.call('INCRBY', KEYS[1], 2)",
    NUMBER_OF_KEYS: 1,
    FIRST_KEY_INDEX: 1,
    parseCommand(parser, key: string) {
      parser.pushKey(key);
    },
    transformReply: undefined as unknown as () => number,
  });
  await using client = createCluster({
    rootNodes: rig.servers.rootNodes,
    scripts: { twice },
    resilience: quick,
  });
  await client.connect();
  assert.equal(await client.twice("n"), 2);
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.deepEqual(await buffers.get("n"), Buffer.from("2"));
  await using twin = await client.duplicate().connect();
  assert.equal(await twin.twice("n"), 4);
  assert.equal(twin.resilience.nodes().size, 3);
  const node = await client.getNodeClientForKey("n");
  assert.equal(await node.get("n"), "4");
  await client.close();
  assert.equal(client.isOpen, false);
  assert.equal(client.resilience.nodes().size, 0);
  await assert.rejects(client.get("n"), /closed/);
});

test("the library's own clusters and clients stay what they are", () => {
  const own = Object.getOwnPropertyDescriptor(RedisClient, "factory");
  const cluster = createCluster({ rootNodes: [{ url: "redis://127.0.0.1:1" }] });
  assert.ok(cluster instanceof RedisCluster);
  assert.deepEqual(Object.getOwnPropertyDescriptor(RedisClient, "factory"), own);
  assert.throws(
    () =>
      withClientsFrom(
        () => assert.fail("nobody asked"),
        () => "no cluster",
      ),
    /in another way/,
  );
  assert.throws(() => createCluster({ rootNodes: [{}], clientSideCache: {}, RESP: 2 } as never), /RESP3/);
  assert.deepEqual(Object.getOwnPropertyDescriptor(RedisClient, "factory"), own);
});

test("a wrong option is told before anything is dialled", () => {
  const rootNodes = [{ url: "redis://127.0.0.1:1" }];
  const cases: readonly [object, RegExp][] = [
    [{}, /"rootNodes" is undefined, but must be a list of at least one node/],
    [{ rootNodes: [] }, /"rootNodes"/],
    [{ rootNodes, useReplica: true }, /unknown option "useReplica"; did you mean "useReplicas"\?/],
    [{ rootNodes, maxCommandRedirections: -1 }, /"maxCommandRedirections" is -1/],
    [{ rootNodes: [{ url: "http://h" }] }, /"url" is "http:\/\/h"/],
    [{ rootNodes, defaults: { database: -1 } }, /"database" is -1/],
    [
      { rootNodes, resilience: { endpoints: ["a:1"] } },
      /"resilience.endpoints".*the cluster says which nodes/,
    ],
    [{ rootNodes, resilience: { conectTimeoutMs: 1 } }, /did you mean "connectTimeoutMs"\?/],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => createCluster(options as never),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "HF_OPTION");
        assert.match(error.message, message);
        return true;
      },
    );
  }
});
