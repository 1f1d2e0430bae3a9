/** R8 to R10: what redis-py does, asked for by its YAML block, against a real server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clientOptionsOf,
  createClient,
  fromRedisPyYaml,
  type RedisPyVersion,
} from "../../../src/drivers/redis/index.ts";
import { until } from "../../support/until.ts";
import { fakeServer } from "./fake-server.ts";
import { type Client, next, quick, type Rig, rigFor } from "./rig.ts";

/** The block of the sources, with these lines instead or more, as a client through the proxy. */
function pythonic(rig: Rig, ...lines: readonly string[]): Client {
  return pythonicOf("3.1", rig, ...lines);
}

function pythonicOf(version: RedisPyVersion, rig: Rig, ...lines: readonly string[]): Client {
  const { host, port } = rig.proxy;
  const yaml = ["redis:", `host: "${host}"`, `port: ${port}`, "socket_connect_timeout: 1", ...lines];
  const { resilience, ...options } = clientOptionsOf(fromRedisPyYaml(yaml.join("\n  "), { version }));
  return rig.client({ ...options, resilience: { ...quick, ...resilience } });
}

/** How often the server has executed a command. */
async function executed(direct: Client, command: string): Promise<number> {
  const stats = await direct.info("commandstats");
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0);
}

test("R8: on a ConnectionError the call is sent once more, on a new connection", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = pythonic(rig);
  await client.set("k", "v");
  const direct = await rig.direct();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const get = client.get("k");
  await until("it ran", 10_000, async () => (await executed(direct, "get")) === 1);
  rig.proxy.cut("rst");
  assert.equal(await get, "v");
  assert.equal(await executed(direct, "get"), 2);
});

test("R8: once, and not twice: the second ConnectionError is the caller's", async () => {
  let asked = 0;
  await using server = await fakeServer(([name], socket) => {
    if (name !== "GET") return undefined;
    asked++;
    socket.destroy();
    return "";
  });
  const { resilience, ...options } = clientOptionsOf(fromRedisPyYaml(`redis:\n  port: ${server.port}`));
  const client = createClient({ ...options, resilience: { ...quick, ...resilience } });
  await assert.rejects(client.get("k"), { code: "HF_LOST", outcome: "not-applied" });
  assert.equal(asked, 2);
  await client.resilience.close();
});

test("R8 R9: on a TimeoutError, with retry_on_timeout: disconnect, and send once more; an INCR is not", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = pythonic(rig, "socket_timeout: 1", "retry_on_timeout: true");
  await client.set("k", "v");
  const direct = await rig.direct();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const causes: unknown[] = [];
  client.resilience.on("disconnected", ({ cause }) => causes.push(cause));
  const [get, set, incr] = await Promise.allSettled([
    client.get("k"),
    client.set("other", "w"),
    client.incr("n"),
  ]);
  assert.deepEqual(get, { status: "fulfilled", value: "v" });
  assert.deepEqual(set, { status: "fulfilled", value: "OK" });
  assert.equal(incr.status, "rejected");
  assert.deepEqual([incr.reason.code, incr.reason.outcome], ["HF_DEADLINE", "maybe-applied"]);
  assert.equal(causes.length, 1);
  assert.deepEqual([await executed(direct, "get"), await executed(direct, "incr")], [2, 1]);
});

test("R9: without retry_on_timeout the TimeoutError is raised, and nothing is sent again", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = pythonic(rig, "socket_timeout: 1", "retry_on_timeout: false");
  await client.set("k", "v");
  const direct = await rig.direct();
  await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  await assert.rejects(client.get("k"), { code: "HF_DEADLINE", outcome: "not-applied", step: "reply" });
  assert.equal(await client.get("k"), "v", "the silent connection was left");
  assert.equal(await executed(direct, "get"), 2);
});

test("R9: what is sent again and never answered is told as the timeout it is, after as many sends as allowed", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = pythonic(rig, "socket_timeout: 1", "retry_on_timeout: true");
  await client.set("k", "v");
  const direct = await rig.direct();
  const before = await executed(direct, "set");
  const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
  const set = client.set("k", "w");
  await next(client, "disconnected");
  // Nobody answers from here on, not even the handshake: the second send never leaves, and the first stays unknown.
  await using _silent = await rig.proxy.fault({ kind: "blackHole", direction: "down" });
  await assert.rejects(set, { code: "HF_DEADLINE", outcome: "maybe-applied", step: "reply" });
  assert.equal((await executed(direct, "set")) - before, 1);
  await hole.undo();
});

for (const version of ["3.2", "4"] as const) {
  test(`R8 R9: redis-py ${version} with retry_on_timeout alone: a ConnectionError is raised, a TimeoutError is not`, async (t) => {
    const rig = await rigFor(t);
    if (rig === undefined) return;
    const client = pythonicOf(version, rig, "socket_timeout: 10", "retry_on_timeout: true");
    await client.set("k", "v");
    const direct = await rig.direct();
    const hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
    const calls = Promise.allSettled([client.get("k"), client.set("other", "w"), client.incr("n")]);
    await until("all three ran", 10_000, async () => (await executed(direct, "incr")) === 1);
    rig.proxy.cut("rst");
    assert.deepEqual(
      (await calls).map((one) => one.status === "rejected" && [one.reason.code, one.reason.outcome]),
      [
        ["HF_LOST", "not-applied"],
        ["HF_LOST", "maybe-applied"],
        ["HF_LOST", "maybe-applied"],
      ],
    );
    await hole.undo();
    assert.equal(await client.get("k"), "v");
    assert.equal(await executed(direct, "get"), 2, "the lost one was not sent again");
    const hasty = pythonicOf(version, rig, "socket_timeout: 1", "retry_on_timeout: true");
    await hasty.ping();
    await using _hole = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "existing" });
    assert.equal(await hasty.get("k"), "v", "one that timed out was");
    assert.equal(await executed(direct, "get"), 4);
  });
}

test("R10: a command connects when there is no socket: before the first, and after a loss", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = pythonic(rig);
  assert.equal(rig.proxy.connections().length, 0);
  assert.equal(await client.ping(), "PONG");
  assert.equal(rig.proxy.connections().length, 1);
  const lost = next(client, "disconnected");
  rig.proxy.cut("rst");
  await lost;
  assert.equal(client.resilience.snapshot().phase, "dormant");
  assert.equal(client.resilience.snapshot().dials, 1);
  assert.equal(await client.ping(), "PONG");
  assert.equal(client.resilience.snapshot().dials, 2);
});
