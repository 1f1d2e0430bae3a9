/** The client behind the fault proxy: everything networks and servers do to a connection. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { classifyLink } from "../../../src/drivers/tcp/driver.ts";
import type { TcpClient, TcpClientOptions } from "../../../src/drivers/tcp/index.ts";
import { Governor } from "../../../src/governor/index.ts";
import {
  ackedId,
  encodePing,
  encodeWrite,
  type FaultProxy,
  type FaultShape,
  faultProxy,
  isPong,
  startTcpService,
  type TcpService,
  testAuthority,
} from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { bareServer, framed, next, type Rig, rig, until } from "./support.ts";

interface Behind extends Rig {
  readonly service: TcpService;
  readonly proxy: FaultProxy;
  /** A client through the proxy that counts acknowledged writes. */
  start(options?: Omit<TcpClientOptions, "port">): Promise<TcpClient>;
  /** Sends a write and waits for its acknowledgement. */
  works(tcp: TcpClient, id: number): Promise<void>;
}

async function behind(t: TestContext): Promise<Behind> {
  const own = rig(t);
  const service = own.using(await startTcpService());
  const proxy = own.using(await faultProxy({ upstream: { host: service.host, port: service.port } }));
  const acked = new Set<number | undefined>();
  return {
    ...own,
    service,
    proxy,
    async start(options = {}) {
      const tcp = own.client({ port: proxy.port, framing: framed, ...options });
      tcp.onMessage = (_channel, frame) => void acked.add(ackedId(frame));
      await tcp.start();
      return tcp;
    },
    async works(tcp, id) {
      await tcp.send(encodeWrite(id));
      await until(`the acknowledgement of ${id}`, () => acked.has(id));
    },
  };
}

const heartbeat = { intervalMs: 25, payload: encodePing(), isReply: isPong, timeoutMs: 500 };

for (const how of ["rst", "fin"] as const) {
  test(`an idle connection ended by ${how} is back at once`, async (t) => {
    const { proxy, start, works } = await behind(t);
    const tcp = await start();
    const back = next(tcp, "reconnected");
    const lost = next(tcp, "disconnected");
    proxy.cut(how);
    const { cause } = await lost;
    if (how === "rst") assert.equal((cause as NodeJS.ErrnoException).code, "ECONNRESET");
    else assert.match(String(cause), /the peer closed the connection/);
    await back;
    await works(tcp, 1);
  });
}

test("refused for a while: waits, tries, and is back when the listener is", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start();
  const failures: unknown[] = [];
  tcp.resilience.on(
    "attemptFailed",
    ({ cause }) => void failures.push((cause as NodeJS.ErrnoException).code),
  );
  const refuse = await proxy.fault({ kind: "refuse" });
  proxy.cut("rst");
  await until("three refusals", () => failures.length >= 3);
  assert.deepEqual([...new Set(failures)], ["ECONNREFUSED"]);
  const written = works(tcp, 1);
  await refuse.undo();
  await written;
});

for (const direction of ["up", "down", "both"] as const) {
  for (const how of ["discard", "stop-reading"] as const) {
    test(`a black hole (${direction}, ${how}) is found by the heartbeat, although TCP stays up`, async (t) => {
      const { proxy, start, works } = await behind(t);
      const tcp = await start({ heartbeat });
      const lost = next(tcp, "disconnected");
      const hole = await proxy.fault({ kind: "blackHole", direction, how, applyTo: "existing" });
      const { cause } = await lost;
      assert.ok(isHoldfastError(cause) && cause.code === "HF_HALF_OPEN");
      assert.match(cause.message, /no reply to a heartbeat/);
      await works(tcp, 1);
      await hole.undo();
    });
  }
}

test("half-open: the upstream is gone without a word, found by the read timeout", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start({ readTimeoutMs: 500 });
  const lost = next(tcp, "disconnected");
  await using _hole = await proxy.fault({ kind: "blackHole", applyTo: "existing" });
  assert.match(String((await lost).cause), /read timeout/);
  await works(tcp, 1);
});

