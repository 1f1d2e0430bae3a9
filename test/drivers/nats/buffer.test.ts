import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { fromGoOptions, type ResilientNatsConnection } from "../../../src/drivers/nats/index.ts";
import { virtualWorld } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, lose, next } from "./support.ts";

/** 12 characters of command and line ends: a publish of n letters on a subject of one takes 11 + digits + n bytes. */
const sixteen = (nc: ResilientNatsConnection): void => nc.publish("a", "four"); // PUB a 4\r\nfour\r\n = 15

function full(run: () => void): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(isHoldfastError(error));
    assert.equal(error.code, "HF_OUTBOX_FULL");
    assert.equal(error.outcome, "not-applied");
    return true;
  });
}

async function down(
  t: Parameters<typeof fakeNats>[0],
  size: number,
): Promise<{ nc: ResilientNatsConnection; port: number }> {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, fromGoOptions({ ReconnectWait: 20, ReconnectBufSize: size }));
  await lose(nc, () => server.close());
  return { nc, port: server.port };
}

test("N23 [nats 14]: ReconnectBufSize counts protocol bytes, errors when used up, and is never overshot", async (t) => {
  const { nc, port } = await down(t, 32);
  sixteen(nc);
  sixteen(nc);
  assert.equal(nc.resilience.snapshot().waitingBytes, 30);
  full(() => sixteen(nc));
  full(() => nc.publish("a", "x".repeat(500)));
  assert.equal(nc.resilience.snapshot().waitingBytes, 30, "nothing was kept of what was refused");
  const back = await fakeNats(t, {}, port);
  await nc.flush();
  assert.equal(back.lines.filter((line) => line === "PUB a 4").length, 2);
});

test("N23 [nats 15]: a negative size keeps nothing: the first publish errors", async (t) => {
  const { nc } = await down(t, -1);
  full(() => sixteen(nc));
  assert.equal(nc.resilience.snapshot().waitingBytes, 0);
});

test("what waits is a copy: the caller may change its bytes; order and headers are kept", async (t) => {
  const { nc, port } = await down(t, 0);
  const bytes = new TextEncoder().encode("first");
  nc.publish("a", bytes, { reply: "r" });
  bytes.fill(0);
  nc.publish("b", "second");
  const back = await fakeNats(t, {}, port);
  await nc.flush();
  const all = back.lines.filter((line) => !/^(CONNECT|PING)/.test(line));
  assert.deepEqual(all, ["PUB a r 5", "first", "PUB b 6", "second"]);
});

test("unconfirmed: published and not followed by a PONG at the loss; confirmed messages don't count", async (t) => {
  let mute = false;
  const server = await fakeNats(t, {
    line: (line) => !(mute && line === "PING"),
  });
  const nc = await connected(t, server.url);
  nc.publish("a", "known");
  await nc.flush();
  mute = true;
  nc.publish("a", "who");
  nc.publish("a", "knows");
  await until("the messages to arrive", 5_000, () => server.lines.includes("knows"));
  const report = next(nc, "unconfirmed");
  await server.close();
  const wire = "PUB a 3\r\nwho\r\nPUB a 5\r\nknows\r\n".length;
  assert.deepEqual(await report, { count: 2, bytes: wire });
});

test("a publish is confirmed soon after it, with nobody asking", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { resilience: { confirmWithinMs: 10 } });
  const before = server.lines.filter((line) => line === "PING").length;
  for (let i = 0; i < 100; i++) nc.publish("a");
  await until("a PING", 5_000, () => server.lines.filter((line) => line === "PING").length > before);
  let told = false;
  nc.resilience.on("unconfirmed", () => {
    told = true;
  });
  await nc.flush();
  assert.equal(
    server.lines.filter((line) => line === "PING").length,
    before + 2,
    "one for all, and the flush",
  );
  await lose(nc, () => server.close());
  assert.equal(told, false);
});

