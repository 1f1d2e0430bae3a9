import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type ConnectionOptions, connect, createServer, type TLSSocket } from "node:tls";
import {
  faultProxy,
  type TestAuthority,
  type TlsFault,
  testAuthority,
  type Upstream,
} from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { until } from "./rig.ts";

const authority: TestAuthority = await testAuthority();

/** A TLS server with a good certificate that says hello. */
async function tlsServer(): Promise<AsyncDisposable & { endpoint: Upstream }> {
  const sockets: TLSSocket[] = [];
  const server = createServer({ ...(await authority.leaf()) }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  return {
    endpoint: { host: "127.0.0.1", port: address.port },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** What a client sees, in order: "secure", what it was sent, its error's code, "fin". It ends at the first byte. */
async function meet(to: Upstream, options: ConnectionOptions = {}): Promise<string[]> {
  const seen: string[] = [];
  const socket = connect({ ...to, ca: authority.cert, ...options });
  socket.on("secureConnect", () => seen.push("secure"));
  socket.on("error", (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message));
  let failed = false;
  socket.on("error", () => {
    failed = true;
  });
  socket.on("end", () => failed || seen.push("fin"));
  socket.on("data", (bytes: Buffer) => {
    seen.push(bytes.toString());
    socket.destroy();
  });
  await until("the socket's close", () => socket.closed);
  return seen;
}

/** Alert 40; OpenSSL 3.2 and later (Node 22 and later) renamed it. */
const [major = 0, minor = 0] = process.versions.openssl.split(".").map(Number.parseFloat);
const renamed = major > 3 || (major === 3 && minor >= 2);
const handshakeAlert = `ERR_SSL_${renamed ? "SSL/TLS" : "SSLV3"}_ALERT_HANDSHAKE_FAILURE`;

const cases: [TlsFault["how"], string[], ConnectionOptions?][] = [
  ["expired", ["CERT_HAS_EXPIRED"]],
  ["wrong-name", ["ERR_TLS_CERT_ALTNAME_INVALID"]],
  ["unknown-issuer", ["UNABLE_TO_VERIFY_LEAF_SIGNATURE"]],
  ["plaintext", ["ERR_SSL_WRONG_VERSION_NUMBER"]],
  // In TLS 1.3 a client believes itself connected before it is turned away.
  ["client-certificate", ["secure", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"]],
  ["client-certificate", [handshakeAlert], { maxVersion: "TLSv1.2" }],
];
for (const [how, seen, options = {}] of cases)
  test(`tls ${how}${options.maxVersion ? ` in ${options.maxVersion}` : ""}: the client sees ${seen.at(-1)}, and all is well afterwards`, async (t) => {
    checkLeaks(t);
    await using server = await tlsServer();
    await using proxy = await faultProxy({ upstream: server.endpoint, authority });
    {
      await using fault = await proxy.fault({ kind: "tls", how });
      assert.deepEqual(await meet(proxy.endpoint, options), seen);
      assert.equal(fault.hits.length, 1);
    }
    assert.deepEqual(await meet(proxy.endpoint, options), ["secure", "hello"]);
    assert.equal(proxy.log.filter(({ event }) => event === "badCertificateAccepted").length, 0);
  });

test("tls hang: the handshake never ends, until the fault does", async (t) => {
  checkLeaks(t);
  await using server = await tlsServer();
  await using proxy = await faultProxy({ upstream: server.endpoint, authority });
  const fault = await proxy.fault({ kind: "tls", how: "hang", times: 1 });
  const hanging = meet(proxy.endpoint);
  await until("the client to be caught", () => fault.hits.length === 1);
  // Another client goes through two whole handshakes meanwhile.
  assert.deepEqual(await meet(proxy.endpoint), ["secure", "hello"]);
  assert.deepEqual(await meet(proxy.endpoint), ["secure", "hello"]);
  await fault.undo();
  assert.deepEqual(await hanging, ["ECONNRESET"]);
});

test("a client that does not check certificates is told on", async (t) => {
  checkLeaks(t);
  await using server = await tlsServer();
  await using proxy = await faultProxy({ upstream: server.endpoint, authority });
  await using _fault = await proxy.fault({ kind: "tls", how: "expired" });
  const told = proxy.next("badCertificateAccepted");
  assert.deepEqual(await meet(proxy.endpoint, { rejectUnauthorized: false }), ["secure", "fin"]);
  assert.deepEqual(await told, { connection: 1, fault: "tls#1" });
});

test("a tls fault without an authority the client could trust is refused", async (t) => {
  checkLeaks(t);
  await using server = await tlsServer();
  await using proxy = await faultProxy({ upstream: server.endpoint });
  await assert.rejects(proxy.fault({ kind: "tls", how: "expired" }), { code: "HF_OPTION" });
});
