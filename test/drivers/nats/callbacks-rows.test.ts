/** nats.go's callbacks in the cases its own tests name: who is called, in which order, and who is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { constant } from "../../../src/backoff/index.ts";
import { connect, fromGoOptions, type NatsGoOptions } from "../../../src/drivers/nats/index.ts";
import { until } from "../../support/until.ts";
import { fakeNats, sayInfo } from "./fake-server.ts";
import { connected, next } from "./support.ts";

/** Every callback writes its name. */
function noting(lines: string[]): NatsGoOptions {
  const note = (name: string) => (): void => void lines.push(name);
  return {
    ConnectedCB: note("connected"),
    DisconnectedErrCB: note("disconnected"),
    ReconnectedCB: note("reconnected"),
    ReconnectErrCB: note("failed"),
    DiscoveredServersCB: note("discovered"),
    AsyncErrorCB: note("async"),
    LameDuckModeHandler: note("lame duck"),
    ClosedCB: note("closed"),
  };
}

const fast = { ReconnectWait: 10, ReconnectJitter: 0, NoRandomize: true } as const;

test("[nats 48] [nats 66]: connected for the first connection only, reconnected for later ones, neither for a first connect that fails", async (t) => {
  const lines: string[] = [];
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, fromGoOptions({ ...fast, ...noting(lines) }));
  for (let round = 0; round < 2; round++) {
    const back = next(nc, "reconnected");
    for (const socket of server.open) socket.destroy();
    await back;
  }
  await nc.close();
  await until("closed", 5_000, () => lines.at(-1) === "closed");
  assert.deepEqual(lines, [
    ...["connected", "disconnected", "reconnected", "disconnected", "reconnected"],
    ...["disconnected", "closed"],
  ]);

  const failed: string[] = [];
  const refusing = await fakeNats(t, {
    line: (line, socket) => {
      if (line.startsWith("CONNECT")) socket.end("-ERR 'Authorization Violation'\r\n");
      return false;
    },
  });
  await assert.rejects(connect(fromGoOptions({ Url: refusing.url, ...fast, ...noting(failed) })));
  await until("closed", 5_000, () => failed.at(-1) === "closed");
  assert.deepEqual(
    failed.filter((name) => name !== "async"),
    ["failed", "closed"],
  );
});

test("[nats 47] [nats 48] N24: a retried first connect: each failed attempt is told; given up, ClosedCB and nothing else; else ConnectedCB", async (t) => {
  const server = await fakeNats(t);
  await server.close();
  const lines: string[] = [];
  const errors: string[] = [];
  const nc = await connect({
    ...fromGoOptions({
      ...{ Url: server.url, ...fast, ...noting(lines), RetryOnFailedConnect: true, MaxReconnect: 3 },
      ReconnectErrCB: (_nc, error) => {
        lines.push("failed");
        errors.push(String(error));
      },
    }),
  });
  t.after(() => nc.close());
  await nc.closed();
  await until("closed", 5_000, () => lines.at(-1) === "closed");
  assert.deepEqual(lines, ["failed", "failed", "failed", "closed"]);
  for (const error of errors) assert.match(error, /refused/i);

  const later: string[] = [];
  const patient = await connect({
    ...fromGoOptions({
      Url: server.url,
      ...fast,
      ...noting(later),
      RetryOnFailedConnect: true,
      MaxReconnect: -1,
    }),
  });
  t.after(() => patient.close());
  await until("a failed attempt", 5_000, () => later.length > 0);
  const up = next(patient, "connected");
  const again = await fakeNats(t, {}, server.port);
  await up;
  const back = next(patient, "reconnected");
  for (const socket of again.open) socket.destroy();
  await back;
  await until("the callback", 5_000, () => later.at(-1) === "reconnected");
  assert.deepEqual(
    later.filter((name) => name !== "failed"),
    ["connected", "disconnected", "reconnected"],
  );
});

test("[nats 58]: a first connect that is retried and refused twice for the same reason closes, with it", async (t) => {
  const server = await fakeNats(t, {
    line: (line, socket) => {
      if (line.startsWith("CONNECT")) socket.end("-ERR 'Authorization Violation'\r\n");
      return false;
    },
  });
  const lines: string[] = [];
  const options = fromGoOptions({ ...fast, ...noting(lines), RetryOnFailedConnect: true, MaxReconnect: -1 });
  const nc = await connect({
    ...options,
    servers: server.url,
    resilience: { ...options.resilience, auth: { backoff: constant(10) } },
  });
  t.after(() => nc.close());
  assert.match(String(await nc.closed()), /authorization/i);
  await until("closed", 5_000, () => lines.at(-1) === "closed");
  assert.deepEqual(
    lines.filter((name) => name !== "async"),
    ["failed", "failed", "closed"],
  );
  assert.equal(server.accepted(), 2);
});

test("[nats 16]: NoCallbacksAfterClientClose: the owner's close calls nothing, a loss before it still does", async (t) => {
  const server = await fakeNats(t);
  const lines: string[] = [];
  const nc = await connected(
    t,
    server.url,
    fromGoOptions({ ...fast, ...noting(lines), NoCallbacksAfterClientClose: true }),
  );
  const back = next(nc, "reconnected");
  for (const socket of server.open) socket.destroy();
  await back;
  await until("the callback", 5_000, () => lines.at(-1) === "reconnected");
  await nc.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(lines, ["connected", "disconnected", "reconnected"]);

  const drained: string[] = [];
  const other = await connected(
    t,
    server.url,
    fromGoOptions({ ...fast, ...noting(drained), NoCallbacksAfterClientClose: true }),
  );
  await other.drain();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(drained, ["connected"]);
});

