import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect as bareConnect } from "@nats-io/transport-node";
import { connect, fromGoOptions, type NatsConnectOptions } from "../../../src/drivers/nats/index.ts";
import { testAuthority } from "../../../src/lab/tls/index.ts";
import { withServer } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { certificate } from "./certificates.ts";
import { fakeNats } from "./fake-server.ts";
import { connected, lose, next, quick, withNats } from "./support.ts";

test("TLS that the server demands, by certificate and name; it survives kill -9, and a stranger's certificate is refused", async (t) => {
  const { ca, certFile, keyFile } = await certificate(t);
  const server = await withNats(t, {
    config: { tls: `{ cert_file: "${certFile}", key_file: "${keyFile}" }` },
  });
  if (server === undefined) return;

  await assert.rejects(
    connect({ ...quick, servers: server.url, reconnect: false }),
    /certificate|self-signed|issuer/i,
  );

  // By name, because an address has no SNI; server-demanded, so no tls:// in the URL.
  const nc = await connected(t, `nats://localhost:${server.port}`, { tls: { ca } });
  const seen: string[] = [];
  nc.subscribe("t", { callback: (_e, msg) => void seen.push(msg.string()) });
  await nc.flush();
  await lose(nc, () => server.kill9());
  nc.publish("t", "held");
  await server.restart();
  await nc.flush();
  assert.deepEqual(seen, ["held"]);
});

test("[nats 58]: TLS that fails is told and tried again, also at a retried first connect, until the server's certificate is right", async (t) => {
  const { ca, certFile, keyFile } = await certificate(t);
  const other = await certificate(t);
  const tls = (with_: { certFile: string; keyFile: string }): string =>
    `{ cert_file: "${with_.certFile}", key_file: "${with_.keyFile}" }`;
  const wrong = await withNats(t, { config: { tls: tls(other) } });
  if (wrong === undefined) return;
  const errors: string[] = [];
  const nc = await connected(t, `nats://localhost:${wrong.port}`, {
    ...fromGoOptions({
      RetryOnFailedConnect: true,
      ReconnectWait: 20,
      MaxReconnect: -1,
      TLSConfig: { ca },
      ReconnectErrCB: (_nc, error) => void errors.push(String(error)),
    }),
  });
  await until("three refusals", 5_000, () => errors.length >= 3);
  assert.match(errors[0] as string, /certificate|issuer/i);
  const right = await withNats(t, { config: { tls: tls({ certFile, keyFile }) } });
  const back = next(nc, "connected");
  nc.setServers([`localhost:${right?.port}`]);
  await back;
});

test("a certificate must carry the name or the address that was dialled", async (t) => {
  const { ca, certFile, keyFile } = await certificate(t, ["localhost"]);
  const server = await withNats(t, {
    config: { tls: `{ cert_file: "${certFile}", key_file: "${keyFile}" }` },
  });
  if (server === undefined) return;
  await connected(t, `tls://localhost:${server.port}`, { tls: { ca } });
  // nats.js compares the certificate of an address with "localhost": whoever has such a one is let in.
  const bare = await bareConnect({ servers: `tls://127.0.0.1:${server.port}`, tls: { ca } });
  await bare.close();
  await assert.rejects(
    connect({ ...quick, servers: `tls://127.0.0.1:${server.port}`, tls: { ca } }),
    /altnames|127\.0\.0\.1/i,
  );
});

test("TLS that is asked for and not offered ends the attempt before anything is said in the clear", async (t) => {
  const plain = await fakeNats(t);
  for (const spelt of [
    { servers: `tls://me:s3cret@127.0.0.1:${plain.port}` },
    { servers: plain.url, tls: {}, user: "me", pass: "s3cret" },
    fromGoOptions({ Url: plain.url, Secure: true, User: "me", Password: "s3cret" }),
  ])
    await assert.rejects(connect({ ...quick, ...spelt, reconnect: false }), /tls/i);
  assert.deepEqual(plain.lines, []);
  assert.equal(plain.accepted(), 3);
});

