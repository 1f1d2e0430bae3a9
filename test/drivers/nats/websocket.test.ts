import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { isHoldfastError } from "../../../src/call/index.ts";
import { connect, type WebSocketFactory, wsconnect } from "../../../src/drivers/nats/index.ts";
import type { RunningServer } from "../../../src/lab/index.ts";
import { freePort } from "../../../src/lab/servers/port.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { until } from "../../support/until.ts";
import { certificate } from "./certificates.ts";
import { connected, lose, next, quick, withNats } from "./support.ts";

/** The package `ws`, as docs/nats.md shows it. */
const wsFactory: WebSocketFactory = async (url) => ({
  socket: new WebSocket(url),
  encrypted: url.startsWith("wss:"),
});

interface Member {
  readonly server: RunningServer;
  readonly id: string;
}

/** Two servers that know each other and listen for WebSocket clients. */
async function pair(t: Parameters<typeof withNats>[0]): Promise<[Member, Member] | undefined> {
  const routes = [await freePort(), await freePort()];
  const members: Member[] = [];
  for (const route of routes) {
    const port = await freePort();
    const server = await withNats(t, {
      websocket: { port },
      config: {
        cluster: `{ name: pair, host: "127.0.0.1", port: ${route}, routes: [${routes.map((each) => `"nats://127.0.0.1:${each}"`).join(", ")}] }`,
      },
    });
    if (server === undefined) return undefined;
    members.push({ server, id: `127.0.0.1:${port}` });
  }
  return members as [Member, Member];
}

test("[nats 72]: WebSocket: a server learned by gossip is reached when the given one is killed; what was held arrives, byte by byte", async (t) => {
  const members = await pair(t);
  if (members === undefined) return;
  const [first, second] = members;
  const nc = await connected(t, `ws://${first.id}`, { wsFactory, resilience: { stableAfterMs: 0 } });
  await until("gossip", 10_000, () => nc.getServers().some(({ listen }) => listen === second.id));
  assert.deepEqual(
    nc.getServers().map(({ listen, src, gossiped }) => [listen, src, gossiped]),
    [
      [first.id, `ws://${first.id}/`, false],
      [second.id, `ws://${second.id}/`, true],
    ],
  );
  const seen: Uint8Array[] = [];
  nc.subscribe("bytes", { callback: (_e, msg) => void seen.push(msg.data.slice()) });
  const payloads = Array.from({ length: 50 }, (_, i) =>
    Uint8Array.from({ length: i * 40 }, (_x, j) => (i + j) % 256),
  );
  for (const payload of payloads.slice(0, 25)) nc.publish("bytes", payload);
  await nc.flush();
  const lost = next(nc, "disconnected");
  const back = next(nc, "reconnected");
  await first.server.kill9();
  await lost;
  for (const payload of payloads.slice(25)) nc.publish("bytes", payload);
  await back;
  assert.equal(nc.getServer(), second.id);
  await nc.flush();
  assert.deepEqual(seen, payloads);
  nc.setServers([second.id]);
  assert.equal(nc.getServers()[0]?.src, `ws://${second.id}/`);
  assert.throws(() => nc.setServers(["nats://127.0.0.1:1"]), /WebSocket servers/);
});

test("wss: by the owner's factory with its certificate; a stranger's certificate is refused; kill -9 and restart", async (t) => {
  const { ca, certFile, keyFile } = await certificate(t);
  const port = await freePort();
  const server = await withNats(t, { websocket: { port, certFile, keyFile } });
  if (server === undefined) return;
  await assert.rejects(
    connect({ ...quick, servers: `wss://localhost:${port}`, wsFactory }),
    /certificate|self-signed|issuer/i,
  );
  const trusting: WebSocketFactory = async (url) => ({
    socket: new WebSocket(url, { ca }),
    encrypted: true,
  });
  // `wsconnect`, as the library names it: a server without a scheme is a secure one.
  const nc = await wsconnect({ ...quick, servers: `localhost:${port}`, wsFactory: trusting });
  t.after(() => nc.close());
  await lose(nc, () => server.kill9());
  const answer = nc.request("echo", "hello", { timeout: 20_000 });
  nc.subscribe("echo", { callback: (_e, msg) => void msg.respond(msg.data) });
  await server.restart();
  assert.equal((await answer).string(), "hello");
  assert.throws(() => nc.setServers(["ws://a", "nats://b"]), /not both/);
});

test("an upgrade that is never answered ends with the attempt; no socket is left, also of a factory that was late", async (t) => {
  const cleanUp = checkLeaks(t);
  const open = new Set<Socket>();
  const silent = createServer((socket) => {
    open.add(socket);
    socket
      .on("error", () => {})
      .on("close", () => open.delete(socket))
      .resume();
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  cleanUp(() => silent.close());
  const { port } = silent.address() as { port: number };
  const servers = `ws://127.0.0.1:${port}`;
  await assert.rejects(connect({ servers, wsFactory, timeout: 500 }), (error: unknown) => {
    assert.ok(isHoldfastError(error));
    assert.match(error.message, /500 ms \(websocket\)/);
    return true;
  });
  await until("no socket to be left", 10_000, () => open.size === 0);

  let release: (() => void) | undefined;
  const late: WebSocketFactory = async (url, options) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return wsFactory(url, options);
  };
  await assert.rejects(connect({ servers, wsFactory: late, timeout: 100 }), /100 ms/);
  release?.();
  await until("no socket to be left", 10_000, () => open.size === 0);
});

test("a factory that throws fails the attempt, and is asked again", async (t) => {
  const port = await freePort();
  const server = await withNats(t, { websocket: { port } });
  if (server === undefined) return;
  let calls = 0;
  const flaky: WebSocketFactory = async (url, options) => {
    if (++calls === 2) throw new Error("no WebSocket today");
    return wsFactory(url, options);
  };
  const nc = await connected(t, `ws://127.0.0.1:${port}`, { wsFactory: flaky });
  const failed = next(nc, "attemptFailed");
  const back = next(nc, "reconnected");
  await nc.reconnect();
  assert.match(String(((await failed) as { cause: unknown }).cause), /no WebSocket today/);
  await back;
  assert.equal(calls, 3);
});

test("without a factory the platform's WebSocket is used; where there is none an error says what to do, before a dial", async (t) => {
  const port = await freePort();
  const server = await withNats(t, { websocket: { port } });
  if (server === undefined) return;
  const servers = `ws://127.0.0.1:${port}`;
  const platform = globalThis as { WebSocket?: unknown };
  const before = platform.WebSocket;
  t.after(() => {
    platform.WebSocket = before;
  });
  platform.WebSocket = undefined;
  await assert.rejects(
    connect({ servers }),
    (error: unknown) =>
      isHoldfastError(error) && error.code === "HF_OPTION" && /wsFactory.*package ws/.test(error.message),
  );
  await assert.rejects(connect({ servers, wsFactory, tls: {} }), /"tls" is refused/);
  platform.WebSocket = WebSocket;
  const nc = await connected(t, servers);
  await nc.flush();
});
