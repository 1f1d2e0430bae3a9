import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Fault, type FaultHandle, faultProxy } from "../../../src/lab/index.ts";
import { seededRandom } from "../../../src/time/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { dial, howItEnds, testServer, until } from "./rig.ts";

for (const direction of ["up", "down"] as const)
  for (const [how, seen] of [
    ["rst", "ECONNRESET"],
    ["fin", "fin"],
  ] as const)
    for (const afterBytes of [1, 10, 100_000])
      test(`truncate ${direction} after ${afterBytes} with ${how}: exactly those bytes, then the end`, async (t) => {
        checkLeaks(t);
        await using server = await testServer();
        await using proxy = await faultProxy({ upstream: server.endpoint });
        await using fault = await proxy.fault({ kind: "truncate", direction, afterBytes, how });
        await using client = await dial(proxy.endpoint);
        const peer = await server.peer(0);
        const [from, to] = direction === "up" ? [client, peer] : [peer, client];
        const payload = Buffer.alloc(200_000, "0123456789abcdefg");
        from.send(payload);
        if (how === "fin") await to.fin();
        else assert.equal(await to.ended(), seen);
        assert.equal(to.count, afterBytes);
        assert.ok(to.bytes.equals(payload.subarray(0, afterBytes)));
        assert.equal(fault.hits[0]?.acts, 1);
        assert.equal(to.errorCode ?? "fin", seen);
      });

test("truncate counts from when it took hold of a live connection", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using client = await dial(proxy.endpoint);
  await client.send("0123456789").got(10);
  await using _fault = await proxy.fault({ kind: "truncate", direction: "down", afterBytes: 4 });
  client.send("abcdef");
  assert.equal(await client.ended(), "ECONNRESET");
  assert.equal(client.text, "0123456789abcd");
});

test("corrupt changes about one byte in n, the same ones for the same seed, and no length", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  const payload = Buffer.alloc(20_000, "x");
  const run = async (seed: number): Promise<number[]> => {
    await using proxy = await faultProxy({ upstream: server.endpoint, seed });
    await using fault = await proxy.fault({ kind: "corrupt", direction: "up", everyBytes: 50 });
    await using client = await dial(proxy.endpoint);
    const peer = await server.peer(server.peers.length);
    client.send(payload.subarray(0, 7));
    await peer.got(7);
    client.send(payload.subarray(7));
    await peer.got(payload.length);
    assert.equal(peer.count, payload.length);
    const changed = [...peer.bytes].flatMap((byte, at) => (byte === payload[at] ? [] : [at, byte]));
    assert.equal(fault.hits[0]?.bytes, changed.length / 2);
    return changed;
  };
  const first = await run(3);
  const count = first.length / 2;
  assert.ok(count > 200 && count < 800, `${count} of 20,000, expected about 400`);
  assert.deepEqual(await run(3), first);
  assert.notDeepEqual(await run(4), first);
});

test("corrupt with everyBytes 1 changes every byte", async (t) => {
  checkLeaks(t);
  await using server = await testServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using _fault = await proxy.fault({ kind: "corrupt", everyBytes: 1 });
  await using client = await dial(proxy.endpoint);
  const peer = await server.peer(0);
  await client.send(Buffer.alloc(1_000, "x"));
  await peer.got(1_000);
  assert.ok(!peer.text.includes("x"));
});

test("maxConnections ends what is beyond the limit, and lets in again when one has gone", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ echo: true });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await using first = await dial(proxy.endpoint);
  await first.send("a").got(1);
  await using _limit = await proxy.fault({ kind: "maxConnections", limit: 2 });
  await using second = await dial(proxy.endpoint);
  await second.send("b").got(1);
  assert.equal(await howItEnds(proxy.endpoint), "fin");
  const gone = proxy.next("closed", ({ connection }) => connection === 1);
  proxy.cut("rst", { connections: 1 });
  await gone;
  await using third = await dial(proxy.endpoint);
  await third.send("c").got(1);
});

test("a fault in force before accept lets no byte of a new connection slip through", async (t) => {
  checkLeaks(t);
  await using server = await testServer({ greeting: "hello" });
  await using proxy = await faultProxy({ upstream: server.endpoint });
  // Clients are in the backlog, in the air, and accepted, while the fault is being applied.
  const dialling = Array.from({ length: 20 }, () => dial(proxy.endpoint));
  const applying = proxy.fault({ kind: "blackHole", applyTo: "all" });
  const acceptedBefore = proxy.log.filter(({ event }) => event === "accepted").length;
  const hole = await applying;
  const clients = await Promise.all(dialling);
  assert.equal(acceptedBefore, 0);
  await until("every greeting to vanish", () => hole.hits.length === 20);
  for (const client of clients) {
    assert.equal(client.text, "");
    await client[Symbol.asyncDispose]();
  }
});