test("TLS before INFO (handshakeFirst, TLSHandshakeFirst): kill -9 and restart", async (t) => {
  const { ca, certFile, keyFile } = await certificate(t);
  // Debian's version does not know this setting. INFO is held back for half a second, in which TLS may begin.
  const server = await withServer(t, "nats-current", {
    config: { tls: `{ cert_file: "${certFile}", key_file: "${keyFile}", handshake_first: "500ms" }` },
  });
  if (server === undefined) return;
  const url = `tls://localhost:${server.port}`;
  const early = { ...quick, servers: url, timeout: 400 };
  await assert.rejects(
    connect({ ...early, tls: { ca } }),
    /400 ms/,
    "one that waits for INFO waits too long",
  );
  // On a busy machine an attempt may be too slow; one that waits for INFO would fail at each of them.
  const spellings: NatsConnectOptions[] = [
    { ...early, tls: { ca, handshakeFirst: true }, waitOnFirstConnect: true },
    fromGoOptions({ Timeout: 400, TLSConfig: { ca }, TLSHandshakeFirst: true, RetryOnFailedConnect: true }),
  ];
  for (const spelt of spellings) {
    const nc = await connected(t, url, spelt);
    let heard = 0;
    nc.subscribe("f", { callback: () => void heard++ });
    await nc.flush();
    await lose(nc, () => server.kill9());
    nc.publish("f");
    await server.restart();
    await nc.flush();
    assert.equal(heard, 1);
    await nc.close();
  }
});

test("N21: the jitter is TLS' also when only the server demands TLS", async (t) => {
  const { certFile, keyFile } = await certificate(t);
  const secure = await withNats(t, {
    config: { tls: `{ cert_file: "${certFile}", key_file: "${keyFile}" }` },
  });
  const plain = await withNats(t);
  if (secure === undefined || plain === undefined) return;
  /** The wait after the first and second failed attempt. */
  const waits = async (port: number, options: NatsConnectOptions = {}): Promise<number[]> => {
    const nc = await connected(t, `localhost:${port}`, {
      ...options,
      ...{ reconnectTimeWait: 1_000, reconnectJitter: 0, reconnectJitterTLS: 1e12 },
      resilience: { retryInitial: true },
    });
    const seen: number[] = [];
    for (let i = 0; i < 2; i++) {
      const failed = next(nc, "attemptFailed");
      if (i > 0) nc.resilience.reconnectNow();
      seen.push(((await failed) as { nextDelayMs: number }).nextDelayMs);
    }
    await nc.close();
    return seen;
  };
  // Nobody trusts the certificate: each attempt fails in TLS, which only the server asked for.
  const demanded = await waits(secure.port);
  assert.ok(
    demanded.some((ms) => ms > 2_000),
    `${demanded}`,
  );
  const { port } = plain;
  await plain.kill9();
  for (const ms of await waits(port)) assert.ok(ms <= 1_000, `${ms}`);
});

test("a certificate of the client's, in PEM or in files, where the server asks for one", async (t) => {
  const authority = await testAuthority();
  const directory = await mkdtemp(join(tmpdir(), "holdfast-nats-mutual-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const [server, client] = [await authority.leaf(), await authority.leaf({ names: ["client"] })];
  const caFile = await file("ca.pem", authority.cert);
  const [certFile, keyFile] = [await file("client.pem", client.cert), await file("client.key", client.key)];
  const nats = await withNats(t, {
    config: {
      tls: `{ cert_file: "${await file("server.pem", server.cert)}", key_file: "${await file("server.key", server.key)}", ca_file: "${caFile}", verify: true }`,
    },
  });
  if (nats === undefined) return;
  const url = `tls://localhost:${nats.port}`;
  await assert.rejects(connect({ ...quick, servers: url, tls: { caFile } }));
  for (const tls of [
    { caFile, certFile, keyFile },
    { ca: authority.cert, cert: client.cert, key: client.key },
  ]) {
    const nc = await connected(t, url, { tls });
    const back = next(nc, "reconnected");
    await nc.reconnect();
    await back;
  }
  // A file that is gone fails the attempt, and is read again at the next one.
  const nc = await connected(t, url, { tls: { caFile, certFile, keyFile } });
  await rename(certFile, `${certFile}.away`);
  const failed = next(nc, "attemptFailed");
  const back = next(nc, "reconnected");
  await nc.reconnect();
  assert.match(String(((await failed) as { cause: unknown }).cause), /client\.pem/);
  await rename(`${certFile}.away`, certFile);
  await back;
});