test("a peer that stops reading is found by the write timeout", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start({ writeTimeoutMs: 100 });
  await using _hole = await proxy.fault({
    kind: "blackHole",
    direction: "up",
    how: "stop-reading",
    applyTo: "existing",
  });
  const lost = next(tcp, "disconnected");
  const body = Buffer.alloc(12 << 20);
  const sent = assert.rejects(
    tcp.send(encodeWrite(7, body)),
    (error) => isHoldfastError(error) && error.outcome === "maybe-applied",
  );
  const { cause } = await lost;
  assert.match(String(cause), /the peer took nothing of what was written for \d+ ms/);
  await sent;
  await works(tcp, 1);
});

test("half-close by the server ends the connection; it is back", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start();
  const lost = next(tcp, "disconnected");
  await proxy.fault({ kind: "halfClose", direction: "down", applyTo: "existing" });
  assert.match(String((await lost).cause), /the peer closed the connection/);
  await works(tcp, 1);
});

test("accept-then-drop: every attempt is told, with growing delays, until the server means it", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start({
    resilience: {
      stableAfterMs: 5_000,
      backoff: { minMs: 5, baseMs: 10, capMs: 5_000, immediateFirst: true },
    },
  });
  const drop = await proxy.fault({ kind: "drop", how: "rst" });
  const accepted = (): number => proxy.log.filter(({ event }) => event === "accepted").length;
  const before = accepted();
  proxy.cut("rst");
  const startMs = systemClock.nowMs();
  await until("400 ms of it", () => systemClock.nowMs() - startMs > 400 && accepted() - before >= 2);
  const dials = accepted() - before;
  const tookMs = systemClock.nowMs() - startMs;
  assert.ok(dials <= tookMs / 20, `${dials} dials in ${tookMs} ms`);
  await drop.undo();
  tcp.resilience.reconnectNow();
  await works(tcp, 1);
});

test("a frozen server, full or mute: the connect deadline names its step, and the next attempt succeeds", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start({ resilience: { connectTimeoutMs: 500 } });
  const freeze = await proxy.fault({ kind: "freeze" });
  const failed = next(tcp, "attemptFailed");
  proxy.cut("rst");
  const { cause } = await failed;
  assert.ok(
    isHoldfastError(cause) && cause.code === "HF_CONNECT_TIMEOUT" && cause.step === "tcp",
    String(cause),
  );
  await freeze.undo();
  await works(tcp, 1);
});

test("a drip, a slow first byte and latency are slow, and nothing else", async (t) => {
  const { proxy, start, works } = await behind(t);
  const tcp = await start();
  const shapes: FaultShape[] = [
    { kind: "drip", bytes: 1, everyMs: 1, direction: "both" },
    { kind: "latency", delayMs: 20, jitterMs: 10, direction: "both" },
  ];
  for (const [i, shape] of shapes.entries()) {
    await using _fault = await proxy.fault(shape);
    await works(tcp, i + 1);
  }
  assert.equal(tcp.isReconnect(), false);
});

for (const how of ["fin", "rst"] as const) {
  test(`truncated in the middle of a frame by ${how}: the half frame dies with its connection`, async (t) => {
    const { proxy, start, works } = await behind(t);
    const tcp = await start();
    const lost = next(tcp, "disconnected");
    await proxy.fault({ kind: "truncate", direction: "down", afterBytes: 4, how, applyTo: "existing" });
    await tcp.send(encodeWrite(9));
    await lost;
    await works(tcp, 10);
  });
}

