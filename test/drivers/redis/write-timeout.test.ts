/** `resilience.writeTimeoutMs`: a write that makes no progress ends the connection; a slow one does not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { createServer } from "node:tls";
import type { HoldfastError } from "../../../src/call/index.ts";
import {
  clientOptionsOf,
  clientPoolOptionsOf,
  fromGoRedisOptions,
  fromGoRedisUrl,
  fromRedisPy,
} from "../../../src/drivers/redis/index.ts";
import { readSettings } from "../../../src/drivers/redis/settings.ts";
import { WriteStall } from "../../../src/drivers/redis/write-stall.ts";
import { testAuthority } from "../../../src/lab/index.ts";
import { VirtualClock } from "../../../src/time/index.ts";
import { type Client, quick, type Rig, rigFor } from "./rig.ts";

/** Nothing else may end the connection or a call. */
const patient = {
  ...quick,
  liveness: { idleProbeMs: false, tcpKeepAliveMs: false },
  writeBufferBytes: 1 << 28,
} as const;

/** Far more than the kernels of both sides take, also where they have learnt to take much. */
const big = Buffer.alloc(64 << 20, "x");

/** Resolves with why the connection was lost. */
function loss(client: Client): Promise<HoldfastError> {
  return new Promise((resolve) =>
    client.resilience.on("disconnected", ({ cause }) => resolve(cause as HoldfastError)),
  );
}

async function stalls(rig: Rig, client: Client): Promise<void> {
  await client.connect();
  await using _hole = await rig.proxy.fault({
    kind: "blackHole",
    direction: "up",
    how: "stop-reading",
    applyTo: "existing",
  });
  const lost = loss(client);
  const begunMs = performance.now();
  const partly = assert.rejects(client.rPush("list", big), { code: "HF_LOST", outcome: "maybe-applied" });
  const behind = [client.set("k", "v"), client.incr("n")];
  const cause = await lost;
  assert.deepEqual([cause.code, cause.step], ["HF_HALF_OPEN", "write"]);
  assert.match(cause.message, /no write progress for 300 ms/);
  assert.ok(performance.now() - begunMs >= 299);
  await partly;
  assert.deepEqual(await Promise.all(behind), ["OK", 1], "sent on the next connection, once");
  assert.equal(await client.lLen("list"), 0);
}

const terms = { commandOptions: { timeout: 0 }, resilience: { ...patient, writeTimeoutMs: 300 } };

test("a peer that stops reading: lost by the write timeout, and every call gets its outcome", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await stalls(rig, rig.client(terms));
});

test("the same over TLS, where the library writes", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const authority = await testAuthority();
  const terminator = createServer(await authority.leaf(), (secure) => {
    const plain = connect(rig.server.port, rig.server.host);
    secure.pipe(plain).pipe(secure);
    for (const socket of [secure, plain]) {
      socket
        .on("error", () => {})
        .on("close", () => {
          secure.destroy();
          plain.destroy();
        });
    }
  });
  terminator.on("tlsClientError", () => {});
  terminator.listen(0, "127.0.0.1");
  await once(terminator, "listening");
  const { host, port } = rig.proxy;
  rig.proxy.upstream = { host: "127.0.0.1", port: (terminator.address() as AddressInfo).port };
  const client = rig.client({ ...terms, socket: { host, port, tls: true, ca: authority.cert } });
  await stalls(rig, client);
  await client.close();
  rig.proxy.cut("rst");
  terminator.close();
  await once(terminator, "close");
});

test("a slow write that goes on is not cut, though one chunk takes longer than the timeout", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ ...terms, resilience: { ...patient, writeTimeoutMs: 1_000 } });
  const told: unknown[] = [];
  client.resilience.on("disconnected", ({ cause }) => told.push(cause));
  await client.connect();
  await using _narrow = await rig.proxy.fault({
    kind: "bandwidth",
    direction: "up",
    bytesPerSecond: 16 << 20,
  });
  const answer = await client.rPush("list", big);
  assert.deepEqual([answer, told], [1, []]);
});

