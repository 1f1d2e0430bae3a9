import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { type DialPlan, dialSocket, type Lookup } from "../../../src/drivers/tcp/index.ts";
import { shareLookups } from "../../../src/drivers/tcp/resolve.ts";
import { faultProxy, testAuthority } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { bareServer, deadPort, until } from "./support.ts";

function lookupOf(...addresses: string[]): Lookup {
  return async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

/** A dial whose sockets are all counted. */
function counted(t: TestContext, plan: Partial<DialPlan> & { port: number }) {
  const cleanUp = checkLeaks(t);
  const sockets: Socket[] = [];
  const steps: string[] = [];
  const abort = new AbortController();
  const dial = (): Promise<Socket> =>
    dialSocket({
      host: "some.invalid",
      signal: abort.signal,
      opened: (socket) => void sockets.push(socket),
      step: (name) => void steps.push(name),
      ...plan,
    });
  cleanUp(() => sockets.forEach((socket) => void socket.destroy()));
  return { cleanUp, sockets, steps, abort, dial };
}

test("every address refused: an AggregateError with one cause each, and a message that says so", async (t) => {
  const port = await deadPort();
  const { dial, sockets, steps } = counted(t, { port, lookup: lookupOf("127.0.0.1", "127.0.0.2") });
  await assert.rejects(dial(), (error) => {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map((one) => [one.code, one.address]),
      [
        ["ECONNREFUSED", "127.0.0.1"],
        ["ECONNREFUSED", "127.0.0.2"],
      ],
    );
    assert.match(error.message, /every address of some\.invalid failed .*127\.0\.0\.1.*127\.0\.0\.2/);
    return true;
  });
  assert.deepEqual(steps, ["resolve", "tcp", "tcp"]);
  assert.ok(sockets.every((socket) => socket.destroyed));
});

test("a silent address costs its head start, not the attempt, and is left when another answers", async (t) => {
  // The frozen proxy's backlog is full: a connect to it hangs, as to a black hole.
  const live = await bareServer(() => {}, { host: "127.0.0.2" });
  const frozen = await faultProxy({ upstream: { host: "127.0.0.2", port: live.port }, port: live.port });
  const { dial, sockets, cleanUp } = counted(t, {
    port: live.port,
    lookup: lookupOf("127.0.0.1", "127.0.0.2"),
    staggerMs: 30,
  });
  cleanUp(() => live[Symbol.asyncDispose]());
  cleanUp(() => frozen.close());
  await frozen.fault({ kind: "freeze" });
  const startMs = systemClock.nowMs();
  const socket = await dial();
  const tookMs = systemClock.nowMs() - startMs;
  assert.equal(socket.remoteAddress, "127.0.0.2");
  assert.ok(tookMs >= 28 && tookMs < 20_000, `took ${tookMs} ms`);
  assert.equal(sockets.filter((one) => !one.destroyed).length, 1);
});

test("a slow first address still wins when it answers: nothing is aborted after 250 ms", async (t) => {
  // Both are silent at first; Node's own racing would have given the first one up for good.
  const server = await bareServer(() => {}, { host: "127.0.0.1" });
  const proxy = await faultProxy({ upstream: { host: "127.0.0.1", port: server.port } });
  const authority = await testAuthority();
  const pair = await authority.leaf({ names: ["some.invalid"] });
  const slow = createTlsServer(pair);
  slow.listen(0, "127.0.0.1");
  await once(slow, "listening");
  proxy.upstream = { host: "127.0.0.1", port: (slow.address() as { port: number }).port };
  const { dial, steps, cleanUp } = counted(t, {
    port: proxy.port,
    lookup: lookupOf("127.0.0.1", "127.0.0.3"), // nobody listens at the second
    staggerMs: 20,
    tls: { ca: authority.cert },
  });
  slow.on("connection", (socket: Socket) => cleanUp(() => socket.destroy()));
  cleanUp(() => slow.close());
  cleanUp(() => server[Symbol.asyncDispose]());
  cleanUp(() => proxy.close());
  await proxy.fault({ kind: "slowFirstByte", direction: "down", delayMs: 400 });
  const startMs = systemClock.nowMs();
  const socket = await dial();
  assert.ok(systemClock.nowMs() - startMs >= 390);
  assert.equal(socket.remoteAddress, "127.0.0.1");
  assert.deepEqual(steps.slice(0, 3), ["resolve", "tcp", "tls"]);
});

test("an abort ends a hanging connect at once, with its own reason, and leaves no socket", async (t) => {
  const proxy = await faultProxy({ upstream: { host: "127.0.0.1", port: 1 } });
  const { dial, abort, sockets, cleanUp } = counted(t, { port: proxy.port, lookup: lookupOf("127.0.0.1") });
  cleanUp(() => proxy.close());
  await proxy.fault({ kind: "freeze" });
  const dialed = dial();
  await until("a socket", () => sockets.length > 0);
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(dialed, (error) => error === reason);
  assert.equal(sockets[0]?.destroyed, true);
});