test("corrupted bytes never crash: each connection ends with a classed error or goes on", async (t) => {
  const { proxy, start, works, service } = await behind(t);
  const tcp = await start();
  const causes: unknown[] = [];
  tcp.resilience.on("disconnected", ({ cause }) => void causes.push(cause));
  const corrupt = await proxy.fault({ kind: "corrupt", direction: "down", everyBytes: 9 });
  for (let id = 100; causes.length < 3 && id < 3_000; id++) {
    await tcp.send(encodeWrite(id)).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(causes.length >= 3);
  for (const cause of causes)
    assert.ok(
      isHoldfastError(cause) || typeof (cause as NodeJS.ErrnoException).code === "string",
      String(cause),
    );
  await corrupt.undo();
  proxy.cut("rst"); // half a corrupt frame may be under way
  await works(tcp, 1);
  assert.ok(service.ledger.total > 0);
});

test("fails over to the next endpoint when the first is refused, and back when that one goes", async (t) => {
  const { service, client, using } = await behind(t);
  const upstream = { host: service.host, port: service.port };
  const [a, b] = [using(await faultProxy({ upstream })), using(await faultProxy({ upstream }))];
  const endpoints = [a, b].map(({ port }) => ({ host: "127.0.0.1", port }));
  const tcp = client({ endpoints, resilience: { order: "given" } });
  await tcp.start();
  const at = (): string | undefined => tcp.resilience.snapshot().endpoint;
  assert.equal(at(), a.address);
  const down = await a.fault({ kind: "refuse" });
  let back = next(tcp, "reconnected");
  a.cut("rst");
  assert.equal((await back).endpoint, b.address);
  await down.undo();
  const bDown = await b.fault({ kind: "refuse" });
  back = next(tcp, "reconnected");
  b.cut("fin");
  assert.equal((await back).endpoint, a.address);
  await bDown.undo();
  back = next(tcp, "reconnected");
  tcp.resilience.failover();
  assert.equal((await back).endpoint, b.address);
});

test("every endpoint down at first: the start fails with one cause each", async (t) => {
  const { client, proxy, using, service } = await behind(t);
  const other = using(await faultProxy({ upstream: { host: service.host, port: service.port } }));
  for (const one of [proxy, other]) await one.fault({ kind: "refuse" });
  const endpoints = [proxy, other].map(({ address }) => `tcp://${address}`);
  await assert.rejects(client({ endpoints }).start(), (error) => {
    assert.ok(isHoldfastError(error) && error.cause instanceof AggregateError);
    assert.equal(error.cause.errors.length, 2);
    return true;
  });
});

const badTls = [
  ["expired", /CERT_HAS_EXPIRED/],
  ["wrong-name", /ERR_TLS_CERT_ALTNAME_INVALID/],
  ["unknown-issuer", /UNABLE_TO|SELF_SIGNED/],
  ["plaintext", /ERR_SSL_WRONG_VERSION_NUMBER/],
  ["hang", /HF_CONNECT_TIMEOUT/],
] as const;

for (const [how, code] of badTls) {
  test(`TLS ${how}: the attempt fails with its reason, and the next one is secure`, async (t) => {
    const own = rig(t);
    const authority = await testAuthority();
    const service = own.using(await startTcpService({ tls: await authority.leaf() }));
    const upstream = { host: service.host, port: service.port };
    const proxy = own.using(await faultProxy({ upstream, authority }));
    const tcp = own.client({
      url: `tls://${proxy.address}`,
      framing: framed,
      tls: { ca: authority.cert },
      resilience: { connectTimeoutMs: how === "hang" ? 150 : 2_000, retryInitial: true },
    });
    const fault = await proxy.fault({ kind: "tls", how });
    const failed = next(tcp, "attemptFailed");
    const started = tcp.start();
    const { cause } = await failed;
    assert.match(String((cause as { code?: string }).code), code);
    if (how === "hang") assert.ok(isHoldfastError(cause) && cause.step === "tls");
    await fault.undo();
    await started;
    const sent = next(tcp, "disconnected");
    await tcp.send(encodeWrite(1));
    await service.until("the write", () => service.ledger.count(1) === 1);
    proxy.cut("rst");
    await sent;
    await tcp.resilience.whenReady();
  });
}

test("a client certificate that is missing: the server's refusal is classed as one of credentials, and backed off from", async (t) => {
  const own = rig(t);
  const authority = await testAuthority();
  const service = own.using(await startTcpService({ tls: await authority.leaf() }));
  const upstream = { host: service.host, port: service.port };
  const proxy = own.using(await faultProxy({ upstream, authority }));
  const tcp = own.client({ url: `tls://${proxy.address}`, tls: { ca: authority.cert } });
  await proxy.fault({ kind: "tls", how: "client-certificate" });
  // TLS 1.3 tells it only after the handshake: the link is ready for a moment.
  const lost = next(tcp, "disconnected");
  tcp.start();
  const { cause } = await lost;
  assert.match(String((cause as { code?: string }).code), /ALERT_CERTIFICATE_REQUIRED$/);
  assert.equal(classifyLink(cause), "auth");
  assert.equal(classifyLink(Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" })), "endpoint");
  assert.equal(classifyLink(Object.assign(new Error("x"), { code: "ENOTFOUND" })), "transient");
});

test("a slow reader is not taken for dead because messages to it ran out of time", async (t) => {
  const { client, using } = rig(t);
  const server = using(await bareServer((socket) => socket.pause()));
  const tcp = client({ port: server.port });
  await tcp.start();
  const halfOpen: unknown[] = [];
  tcp.resilience.on("halfOpen", (event) => void halfOpen.push(event));
  const sends = Array.from({ length: 12 }, () => tcp.send(Buffer.alloc(1 << 20), { deadlineMs: 300 }));
  const settled = Promise.allSettled(sends);
  const socket = (): Socket => server.sockets[0] as Socket;
  let open = true;
  const sip = (): void => {
    if (!open) return;
    socket().read();
    systemClock.setTimer(10, sip);
  };
  await until("a full pipe", () => tcp.bufferedBytes > 4 << 20);
  socket().on("readable", () => {});
  sip();
  await settled;
  open = false;
  assert.deepEqual(halfOpen, []);
  assert.equal(tcp.isReconnect(), false);
});

test("close in every state leaves nothing and ends every wait", async (t) => {
  const { proxy, client, service } = await behind(t);
  const reached: string[] = [];
  for (const phase of ["idle", "parked", "dialing", "restoring", "ready", "waiting", "closed"] as const) {
    const governor = new Governor({ maxConcurrentDials: 1 });
    // Parked for good: somebody else has the only permit to dial.
    const permit = phase === "parked" ? governor.request("other", () => {}) : undefined;
    const tcp = client({ port: proxy.port, resilience: { retryInitial: true, governor } });
    const refuse = phase === "waiting" ? await proxy.fault({ kind: "refuse" }) : undefined;
    if (phase === "restoring") tcp.onConnection = () => new Promise(() => {});
    const closes: Promise<void>[] = [];
    const closeAt = (): void => {
      reached.push(tcp.resilience.snapshot().phase);
      closes.push(tcp.close(), tcp.close());
    };
    const waiting = tcp.send("x");
    const settled = waiting.then(
      () => "taken",
      (error: unknown) => (isHoldfastError(error) ? error.outcome : String(error)),
    );
    tcp.resilience.on("state", ({ to }) => to === phase && phase !== "closed" && closeAt());
    const started = phase === "idle" ? undefined : tcp.start().catch(() => {});
    if (phase === "idle") closeAt();
    if (phase === "closed") {
      await started;
      await tcp.close();
      closeAt();
    }
    await started;
    await until(`a close while ${phase}`, () => closes.length > 0);
    await Promise.all(closes);
    assert.ok(["taken", "not-applied", "maybe-applied"].includes(String(await settled)), phase);
    assert.equal(tcp.resilience.snapshot().phase, "closed");
    await refuse?.undo();
    permit?.yield("unused");
  }
  const expected = ["idle", "parked", "dialing", "restoring", "ready", "waiting", "closed"];
  assert.deepEqual(reached, expected);
  await service.until("no socket", () => service.liveSockets === 0);
});
