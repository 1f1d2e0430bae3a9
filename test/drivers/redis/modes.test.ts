/** Other ways to use a connection: TLS, a Unix socket, MONITOR, RESET, client-side caching, raw transactions. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createServer } from "node:tls";
import { createClient, WatchError } from "../../../src/drivers/redis/index.ts";
import { testAuthority } from "../../../src/lab/index.ts";
import { until } from "../../support/until.ts";
import { next, quick, rigFor } from "./rig.ts";

test("TLS: handshake, reconnect, and a certificate that is not trusted", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const authority = await testAuthority();
  const { key, cert } = await authority.leaf();
  const terminator = createServer({ key, cert }, (secure) => {
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
  const { port } = terminator.address() as AddressInfo;
  rig.proxy.upstream = { host: "127.0.0.1", port };

  const socket = { host: rig.proxy.host, port: rig.proxy.port, tls: true, ca: authority.cert } as const;
  const client = rig.client({ socket });
  await client.connect();
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  assert.equal(await client.set("k", "v"), "OK");

  const stranger = rig.client({ socket: { ...socket, ca: [] } });
  const classes: string[] = [];
  stranger.resilience.on("attemptFailed", ({ linkClass }) => classes.push(linkClass));
  await assert.rejects(stranger.connect(), { code: "HF_CONNECT" });
  assert.deepEqual(classes, ["endpoint"]);

  const silent = await rig.proxy.fault({ kind: "blackHole", direction: "down", applyTo: "new" });
  const waiting = rig.client({ socket, resilience: { ...quick, connectTimeoutMs: 500 } });
  await assert.rejects(
    waiting.connect(),
    (error: Error & { cause: { step: string } }) => error.cause.step === "tls",
  );
  await silent.undo();
  await client.close();
  rig.proxy.cut("rst");
  terminator.close();
  await once(terminator, "close");
});

test("a Unix socket is an endpoint like any other", async (t) => {
  const path = join("/tmp", `holdfast-${process.pid}-${t.name.length}.sock`);
  const rig = await rigFor(t, { config: { unixsocket: path } });
  if (rig === undefined) return;
  t.after(() => rm(path, { force: true })); // a killed server leaves it
  const client = rig.client({ socket: { path, tls: false } });
  await client.connect();
  const back = next(client, "reconnected");
  client.resilience.reconnectNow();
  await back;
  assert.equal(await client.ping(), "PONG");
  assert.match(client.resilience.explain(), /ready on .*\.sock/);
});

test("RESP 2: a subscribed connection is probed, restored and used for nothing else", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const socket = { host: rig.proxy.host, port: rig.proxy.port };
  const client = createClient({
    RESP: 2,
    socket,
    resilience: { ...quick, liveness: { idleProbeMs: 30, probeTimeoutMs: 5_000 } },
  });
  await client.connect();
  const heard: string[] = [];
  await client.subscribe("a", (message) => heard.push(message));
  await client.pSubscribe("b*", (message) => heard.push(message));
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  let lost = 0;
  client.resilience.on("disconnected", () => lost++);
  const direct = await rig.direct();
  const delivered = async (): Promise<number> =>
    (await direct.publish("a", "1")) + (await direct.publish("b1", "2"));
  assert.equal(await delivered(), 2);
  await until("both, and some probes", 2_000, async () => {
    const me = (await direct.clientList()).find(({ sub }) => sub === 1);
    return heard.length === 2 && me?.cmd === "ping";
  });
  assert.equal(lost, 0);
  await client.unsubscribe();
  await client.pUnsubscribe();
  assert.equal(await client.get("k"), null);
  await client.close();
});

test("MONITOR goes on after a loss", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({
    resilience: { ...quick, liveness: { idleProbeMs: 30, probeTimeoutMs: 5_000 } },
  });
  await client.connect();
  const seen: string[] = [];
  await client.monitor((line) => seen.push(String(line)));
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  const direct = await rig.direct();
  await until("it is seen", 10_000, async () => {
    await direct.set("watched", "1");
    return seen.some((line) => line.includes('"watched"'));
  });
});

test("reset forgets the session: nothing of it is restored", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  await client.select(2);
  await client.subscribe("a", () => {});
  await client.reset();
  assert.equal(client.isPubSubActive, false);
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  const { db, sub } = await client.clientInfo();
  assert.deepEqual([db, sub], [0, 0]);
});

test("client-side caching: invalidated across connections, and emptied at a loss", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ RESP: 3, clientSideCache: { ttl: 0, maxEntries: 100 } });
  await client.connect();
  const direct = await rig.direct();
  await direct.set("k", "1");
  assert.equal(await client.get("k"), "1");
  await direct.set("k", "2");
  await until("invalidated", 10_000, async () => (await client.get("k")) === "2");
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const lost = next(client, "disconnected");
  rig.proxy.cut("rst");
  await lost;
  await direct.set("k", "3");
  const read = client.get("k");
  await refuse.undo();
  assert.equal(await read, "3");
});

test("a MULTI sent as plain commands belongs to its connection: after a loss EXEC fails, nothing moves", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  assert.equal(await client.sendCommand(["MULTI"]), "OK");
  assert.equal(await client.sendCommand(["SET", "k", "1"]), "QUEUED");
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  await assert.rejects(client.sendCommand(["EXEC"]), WatchError);
  assert.equal(await client.get("k"), null);
  await client.sendCommand(["MULTI"]);
  await client.sendCommand(["SET", "k", "1"]);
  assert.deepEqual(await client.sendCommand(["EXEC"]), ["OK"]);
});

test("a plain transaction issued in one go is never torn apart, nor run after a WATCH that was lost", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  const send = (...words: string[]): Promise<unknown> => client.sendCommand(words);
  const burst = [
    send("MULTI"),
    send("SET", "a", "1"),
    send("INCR", "b"),
    send("EXEC"),
    send("SET", "c", "1"),
  ];
  client.resilience.reconnectNow(); // all of them are unsent, and all but the last belong together
  const results = await Promise.allSettled(burst);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected", "rejected", "rejected", "fulfilled"],
  );
  assert.deepEqual(await client.mGet(["a", "b", "c"]), [null, null, "1"]);

  await send("WATCH", "a");
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  await assert.rejects(send("MULTI"), WatchError);
  assert.equal(await send("SET", "a", "2"), "OK", "no MULTI stands open");
});

test("a SELECT inside MULTI counts", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client();
  await client.connect();
  await client.multi().select(4).set("k", "v").exec();
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  assert.equal(await client.get("k"), "v");
});

test("the caller's options are not written to, and a password is in no message", async (t) => {
  const rig = await rigFor(t, { password: "pa55word" });
  if (rig === undefined) return;
  const options = Object.freeze({
    socket: Object.freeze({ host: rig.proxy.host, port: rig.proxy.port }),
    username: "default",
    password: "not-pa55word",
  });
  const client = createClient({ ...options, resilience: quick });
  const told: string[] = [];
  client.on("error", (error) => told.push(String(error), JSON.stringify(error)));
  await assert.rejects(
    client.connect(),
    (error: Error) => !told.push(error.message, JSON.stringify(error)) || true,
  );
  told.push(client.resilience.explain(), JSON.stringify(client.resilience.snapshot()));
  assert.ok(told.length > 3);
  assert.deepEqual(
    told.filter((text) => text.includes("pa55word")),
    [],
  );
});