test("an abort ends a TLS handshake nobody answers, and one that waits for its name", async (t) => {
  const server = await bareServer();
  const { dial, abort, steps, cleanUp } = counted(t, {
    port: server.port,
    lookup: lookupOf("127.0.0.1"),
    tls: {},
  });
  cleanUp(() => server[Symbol.asyncDispose]());
  const dialed = dial();
  await until("the TLS step", () => steps.includes("tls"));
  abort.abort(new Error("enough"));
  await assert.rejects(dialed, /enough/);
  await until("no connection at the server", () => server.live() === 0);

  const second = new AbortController();
  const never = new Promise<never>(() => {});
  const waiting = dialSocket({ host: "x.invalid", port: 1, signal: second.signal, lookup: () => never });
  second.abort(new Error("no name"));
  await assert.rejects(waiting, /no name/);
  await assert.rejects(dialSocket({ host: "x", port: 1, signal: second.signal }), /no name/);
});

test("the families take turns", async (t) => {
  const port = await deadPort();
  const lookup = lookupOf("127.0.0.1", "127.0.0.2", "::1");
  const { dial } = counted(t, { port, lookup });
  await assert.rejects(dial(), (error) => {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map((one) => one.address),
      ["127.0.0.1", "::1", "127.0.0.2"],
    );
    return true;
  });
});

test("a hanging lookup is shared by all that ask for the name, and asked anew once it is over", async () => {
  const asked: { host: string; answer: (addresses: { address: string; family: number }[]) => void }[] = [];
  const lookup = shareLookups((host) => new Promise((answer) => void asked.push({ host, answer })));
  const attempts = [lookup("a"), lookup("a"), lookup("b"), lookup("a")];
  assert.deepEqual(
    asked.map(({ host }) => host),
    ["a", "b"],
  );
  for (const { answer } of asked) answer([{ address: "127.0.0.1", family: 4 }]);
  assert.equal((await Promise.all(attempts)).length, 4);
  const failed = lookup("a");
  assert.equal(asked.length, 3);
  asked[2]?.answer([]);
  assert.deepEqual(await failed, []);
});

test("TLS: the certificate is verified against the name asked for, unless told not to", async (t) => {
  const authority = await testAuthority();
  const server = createTlsServer(await authority.leaf({ names: ["right.invalid"] }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const { cleanUp } = counted(t, { port });
  const ends: Promise<unknown>[] = [];
  server.on("connection", (socket: Socket) => ends.push(once(socket, "close")));
  cleanUp(async () => {
    server.close();
    await Promise.all(ends);
  });
  const code = async (tls: DialPlan["tls"], host = "right.invalid"): Promise<unknown> => {
    const plan = { host, port, signal: new AbortController().signal, lookup: lookupOf("127.0.0.1") };
    try {
      (await dialSocket({ ...plan, ...(tls && { tls }) } as DialPlan)).destroy();
      return "secure";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };
  const ca = authority.cert;
  assert.equal(await code({ ca }), "secure");
  assert.equal(await code({ ca }, "wrong.invalid"), "ERR_TLS_CERT_ALTNAME_INVALID");
  assert.equal(await code({ ca, serverName: "right.invalid" }, "wrong.invalid"), "secure");
  assert.equal(await code({ ca }, "127.0.0.1"), "ERR_TLS_CERT_ALTNAME_INVALID");
  assert.match(String(await code({})), /UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)/);
  assert.equal(await code({ rejectUnauthorized: false }), "secure");
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  try {
    assert.notEqual(await code({}), "secure", "an environment variable is not saying it outright");
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
});

test("TCP keepalive is on, and small writes go at once, unless told otherwise", async (t) => {
  const seen: unknown[] = [];
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const { cleanUp } = counted(t, { port });
  server.on("connection", (socket) => cleanUp(() => socket.destroy()));
  cleanUp(() => server.close());
  const { Socket } = await import("node:net");
  t.mock.method(Socket.prototype, "connect", function (this: Socket, ...args: unknown[]) {
    const [options] = (Array.isArray(args[0]) ? args[0] : args) as [Record<string, unknown>];
    seen.push([options.keepAlive, options.keepAliveInitialDelay, options.noDelay, options.autoSelectFamily]);
    this.destroy();
    return this;
  });
  const signal = new AbortController().signal;
  await dialSocket({ host: "127.0.0.1", port, signal }).catch(() => {});
  await dialSocket({ host: "127.0.0.1", port, signal, tcpKeepAliveMs: 5_000, noDelay: false }).catch(
    () => {},
  );
  await dialSocket({ host: "127.0.0.1", port, signal, tcpKeepAliveMs: false }).catch(() => {});
  assert.deepEqual(seen, [
    [true, 15_000, true, false],
    [true, 5_000, false, false],
    [undefined, undefined, true, false],
  ]);
});
