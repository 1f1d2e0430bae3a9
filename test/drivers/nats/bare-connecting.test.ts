/** The same side by side: connecting, attempts and what is told of them. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as bareConnect, type NatsConnection } from "@nats-io/transport-node";
import { connect, fromNatsOptions, type ResilientNatsConnection } from "../../../src/drivers/nats/index.ts";
import { seededRandom, systemClock } from "../../../src/time/index.ts";
import { until } from "../../support/until.ts";
import { cut, down, fast, sides, status, within } from "./bare-support.ts";
import { type FakeServer, fakeNats, sayInfo } from "./fake-server.ts";

const own = (nc: NatsConnection): ResilientNatsConnection => nc as ResilientNatsConnection;

/** Every status from now on. */
function statuses(nc: NatsConnection): { type: string }[] {
  const all: { type: string }[] = [];
  void (async () => {
    for await (const each of nc.status()) all.push(each);
  })();
  return all;
}

const count = (all: readonly { type: string }[], type: string): number =>
  all.filter((each) => each.type === type).length;

test("nats.js 4.2/1: attempts by default: nats.js gives up after 10, ours after 60", async (t) => {
  const server = await fakeNats(t);
  const options = { servers: server.url, reconnectTimeWait: 1, reconnectJitter: 0 };
  const bare = await bareConnect(options);
  const ours = await connect({ ...options, resilience: { minDialGapMs: 1, stableAfterMs: 0 } });
  t.after(() => Promise.all([bare.close(), ours.close()]));
  const heard = statuses(bare);
  let failed = 0;
  ours.resilience.on("attemptFailed", () => void failed++);
  await down(bare, server);
  assert.notEqual(await within(bare.closed(), 10_000), "nothing");
  assert.equal(count(heard, "reconnecting"), 10);
  assert.notEqual(await within(ours.closed(), 20_000), "nothing");
  assert.equal(failed, 60);
});

test("nats.js 4.2/2: a negative number of attempts other than -1: nats.js gives up at once, ours never", async (t) => {
  const { bare, ours } = await sides(t, undefined, { maxReconnectAttempts: -2 });
  for (const side of [bare, ours]) {
    const { port } = side.server;
    const back = side === ours ? status(side.nc, "reconnect") : undefined;
    await down(side.nc, side.server);
    if (side === bare) assert.notEqual(await within(side.nc.closed(), 5_000), "nothing");
    else {
      await until("several attempts", 5_000, () => own(side.nc).resilience.snapshot().dials > 3);
      await fakeNats(t, {}, port);
      await back;
    }
  }
});