/** A socket as far as the watch looks at it; without a handle as on another runtime. */
function rigWatch(withHandle: boolean, timeoutMs = 400) {
  const clock = new VirtualClock();
  const handle = { bytesWritten: 1_000, writeQueueSize: 1_000 };
  const socket = {
    _handle: withHandle ? handle : undefined,
    get bytesWritten() {
      return handle.bytesWritten;
    },
    get writableLength() {
      return handle.writeQueueSize;
    },
  };
  const stalledAtMs: number[] = [];
  const owner = { isWriting: false, stalled: () => void stalledAtMs.push(clock.nowMs()) };
  const watch = new WriteStall(socket as unknown as Socket, clock, timeoutMs, owner);
  return { clock, handle, owner, stalledAtMs, watch };
}

for (const withHandle of [true, false]) {
  const by = withHandle ? "its handle" : "its public figures";
  test(`the watch of a socket by ${by}: one timer, and a stall found at most a quarter late`, () => {
    const { clock, handle, stalledAtMs, watch } = rigWatch(withHandle);
    watch.entering();
    watch.entering();
    assert.equal(clock.pendingTimers, 1);
    for (let ms = 0; ms < 1_990; ms += 10) {
      handle.writeQueueSize -= ms % 350 === 0 ? 1 : 0; // progress, in steps shorter than the timeout
      clock.advance(10);
    }
    assert.deepEqual(stalledAtMs, []);
    handle.writeQueueSize -= 1;
    handle.bytesWritten += 500; // what is written on top is no progress
    handle.writeQueueSize += 500;
    clock.advance(5_000);
    assert.deepEqual(stalledAtMs, [2_400]);
    watch.entering();
    assert.equal(clock.pendingTimers, 0, "it is over");
  });
}

test("the watch ends when nothing is on its way out, and goes on between two portions", () => {
  const { clock, handle, owner, stalledAtMs, watch } = rigWatch(true);
  watch.entering();
  handle.writeQueueSize = 0;
  owner.isWriting = true;
  clock.advance(3_000);
  assert.deepEqual([clock.pendingTimers, stalledAtMs], [1, []]);
  owner.isWriting = false;
  clock.advance(100);
  assert.equal(clock.pendingTimers, 0);
  watch.entering();
  assert.equal(clock.pendingTimers, 1);
  watch.stop();
  assert.equal(clock.pendingTimers, 0);
});

test("the option: none by default, milliseconds, and anything else is refused by its name", () => {
  const read = (writeTimeoutMs: unknown) =>
    readSettings({}, { writeTimeoutMs } as { writeTimeoutMs: number }).writeTimeoutMs;
  assert.deepEqual([read(undefined), read(Infinity), read(250)], [Infinity, Infinity, 250]);
  for (const bad of [0, -1, Number.NaN, true, "soon"])
    assert.throws(() => read(bad), {
      code: "HF_OPTION",
      message: /"resilience.writeTimeoutMs" is .*must be/,
    });
});

test("go-redis' write timeout and redis-py's socket_timeout become the option", () => {
  const go = (query: string) =>
    clientOptionsOf(fromGoRedisUrl(`redis://h?${query}`)).resilience.writeTimeoutMs;
  assert.equal(go(""), 3_000, "go-redis' read timeout");
  assert.equal(go("read_timeout=9"), 9_000);
  assert.equal(go("read_timeout=9&write_timeout=2"), 2_000);
  assert.equal(go("write_timeout=-1"), undefined);
  assert.equal(go("read_timeout=-1"), undefined);
  assert.equal(go("write_timeout=5us"), 1);
  const options = (WriteTimeout: number | string) =>
    clientOptionsOf(fromGoRedisOptions({ ReadTimeout: "9s", WriteTimeout })).resilience.writeTimeoutMs;
  assert.deepEqual([options("4s"), options(-1), options(-2)], [4_000, undefined, undefined]);
  const py = (kwargs: object) => clientOptionsOf(fromRedisPy(kwargs)).resilience.writeTimeoutMs;
  assert.deepEqual([py({}), py({ socket_timeout: 0.25 })], [undefined, 250]);
  const [member] = clientPoolOptionsOf(fromGoRedisUrl("redis://h?pool_size=3&write_timeout=2"));
  assert.equal(member.resilience.writeTimeoutMs, 2_000);
});
