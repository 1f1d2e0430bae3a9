/** What the server says no to: some replies mean another endpoint, some mean later, most are just answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../../src/drivers/redis/index.ts";
import { withRedis } from "../../support/servers.ts";
import { type Answer, fakeServer } from "./fake-server.ts";
import { quick, rigFor } from "./rig.ts";

test("[mariadb-redis 40] READONLY: the client moves to the next endpoint, and every refused write is applied there once", async (t) => {
  const primary = await withRedis(t);
  if (primary === undefined) return;
  const replica = await withRedis(t, { replicaOf: { host: primary.host, port: primary.port } });
  if (replica === undefined) return;
  const endpoints = [`${replica.host}:${replica.port}`, `redis://${primary.host}:${primary.port}`];
  const client = createClient({ resilience: { ...quick, order: "given", endpoints } });
  const left: string[] = [];
  client.resilience.on("disconnected", ({ endpoint }) => left.push(endpoint));
  await client.connect();
  const replies = await Promise.all(Array.from({ length: 20 }, () => client.incr("n")));
  assert.deepEqual(
    replies,
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  assert.deepEqual(left, [endpoints[0]]);
  assert.match(client.resilience.explain(), new RegExp(`ready on ${primary.host}:${primary.port}`));
  await client.close();
});

/** A client of a fake server, and the server. */
async function against(answer: Answer, retry: object = {}) {
  const server = await fakeServer(answer);
  const client = createClient({
    socket: { host: "127.0.0.1", port: server.port },
    resilience: { ...quick, retry },
  });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client.resilience.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("[mariadb-redis 41] LOADING while connecting is waited out: connect resolves when the server serves", async () => {
  let pings = 0;
  await using rig = await against(([name]) =>
    name === "PING" && ++pings < 4 ? "-LOADING Redis is loading the dataset in memory\r\n" : undefined,
  );
  await rig.client.connect();
  assert.equal(pings, 4);
  assert.equal(rig.client.resilience.snapshot().dials, 1);
});

for (const reply of [
  "LOADING Redis is loading the dataset in memory",
  "TRYAGAIN Multiple keys request during rehashing of slot",
  "CLUSTERDOWN Hash slot not served",
  "NOREPLICAS Not enough good replicas to write",
]) {
  const word = reply.split(" ")[0] as string;
  test(`[mariadb-redis 41] ${word} for a call: the same call again, with a wait, on the same connection`, async () => {
    let asked = 0;
    await using rig = await against(([name]) =>
      name === "INCR" && ++asked < 3 ? `-${reply}\r\n` : undefined,
    );
    await rig.client.connect();
    await rig.client.incr("n");
    assert.equal(asked, 3);
    assert.equal(rig.client.resilience.snapshot().dials, 1);
  });
}

test("[mariadb-redis 41] MASTERDOWN and a full server mean a new connection; the call is sent there", async () => {
  for (const reply of [
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "ERR max number of clients reached",
  ]) {
    let asked = 0;
    await using rig = await against(([name]) =>
      name === "INCR" && ++asked < 2 ? `-${reply}\r\n` : undefined,
    );
    await rig.client.connect();
    await rig.client.incr("n");
    assert.equal(asked, 2);
    assert.equal(rig.client.resilience.snapshot().dials, 2);
  }
});

test("a refusal that does not end is told in the end, as not-applied; the number of sends is the policy's", async () => {
  let asked = 0;
  const answer: Answer = ([name]) => (name === "INCR" && ++asked ? "-LOADING not yet\r\n" : undefined);
  await using rig = await against(answer, { maxRetries: 2 });
  await rig.client.connect();
  await assert.rejects(rig.client.incr("n"), { code: "HF_LOST", outcome: "not-applied" });
  assert.equal(asked, 3);
});

test("[mariadb-redis 41] an ordinary error reply is an answer: one send, the library's own error", async () => {
  let asked = 0;
  await using rig = await against(([name]) =>
    name === "INCR" && ++asked ? "-ERR no such thing\r\n" : undefined,
  );
  await rig.client.connect();
  await assert.rejects(rig.client.incr("n"), { name: "Error", message: "ERR no such thing" });
  assert.equal(asked, 1);
});

test("bytes that are no RESP end that connection with a classed error, and no other", async () => {
  let garbage = true;
  await using rig = await against(([name]) => {
    if (name !== "GET" || !garbage) return undefined;
    garbage = false;
    return "?what is this\r\n";
  });
  const causes: unknown[] = [];
  rig.client.resilience.on("disconnected", ({ cause }) => causes.push(cause));
  await rig.client.connect();
  assert.equal(await rig.client.get("k"), "OK", "a read is sent again");
  assert.equal(causes.length, 1);
  assert.equal((causes[0] as { code: string }).code, "HF_PROTOCOL");
});

test("a subscription that an ACL forbids is told; the others are restored", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const admin = await rig.direct();
  await admin.sendCommand(["ACL", "SETUSER", "reader", "on", ">pw", "+@all", "~*", "allchannels"]);
  const client = rig.client({
    socket: { host: rig.proxy.host, port: rig.proxy.port },
    username: "reader",
    password: "pw",
  });
  await client.connect();
  const heard: string[] = [];
  await client.subscribe(["open", "secret"], (message) => heard.push(message));
  const refused: string[] = [];
  client.resilience.on("restoreRefused", ({ items }) => refused.push(...items.map(({ item }) => item)));
  // Redis ends the connections of a user who loses a channel it listens to.
  const back = new Promise<void>((resolve) => client.resilience.on("reconnected", () => resolve()));
  await admin.sendCommand(["ACL", "SETUSER", "reader", "resetchannels", "&open"]);
  await back;
  assert.deepEqual(refused, ["channels secret"]);
  assert.equal(await admin.publish("open", "still here"), 1);
});