test("N8: DisconnectedCB alone is called for each loss and for the owner's close", async (t) => {
  const server = await fakeNats(t);
  const lines: string[] = [];
  const options = fromGoOptions({ ...fast, DisconnectedCB: () => void lines.push("disconnected") });
  const nc = await connected(t, server.url, options);
  const back = next(nc, "reconnected");
  for (const socket of server.open) socket.destroy();
  await back;
  await nc.close();
  await until("both", 5_000, () => lines.length === 2);
});

test("[nats 42] N12: async errors stand in the same queue: every callback waits for the one before, in the order of their causes", async (t) => {
  const server = await fakeNats(t);
  const lines: string[] = [];
  let inside = 0;
  const slow = (name: string) => async (): Promise<void> => {
    assert.equal(++inside, 1, "no two at a time");
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    lines.push(name);
    inside--;
  };
  const names = ["ConnectedCB", "DisconnectedErrCB", "ReconnectedCB", "AsyncErrorCB", "ClosedCB"] as const;
  const callbacks = Object.fromEntries(names.map((name) => [name, slow(name)]));
  const nc = await connected(t, server.url, fromGoOptions({ ...fast, ...callbacks }));
  const back = next(nc, "reconnected");
  for (const socket of server.open) socket.destroy();
  await back;
  for (const subject of ["a", "b"]) {
    const told = next(nc, "asyncError");
    for (const socket of server.open)
      socket.write(`-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`);
    await told;
  }
  await nc.close();
  await until("the last", 5_000, () => lines.at(-1) === "ClosedCB");
  assert.deepEqual(lines, [
    ...["ConnectedCB", "DisconnectedErrCB", "ReconnectedCB", "AsyncErrorCB", "AsyncErrorCB"],
    ...["DisconnectedErrCB", "ClosedCB"],
  ]);
});

test("[nats 55] [nats 70] [nats 40] N11: discovered servers are told when they join later, not at the first connect, nor when they come back; a lame duck after them", async (t) => {
  const server = await fakeNats(t, { info: (n) => (n === 1 ? { connect_urls: ["127.0.0.1:11"] } : {}) });
  const lines: string[] = [];
  const nc = await connected(t, server.url, fromGoOptions({ ...fast, ...noting(lines) }));
  await nc.flush();
  assert.deepEqual(lines, ["connected"]);
  sayInfo(server, { connect_urls: ["127.0.0.1:11", "127.0.0.1:12"] });
  await until("the callback", 5_000, () => lines.length === 2);
  sayInfo(server, { connect_urls: ["127.0.0.1:11"] }); // one went: nothing new
  await nc.flush();
  assert.deepEqual(lines, ["connected", "discovered"]);
  sayInfo(server, { connect_urls: ["127.0.0.1:11", "127.0.0.1:12"] }); // it came back: not new either
  await nc.flush();
  assert.equal(nc.getServers().length, 3);
  assert.deepEqual(lines, ["connected", "discovered"]);
  const failover = next(nc, "lameDuck");
  sayInfo(server, { ldm: true, connect_urls: ["127.0.0.1:11", "127.0.0.1:13"] });
  await failover;
  await until("the callback", 5_000, () => lines.includes("lame duck"));
  assert.deepEqual(lines.slice(0, 4), ["connected", "discovered", "discovered", "lame duck"]);
});

test("[nats 70]: a lame duck without another server is told and stayed with until it goes", async (t) => {
  const server = await fakeNats(t);
  const lines: string[] = [];
  const nc = await connected(t, server.url, fromGoOptions({ ...fast, ...noting(lines) }));
  const types: string[] = [];
  void (async () => {
    for await (const { type } of nc.status()) types.push(type);
  })();
  sayInfo(server, { ldm: true });
  await until("the callback", 5_000, () => lines.includes("lame duck"));
  await nc.flush();
  assert.equal(nc.resilience.snapshot().connects, 1);
  assert.deepEqual(types, ["ldm"]);
});

test("a failed attempt is told with its endpoint, number, cause and what comes next", async (t) => {
  const server = await fakeNats(t);
  const nc = await connected(t, server.url, {
    ...{
      maxReconnectAttempts: 3,
      reconnectTimeWait: 150,
      reconnectJitter: 0,
      resilience: { stableAfterMs: 0 },
    },
  });
  const seen: unknown[] = [];
  nc.resilience.on("attemptFailed", ({ endpoint, attempt, cause, linkClass, nextDelayMs }) => {
    assert.match(String(cause), /refused/i);
    seen.push([endpoint, attempt, linkClass, nextDelayMs]);
  });
  await server.close();
  await nc.closed();
  const id = `127.0.0.1:${server.port}`;
  assert.deepEqual(seen, [
    [id, 1, "transient", 150],
    [id, 2, "transient", 150],
    [id, 3, "transient", undefined],
  ]);
});

test("a first connect that is waited for tells its progress: each failed attempt with its cause, then connected", async (t) => {
  const server = await fakeNats(t);
  await server.close();
  const lines: string[] = [];
  const options = fromGoOptions({ ...fast, ...noting(lines), Url: server.url, MaxReconnect: -1 });
  const waiting = connect({
    ...options,
    resilience: { ...options.resilience, retryInitial: true },
    waitOnFirstConnect: true,
  });
  await until("two failed attempts", 5_000, () => lines.length >= 2);
  await fakeNats(t, {}, server.port);
  const nc = await waiting;
  t.after(() => nc.close());
  await until("connected", 5_000, () => lines.at(-1) === "connected");
  assert.deepEqual(new Set(lines.slice(0, -1)), new Set(["failed"]));
});
