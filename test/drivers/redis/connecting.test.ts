/** From the first dial to ready: deadlines, credentials, the library's options, and what is left behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../../src/drivers/redis/index.ts";
import { until } from "../../support/until.ts";
import { fakeServer } from "./fake-server.ts";
import { next, quick, rigFor } from "./rig.ts";

test("a silent handshake is ended by the deadline, and leaves no socket at the server", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await using _silent = await rig.proxy.fault({ kind: "blackHole", direction: "down" });
  const client = rig.client({ resilience: { ...quick, connectTimeoutMs: 500 } });
  await assert.rejects(
    client.connect(),
    (error: Error & { code: string; cause: Error & { step: string } }) => {
      assert.equal(error.code, "HF_CONNECT");
      assert.equal(error.cause.step, "handshake");
      return true;
    },
  );
  assert.equal(client.isOpen, false);
  await until("no connection at the server", 10_000, async () => (await rig.server.connectionCount()) === 0);
});

test("nobody there: connect fails at once by default, and waits with retryInitial", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const client = rig.client();
  await assert.rejects(client.connect(), { code: "HF_CONNECT" });
  const patient = rig.client({ resilience: { ...quick, retryInitial: true } });
  const connected = patient.connect();
  await next(patient, "attemptFailed");
  const call = patient.set("k", "v");
  await refuse.undo();
  await connected;
  assert.equal(await call, "OK");
});

test("lazy: a call is what makes it connect", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const client = rig.client({ resilience: { ...quick, lazy: true } });
  assert.equal(rig.proxy.connections().length, 0);
  assert.equal(await client.set("k", "v"), "OK");
  assert.equal(rig.proxy.connections().length, 1);
});

test("credentials are asked for anew at each attempt; a refused password is of class auth", async (t) => {
  const rig = await rigFor(t, { password: "first" });
  if (rig === undefined) return;
  let password = "first";
  let asked = 0;
  const client = rig.client({
    credentialsProvider: {
      type: "async-credentials-provider",
      credentials: async () => {
        asked++;
        return { password };
      },
    },
  });
  await client.connect();
  await client.configSet("requirepass", "second");
  password = "second";
  const back = next(client, "reconnected");
  rig.proxy.cut("rst");
  await back;
  assert.equal(asked, 2);
  const wrong = rig.client({ password: "wrong" });
  const classes: string[] = [];
  wrong.resilience.on("attemptFailed", ({ linkClass }) => classes.push(linkClass));
  await assert.rejects(wrong.connect(), (error: Error) => !error.message.includes("wrong-"));
  assert.deepEqual(classes, ["auth"]);
});

test("the library's socket options are honoured: connectTimeout, reconnectStrategy", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const { host, port } = rig.proxy;
  const retries: number[] = [];
  const reconnectStrategy = (n: number): number => {
    retries.push(n);
    return 20;
  };
  const client = createClient({ socket: { host, port, reconnectStrategy }, resilience: { minDialGapMs: 0 } });
  await client.connect();
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  rig.proxy.cut("fin");
  await until("three waits", 10_000, () => retries.length >= 3);
  await refuse.undo();
  await client.resilience.whenReady();
  assert.deepEqual(retries.slice(0, 3), [1, 2, 3]);
  const ended = next(client, "closed");
  await client.close();
  await ended;
  const once = createClient({ socket: { host, port, reconnectStrategy: false } });
  await once.connect();
  const closed = next(once, "closed");
  rig.proxy.cut("rst");
  await closed;
  assert.equal(once.isOpen, false);
});

test("wrong resilience options are refused before anything is dialled", () => {
  const make = (resilience: object): unknown => createClient({ resilience });
  assert.throws(() => make({ conectTimeoutMs: 5 }), /did you mean "connectTimeoutMs"/);
  assert.throws(() => make({ endpoints: ["http://x"] }), /resilience\.endpoints\[0\]/);
  for (const wrong of ["x:99999", "redis://x:0/", "[::1]:65536"])
    assert.throws(() => make({ endpoints: [wrong] }), /endpoints\[0\].*its port \d+ is not from 1 to 65535/);
  assert.throws(
    () => make({ endpoints: ["x", { host: "x", port: 70_000 }] }),
    /option "resilience\.endpoints\[1\]\.port" is 70000, but must be a whole number from 1 to 65535/,
  );
  assert.throws(
    () => make({ endpoints: ["redis://u:secret@x:1"] }),
    (error: Error) => {
      assert.match(error.message, /without credentials/);
      return !error.message.includes("secret");
    },
  );
});

test("a server that greets with 'max number of clients' is tried again", async () => {
  await using full = await fakeServer(() => undefined, "-ERR max number of clients reached\r\n");
  await using free = await fakeServer(() => undefined);
  const client = createClient({
    resilience: { ...quick, order: "given", endpoints: [`127.0.0.1:${full.port}`, `127.0.0.1:${free.port}`] },
  });
  const classes: string[] = [];
  client.resilience.on("attemptFailed", ({ linkClass }) => classes.push(linkClass));
  await client.connect();
  assert.deepEqual(classes, ["transient"]);
  await client.close();
});

test("closed in any state: while dialling, in back-off, twice; every wait ends", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const refuse = await rig.proxy.fault({ kind: "refuse" });
  const waiting = rig.client({
    resilience: { retryInitial: true, backoff: { minMs: 60_000, baseMs: 60_000, capMs: 60_001 } },
  });
  const connecting = waiting.connect();
  await next(waiting, "attemptFailed");
  const call = waiting.get("k");
  waiting.destroy();
  waiting.destroy();
  await assert.rejects(connecting, { code: "HF_CLOSED" });
  await assert.rejects(call, { code: "HF_CLOSED", outcome: "not-applied" });
  await refuse.undo();
  const dialling = rig.client();
  const dialled = dialling.connect();
  dialling.destroy();
  await assert.rejects(dialled, { code: "HF_CLOSED" });
  await until("no connection", 10_000, () => rig.proxy.connections().length === 0);
});
