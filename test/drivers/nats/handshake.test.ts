import assert from "node:assert/strict";
import { test } from "node:test";
import { isHoldfastError } from "../../../src/call/index.ts";
import { connect, fromGoOptions, headers } from "../../../src/drivers/nats/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { until } from "../../support/until.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, lose, next, quick, withNats } from "./support.ts";

test("[nats 46]: a silent server, one that speaks nonsense, and one that refuses end the first connect in time", async (t) => {
  checkLeaks(t);
  const silent = await fakeNats(t, { info: () => false });
  const nonsense = await fakeNats(t, {
    info: () => ({}),
    line: (_l, socket) => void socket.write("GARBAGE\r\n"),
  });
  const refusing = await fakeNats(t, {
    line: (line, socket) => {
      if (line.startsWith("CONNECT")) socket.write("-ERR 'Maximum Connections Exceeded'\r\n");
      return false;
    },
  });
  // The others say what is wrong long before their time is over.
  for (const [server, timeout, cause] of [
    [silent, 200, /longer than 200 ms/],
    [nonsense, 60_000, /not NATS|GARBAGE|parse/i],
    [refusing, 60_000, /maximum connections/i],
  ] as const) {
    await assert.rejects(connect({ ...quick, servers: server.url, timeout }), (error: unknown) => {
      assert.ok(isHoldfastError(error));
      assert.match(error.message, cause);
      return true;
    });
    await until("no socket to be left", 10_000, () => server.open.size === 0);
  }
  for (const server of [silent, nonsense, refusing]) await server.close();
});

test("[nats 53]: garbage from a connected server ends the connection, with its cause, and delivers nothing; the link comes back", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url);
  let delivered = 0;
  nc.subscribe("x", { callback: () => void delivered++ });
  await nc.flush();
  for (const socket of server.open) socket.write("MSG x 1 2\r\nok\r\n");
  await nc.flush();
  assert.equal(delivered, 1);
  const lost = next(nc, "disconnected");
  const back = next(nc, "reconnected");
  for (const socket of server.open) socket.write("NONSENSE\r\nMSG x 1 2\r\nno\r\n");
  const { cause } = (await lost) as { cause: unknown };
  assert.ok(isHoldfastError(cause));
  assert.equal(cause.code, "HF_PROTOCOL");
  await back;
  await nc.flush();
  assert.equal(delivered, 1);
});

test("[nats 51] [nats 22] [nats 23]: the server's -ERR is the cause of the loss that follows; then it is retried until allowed", async (t) => {
  for (const text of [
    "Stale Connection",
    "maximum connections exceeded",
    "maximum account active connections exceeded",
  ]) {
    let refusals = 2;
    const server = await fakeNats(t, {
      line: (line, socket, n) => {
        if (n === 1 || !line.startsWith("CONNECT") || refusals-- <= 0) return;
        socket.end(`-ERR '${text}'\r\n`);
        return false;
      },
    });
    const nc = await connected(t, server.url);
    const lost = next(nc, "disconnected");
    const back = next(nc, "reconnected");
    for (const socket of server.open) socket.end(`-ERR '${text}'\r\n`);
    assert.match(String(((await lost) as { cause: unknown }).cause), new RegExp(text, "i"));
    await back;
    assert.equal(server.accepted(), 4);
    await nc.close();
  }
});

test("[nats 12]: the verbose protocol survives a reconnect", async (t) => {
  const server = await withNats(t);
  if (server === undefined) return;
  const nc = await connected(t, server.url, { verbose: true });
  let count = 0;
  nc.subscribe("v", { callback: () => void count++ });
  await lose(nc, () => server.kill9());
  await server.restart();
  const h = headers();
  h.set("k", "v");
  nc.publish("v", "x", { headers: h });
  await nc.flush();
  assert.equal(count, 1);
});

test("the first connect can be given up: by a signal, and by its limits; nothing is left", async (t) => {
  checkLeaks(t);
  const silent = await fakeNats(t, { info: () => false });
  const leave = new AbortController();
  const pending = connect({
    ...quick,
    servers: silent.url,
    waitOnFirstConnect: true,
    timeout: 60_000,
    resilience: { signal: leave.signal },
  });
  await until("the dial", 5_000, () => silent.accepted() === 1);
  leave.abort(new Error("the caller left"));
  await assert.rejects(pending, /the caller left/);
  await until("no socket to be left", 10_000, () => silent.open.size === 0);
  await silent.close();
  const limited = connect({
    ...quick,
    servers: silent.url,
    waitOnFirstConnect: true,
    maxReconnectAttempts: 3,
    reconnectTimeWait: 10,
  });
  await assert.rejects(limited, /ECONNREFUSED|refused/);
});

test("[nats 38] [nats 36] [nats 37]: given up after the attempts of every server, also when handshakes fail; each failure is told", async (t) => {
  const dead = await fakeNats(t);
  const live = await fakeNats(t, {
    line: (line, socket, n) => {
      if (n === 1 || !line.startsWith("CONNECT")) return;
      socket.destroy();
      return false;
    },
  });
  await dead.close();
  const nc = await connect({
    ...fromGoOptions({
      Servers: [live.url, dead.url],
      NoRandomize: true,
      ReconnectWait: 100,
      ReconnectJitter: 0,
      MaxReconnect: 3,
    }),
  });
  const failures: string[] = [];
  let waitsMs = 0;
  nc.resilience.on("attemptFailed", ({ endpoint, nextDelayMs }) => {
    failures.push(endpoint);
    waitsMs += nextDelayMs ?? 0;
  });
  for (const socket of live.open) socket.destroy();
  const why = await nc.closed();
  assert.ok(waitsMs > 0 && waitsMs <= 3 * 100, `${waitsMs} ms: one wait for each round`);
  assert.ok(isHoldfastError(why) || why instanceof Error);
  const of = (port: number) => failures.filter((endpoint) => endpoint.endsWith(`:${port}`)).length;
  assert.deepEqual([of(live.port), of(dead.port)], [3, 3]);
  assert.equal(live.accepted(), 4);
});

test("[nats 52]: an -ERR of no known meaning is told and ends nothing; where asked for it closes, as in nats.go", async (t) => {
  const server = await fakeNats(t);
  const say = (text: string): void => {
    for (const socket of server.open) socket.write(`-ERR '${text}'\r\n`);
  };
  const goesOn = await connected(t, server.url);
  const told = next(goesOn, "asyncError");
  say("Something New");
  await told;
  await goesOn.flush();
  assert.equal(goesOn.resilience.snapshot().connects, 1);
  await goesOn.close();

  const closes = await connected(t, server.url, { resilience: { unknownServerError: "close" } });
  for (const known of ['Permissions Violation for Publish to "a"', "maximum subscriptions exceeded"]) {
    const said = next(closes, "asyncError");
    say(known);
    await said;
  }
  await closes.flush();
  assert.equal(closes.resilience.snapshot().connects, 1, "an error of one operation ends nothing");
  say("Something New");
  assert.match(String(await closes.closed()), /something new/i);
  assert.equal(server.accepted(), 2);
});