/** Faults that keep every byte, in any number and order, applied and undone at any time. */
const gentle: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant("latency" as const), delayMs: fc.nat(3), jitterMs: fc.nat(3) }),
  fc.record({ kind: fc.constant("slowFirstByte" as const), delayMs: fc.nat(3) }),
  fc.record({
    kind: fc.constant("bandwidth" as const),
    bytesPerSecond: fc.integer({ min: 1_000_000, max: 9_000_000 }),
  }),
  fc.record({
    kind: fc.constant("drip" as const),
    bytes: fc.integer({ min: 2_000, max: 9_000 }),
    everyMs: fc.nat(1),
  }),
  fc.constant({ kind: "blackHole" as const, how: "stop-reading" as const }),
);

test("gentle faults in any mixture lose, add, and reorder nothing, and pass the closes behind the bytes", async (t) => {
  checkLeaks(t);
  const steps = fc.array(fc.tuple(gentle, fc.boolean(), fc.integer({ min: 0, max: 20_000 })), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer(), async (plan, seed) => {
      await using server = await testServer({ echo: true });
      await using proxy = await faultProxy({ upstream: server.endpoint, seed });
      await using client = await dial(proxy.endpoint, { allowHalfOpen: true });
      const peer = await server.peer(0);
      const random = seededRandom(seed);
      const faults: FaultHandle[] = [];
      const sent: Buffer[] = [];
      for (const [fault, undoOne, bytes] of plan) {
        faults.push(await proxy.fault(fault));
        const piece = Buffer.from(Array.from({ length: bytes }, () => Math.floor(random.next() * 256)));
        sent.push(piece);
        client.send(piece);
        if (undoOne) await faults.shift()?.undo();
      }
      client.socket.end();
      for (const fault of faults) if (fault.label.startsWith("blackHole")) await fault.undo();
      await peer.fin();
      peer.socket.end();
      assert.equal(await client.ended(), "fin");
      assert.ok(peer.bytes.equals(Buffer.concat(sent)), "up");
      assert.ok(client.bytes.equals(Buffer.concat(sent)), "down");
    }),
    { numRuns: 40 },
  );
});

/** Anything at all, in any order: nothing may be left, and the proxy must serve again afterwards. */
const rough: fc.Arbitrary<Fault> = fc.oneof(
  gentle,
  fc.constantFrom<Fault>(
    { kind: "refuse" },
    { kind: "drop", how: "fin" },
    { kind: "drop", probability: 0.5 },
    { kind: "maxConnections", limit: 1 },
    { kind: "blackHole" },
    { kind: "blackHole", direction: "down" },
    { kind: "blackHole", direction: "up", afterwards: "resume" },
    { kind: "truncate", afterBytes: 50, how: "fin" },
    { kind: "truncate", afterBytes: 5_000, direction: "down" },
    { kind: "corrupt", everyBytes: 10 },
    { kind: "halfClose", direction: "up" },
    { kind: "halfClose", direction: "down", applyTo: "existing" },
  ),
);

test("after any storm the proxy serves as before, and its close leaves nothing", async (t) => {
  checkLeaks(t);
  const act = fc.oneof(
    fc.record({ fault: rough }),
    fc.record({ undo: fc.nat(5) }),
    fc.record({ cut: fc.constantFrom("rst" as const, "fin" as const) }),
    fc.record({ dial: fc.boolean() }),
    fc.record({ send: fc.nat(20_000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (plan) => {
      await using server = await testServer({ echo: true });
      await using proxy = await faultProxy({ upstream: server.endpoint });
      const faults: FaultHandle[] = [];
      const clients = [];
      for (const step of plan) {
        if ("fault" in step) faults.push(await proxy.fault(step.fault));
        if ("undo" in step) await faults[step.undo]?.undo();
        if ("cut" in step) proxy.cut(step.cut);
        if ("dial" in step)
          clients.push(await dial(proxy.endpoint, { allowHalfOpen: step.dial }).catch(() => null));
        if ("send" in step) for (const client of clients) client?.send(Buffer.alloc(step.send));
      }
      await proxy.clear();
      await using fresh = await dial(proxy.endpoint);
      await fresh.send("hello").got(5);
      for (const client of clients) await client?.[Symbol.asyncDispose]();
    }),
    { numRuns: 60 },
  );
});
