import assert from "node:assert/strict";
import { test } from "node:test";
import { faultProxy, type ProxyLogEntry } from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { dial, howItEnds, testServer, until } from "./rig.ts";

test("the log says what hit whom, when, after how many bytes", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  await client.send("hello").got(5);
  const hole = await proxy.fault({ kind: "blackHole", direction: "up", label: "deaf" });
  client.send("lost");
  await proxy.next("hit");
  assert.deepEqual(proxy.connections()[0]?.faults, ["deaf"]);
  assert.deepEqual(proxy.connections()[0]?.hitBy, ["deaf"]);
  await hole.undo();
  await proxy.next("closed");
  const facts = proxy.log.map(({ atMs, ...rest }: ProxyLogEntry) => {
    assert.ok(atMs >= 0);
    return rest;
  });
  const { address: upstream } = { address: `127.0.0.1:${server.endpoint.port}` };
  const from = `127.0.0.1:${client.socket.localPort ?? proxy.log.length}`;
  assert.deepEqual(
    facts.map((entry) => (entry.event === "accepted" ? { ...entry, client: from } : entry)),
    [
      { event: "accepted", connection: 1, client: from },
      { event: "opened", connection: 1, upstream },
      { event: "faultOn", fault: "deaf", kind: "blackHole" },
      { event: "hit", fault: "deaf", kind: "blackHole", connection: 1, direction: "up", up: 5, down: 5 },
      { event: "faultOff", fault: "deaf", kind: "blackHole", connections: 1, bytes: 4 },
      { event: "closed", connection: 1, up: 5, down: 5 },
    ],
  );
});

test("on() tells until disposed, also by using", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const seen: number[] = [];
  const off = proxy.on("accepted", ({ connection }) => seen.push(connection));
  {
    using _also = proxy.on("accepted", ({ connection }) => seen.push(10 * connection));
    await using _a = await dial(proxy.endpoint);
    await server.peer(0);
  }
  await using _b = await dial(proxy.endpoint);
  await server.peer(1);
  off();
  await using _c = await dial(proxy.endpoint);
  await server.peer(2);
  assert.deepEqual(seen, [1, 10, 2]);
});

test("next() gives up after its deadline, and when the proxy closes", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  const proxy = await faultProxy({ upstream: server.endpoint });
  await assert.rejects(
    proxy.next("hit", () => true, 5),
    { code: "HF_DEADLINE" },
  );
  const waiting = assert.rejects(proxy.next("hit"), { code: "HF_CLOSED" });
  await proxy.close();
  await waiting;
});

test("durationMs undoes a fault by itself", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const drop = await proxy.fault({ kind: "drop", durationMs: 30 });
  assert.equal(await howItEnds(proxy.endpoint), "ECONNRESET");
  await drop.undone;
  assert.equal(drop.active, false);
  await using client = await dial(proxy.endpoint);
  client.send("x");
  await (await server.peer(0)).got(1);
});

test("filter, number, applyTo and times choose the connections", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using a = await dial(proxy.endpoint);
  await a.send("a").got(1);
  const hole = { kind: "blackHole", direction: "down" } as const;
  await using byNumber = await proxy.fault({ ...hole, connections: [2, 5] });
  await using old = await proxy.fault({ ...hole, applyTo: "existing", filter: ({ id }) => id > 1 });
  await using fresh = await proxy.fault({ ...hole, applyTo: "new", times: 1, filter: ({ id }) => id >= 3 });
  await using b = await dial(proxy.endpoint);
  await using c = await dial(proxy.endpoint);
  await using d = await dial(proxy.endpoint);
  await a.send("a").got(2);
  await d.send("d").got(1);
  b.send("b");
  c.send("c");
  await until("both replies to vanish", () => byNumber.hits.length === 1 && fresh.hits.length === 1);
  assert.deepEqual([byNumber.hits[0]?.connection, fresh.hits[0]?.connection, old.hits.length], [2, 3, 0]);
  assert.equal(b.text + c.text, "");
});

test("probability: the verdicts follow from the seed, and other faults don't change them", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  const isVerdict = (entry: ProxyLogEntry, id: number): boolean =>
    (entry.event === "opened" || entry.event === "hit") && entry.connection === id;
  const verdicts = async (seed: number, noise: boolean): Promise<number[]> => {
    await using proxy = await faultProxy({ upstream: server.endpoint, seed });
    const drop = await proxy.fault({ kind: "drop", probability: 0.5 });
    if (noise) await proxy.fault({ kind: "latency", delayMs: 0, probability: 0.5 });
    for (let i = 1; i <= 40; i++) {
      await using _client = await dial(proxy.endpoint).catch(() => null);
      await until("the verdict", () => proxy.log.some((entry) => isVerdict(entry, i)));
    }
    return drop.hits.map(({ connection }) => connection);
  };
  const first = await verdicts(1, false);
  assert.ok(first.length > 8 && first.length < 32, `${first.length} of 40`);
  assert.deepEqual(await verdicts(1, true), first);
  assert.notDeepEqual(await verdicts(2, false), first);
});

test("a wrong fault is refused by key, value and range", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  const cases: [unknown, RegExp][] = [
    [{ kind: "blackhole" }, /"kind" is "blackhole".*did you mean "blackHole"\?/],
    [{ kind: "latency", delayMs: -1 }, /"latency\.delayMs" is -1, but must be a number, at least 0/],
    [{ kind: "latency" }, /"latency\.delayMs" is undefined/],
    [{ kind: "drop", hwo: "rst" }, /"drop\.hwo"; did you mean "how"\?/],
    [{ kind: "drop", applyTo: "existing" }, /"drop\.applyTo" is "existing"/],
    [{ kind: "refuse", probability: 0.5 }, /unknown option "refuse\.probability"/],
    [{ kind: "halfClose", direction: "both" }, /"halfClose\.direction" is "both"/],
    [{ kind: "corrupt", probability: 1.5 }, /1\.5, but must be a number from 0 to 1/],
    [undefined, /"kind" is undefined/],
  ];
  for (const [fault, message] of cases)
    await assert.rejects(proxy.fault(fault as never), { code: "HF_OPTION", message });
  assert.equal(proxy.log.length, 0);
  await assert.rejects(faultProxy({ upstream: server.endpoint, sed: 1 } as never), /did you mean "seed"/);
  assert.throws(
    () => {
      proxy.upstream = { host: "127.0.0.1", port: 0 };
    },
    { code: "HF_OPTION" },
  );
});