/** Says nothing until asked to, then greets and answers as a server does. */
async function silentServer(t: TestContext): Promise<{ url: string; greet(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => String(chunk).includes("PING") && socket.write("PONG\r\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as { port: number };
  return {
    url: `127.0.0.1:${port}`,
    greet() {
      sayInfo({ open: sockets });
    },
  };
}

test("nats.js 4.2/3: a silent server, by default: nats.js waits 20 s, ours 2", async (t) => {
  const server = await silentServer(t);
  const bare = bareConnect({ servers: server.url });
  const startMs = systemClock.nowMs();
  await assert.rejects(connect({ servers: server.url }));
  const tookMs = systemClock.nowMs() - startMs;
  assert.ok(tookMs >= 1_990 && tookMs < 15_000, `${tookMs} ms`);
  assert.equal(await within(bare, 500), "nothing", "it still waits");
  server.greet(); // or it would go on for 17 s more
  await (await bare).close();
});

test("nats.js 4.2/4: the first attempt after a loss: nats.js dials the server that just failed, ours another", async (t) => {
  for (const kind of ["nats.js", "ours"]) {
    const [a, b] = [await fakeNats(t), await fakeNats(t)];
    const options = { ...fast, servers: [a.url, b.url], reconnectTimeWait: 1, reconnectJitter: 0 };
    const startMs = systemClock.nowMs();
    const nc = kind === "ours" ? await connect(options) : await bareConnect(options);
    t.after(() => nc.close());
    assert.equal(nc.getServer(), `127.0.0.1:${a.port}`);
    await until("a connection older than the wait", 10_000, () => systemClock.nowMs() > startMs + 20);
    const back = status(nc, "reconnect");
    for (const socket of a.open) socket.destroy();
    await back;
    assert.equal(nc.getServer(), `127.0.0.1:${kind === "ours" ? b.port : a.port}`);
  }
});

test("nats.js 4.2/15: the first connect tried again: nats.js ignores the limit and can't be stopped, ours does and can", async (t) => {
  let asked = 0;
  const server = await fakeNats(t, {
    info: () => (++asked < 1_000 ? { auth_required: true } : {}),
    line: (line, socket) => {
      if (!line.startsWith("CONNECT") || open) return undefined;
      socket.destroy();
      return false;
    },
  });
  let open = false;
  const options = {
    ...fast,
    servers: server.url,
    reconnectTimeWait: 1,
    timeout: 20,
    maxReconnectAttempts: 2,
    waitOnFirstConnect: true,
  };
  const bare = bareConnect(options);
  await until("attempts beyond the limit", 10_000, () => server.accepted() > 6);
  const before = server.accepted();
  await assert.rejects(connect(options));
  assert.ok(server.accepted() > before);
  const leave = new AbortController();
  const unlimited = connect({
    ...options,
    maxReconnectAttempts: -1,
    resilience: { signal: leave.signal },
  });
  const left = within(unlimited, 5_000);
  leave.abort(new Error("the caller left"));
  assert.match(String(await left), /the caller left/);
  open = true; // nats.js would never end
  await (await bare).close();
});

test("nats.js 4.2/18: a throwing choose-server handler: nats.js closes for good, ours goes on by itself", async (t) => {
  for (const kind of ["nats.js", "ours"]) {
    const server = await fakeNats(t);
    let asked = 0;
    const options = {
      ...fast,
      servers: server.url,
      reconnectToServer: () => {
        if (++asked > 1) throw new Error("no choice just now");
        return null as never;
      },
    };
    const nc = kind === "ours" ? await connect(options) : await bareConnect(options);
    t.after(() => nc.close());
    const back = within(status(nc, "reconnect"), 5_000);
    for (const socket of server.open) socket.destroy();
    if (kind === "ours") assert.equal(await back, "resolved");
    else assert.notEqual(await within(nc.closed(), 5_000), "nothing");
    assert.equal(nc.isClosed(), kind !== "ours");
  }
});

test("nats.js 4.2/19: a delay that grows at each call: nats.js never dials again, ours at once and then by it", async (t) => {
  for (const kind of ["nats.js", "ours"]) {
    const server = await fakeNats(t);
    let calls = 0;
    const options = { ...fast, servers: server.url, reconnectDelayHandler: () => 400 * ++calls };
    const nc = kind === "ours" ? await connect(options) : await bareConnect(options);
    t.after(() => nc.close());
    const back = within(status(nc, "reconnect"), kind === "ours" ? 10_000 : 3_000);
    for (const socket of server.open) socket.destroy();
    assert.equal(await back, kind === "ours" ? "resolved" : "nothing");
    assert.equal(server.accepted(), kind === "ours" ? 2 : 1);
    if (kind === "nats.js") assert.ok(calls > 2, "asked again and again meanwhile");
  }
});

test("nats.js 4.2/20: jitter for a tls:// server: nats.js takes the plain one, ours that of TLS", async (t) => {
  const server = await fakeNats(t);
  const options = {
    servers: `tls://127.0.0.1:${server.port}`,
    reconnectTimeWait: 10,
    reconnectJitter: 0,
    reconnectJitterTLS: 1_000,
  };
  const bare = await bareConnect(options); // it ignores the scheme
  t.after(() => bare.close());
  const { options: kept } = bare as unknown as { options: { reconnectDelayHandler(): number } };
  const bareMs = Array.from({ length: 50 }, () => kept.reconnectDelayHandler());
  assert.deepEqual([...new Set(bareMs)], [10]);
  const { backoff } = fromNatsOptions(options).resilience;
  assert.ok(typeof backoff === "object" && "start" in backoff);
  const random = seededRandom(1);
  const first = backoff.start().next(random, { attempt: 0, elapsedMs: 0 });
  assert.ok("schedule" in first);
  const oursMs = Array.from({ length: 50 }, () => {
    const step = first.schedule.next(random, { attempt: 1, elapsedMs: 0 });
    return "delayMs" in step ? step.delayMs : 0;
  });
  assert.ok(Math.max(...oursMs) > 500 && Math.min(...oursMs) >= 10, `${oursMs}`);
});

test("nats.js 4.2/22: a failed attempt: nats.js tells neither where, nor why, nor what comes next; ours all of it", async (t) => {
  const { bare, ours } = await sides(t, undefined, {
    reconnectTimeWait: 20,
    resilience: { stableAfterMs: 0 },
  });
  const heard = statuses(bare.nc);
  const failed: { endpoint: string; attempt: number; cause: unknown; nextDelayMs: number | undefined }[] = [];
  own(ours.nc).resilience.on("attemptFailed", (event) => void failed.push(event));
  for (const { server } of [bare, ours]) await server.close();
  await until("three attempts of each", 5_000, () => count(heard, "reconnecting") > 3 && failed.length > 3);
  for (const each of heard.filter(({ type }) => type === "reconnecting"))
    assert.deepEqual(each, { type: "reconnecting" });
  assert.deepEqual(
    failed.slice(0, 3).map(({ endpoint, attempt }) => [endpoint, attempt]),
    [1, 2, 3].map((attempt) => [`127.0.0.1:${ours.server.port}`, attempt]),
  );
  for (const { cause, nextDelayMs } of failed) {
    assert.match(String(cause), /connection refused|ECONNREFUSED/);
    assert.ok(nextDelayMs !== undefined && nextDelayMs < 100);
  }
});

test("nats.js 4.2/23: a dead server before a good one, one attempt each: nats.js never tries the good one, ours uses it", async (t) => {
  const good = await fakeNats(t);
  for (const maxReconnectAttempts of [0, 1]) {
    const options = { ...fast, servers: ["127.0.0.1:1", good.url], maxReconnectAttempts };
    await assert.rejects(bareConnect(options), /refused/i);
    assert.equal(good.accepted(), 0);
  }
  const nc = await connect({ ...fast, servers: ["127.0.0.1:1", good.url], maxReconnectAttempts: 1 });
  assert.equal(nc.getServer(), `127.0.0.1:${good.port}`);
  await nc.close();
});

test("nats.js 4.4: one loss and handshakes that fail: nats.js tells it again at each of them, ours once", async (t) => {
  let refuse = false;
  const drop = (line: string, socket: Socket): boolean | undefined => {
    if (!line.startsWith("CONNECT") || !refuse) return undefined;
    socket.destroy();
    return false;
  };
  const { bare, ours } = await sides(t, () => ({ line: drop }), { timeout: 400 });
  const heard = [statuses(bare.nc), statuses(ours.nc)];
  refuse = true;
  const acceptedBefore: readonly [FakeServer, number][] = [bare, ours].map(({ server }) => [
    server,
    server.accepted(),
  ]);
  for (const side of [bare, ours]) cut(side);
  await until("three handshakes of each", 10_000, () =>
    acceptedBefore.every(([server, before]) => server.accepted() >= before + 3),
  );
  refuse = false;
  await until("both back", 10_000, () => heard.every((all) => count(all, "reconnect") > 0));
  const [bareHeard = [], oursHeard = []] = heard;
  assert.ok(count(bareHeard, "disconnect") > 1, "told again and again");
  assert.deepEqual(
    oursHeard.map(({ type }) => type).filter((type) => type === "disconnect" || type === "reconnect"),
    ["disconnect", "reconnect"],
  );
});