test("what waited and is too large for the server that came is told and not sent; the rest is", async (t) => {
  const { nc, port } = await down(t, 0);
  const told: unknown[] = [];
  void (async () => {
    for await (const status of nc.status()) if (status.type === "error") told.push(status.error);
  })();
  nc.publish("a", "first");
  nc.publish("a", "x".repeat(2_000));
  nc.publish("a", "y".repeat(1_000));
  const smaller = await fakeNats(t, { info: () => ({ max_payload: 1_000 }) }, port);
  await nc.flush();
  assert.deepEqual(
    smaller.lines.filter((line) => line.startsWith("PUB")),
    ["PUB a 5", "PUB a 1000"],
  );
  await until("the error", 5_000, () => told.length > 0);
  const [error] = told;
  assert.ok(isHoldfastError(error) && error.outcome === "not-applied");
  assert.match(String(error.cause), /max_payload/);
  assert.equal(smaller.accepted(), 1);
});

test("what waited and is never sent is told with its count: dropped for newer, too old, still waiting at the close", async (t) => {
  for (const [outbox, told, end] of [
    [{ bytes: 32, whenFull: "drop-oldest" }, { count: 1, bytes: 15 }, "arrives"],
    [{ ageMs: 50 }, { count: 3, bytes: 45 }, "waits"],
    [{}, { count: 3, bytes: 45 }, "closes"],
  ] as const) {
    const server = await fakeNats(t);
    const nc = await connected(t, server.url, { resilience: { outbox, stableAfterMs: 0 } });
    const errors: unknown[] = [];
    const types: string[] = [];
    void (async () => {
      for await (const status of nc.status()) {
        types.push(status.type);
        if (status.type === "error") errors.push(status.error);
      }
    })();
    await lose(nc, () => server.close());
    for (let i = 0; i < 3; i++) sixteen(nc);
    // The library's iterator ends with the connection: who still reads an older status hears no more.
    await until("the reader to have caught up", 5_000, () => types.includes("reconnecting"));
    if (end === "closes") await nc.close();
    const all = (): { count: number; bytes: number } => {
      const sum = { count: 0, bytes: 0 };
      for (const error of errors) {
        assert.ok(isHoldfastError(error) && error.code === "HF_LOST" && error.outcome === "not-applied");
        sum.count += Number(error.details?.count);
        sum.bytes += Number(error.details?.bytes);
      }
      return sum;
    };
    await until(`${told.count} told: ${end}`, 5_000, () => all().count >= told.count);
    assert.deepEqual(all(), told);
    if (end !== "arrives") continue;
    const again = await fakeNats(t, {}, server.port);
    await nc.flush();
    assert.equal(again.lines.filter((line) => line.startsWith("PUB")).length, 2);
  }
});

test("confirmWithinMs: 100 ms after a publish by default; 0: nobody asks", async (t) => {
  for (const [confirmWithinMs, asked] of [
    [undefined, 1],
    [0, 0],
  ] as const) {
    const server = await fakeNats(t);
    const world = virtualWorld(1);
    const nc = await connected(t, server.url, {
      pingInterval: 0,
      resilience: { world, ...(confirmWithinMs !== undefined && { confirmWithinMs }) },
    });
    const pings = (): number => server.lines.filter((line) => line === "PING").length;
    const arrives = async (text: string): Promise<void> => {
      nc.publish("a", text);
      await until(text, 5_000, () => server.lines.includes(text));
    };
    await arrives("first");
    await world.clock.advanceAsync(99);
    await arrives("second"); // and anything sent before it
    assert.equal(pings(), 1, "that of the handshake");
    await world.clock.advanceAsync(1);
    await arrives("third");
    assert.equal(pings(), 1 + asked);
    await nc.close();
  }
});

test("a server that does not read costs bounded memory: publish refuses beyond the live bound", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, { resilience: { writeBufferBytes: 1 << 20 } });
  for (const socket of server.open) socket.pause();
  const payload = new Uint8Array(256 * 1024);
  let refused: unknown;
  let sent = 0;
  while (refused === undefined && sent < 400) {
    try {
      nc.publish("a", payload);
      sent++;
    } catch (error) {
      refused = error;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(isHoldfastError(refused), `refused after ${sent}`);
  assert.equal(refused.code, "HF_WRITE_BUFFER_FULL");
  assert.equal(refused.outcome, "not-applied");
});
