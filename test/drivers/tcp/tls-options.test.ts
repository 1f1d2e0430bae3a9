/** The TLS options of docs/tcp.md, by name, as the server sees them. */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";
import { type DialPlan, dialSocket } from "../../../src/drivers/tcp/dial.ts";
import { testAuthority } from "../../../src/lab/index.ts";

test("ALPNProtocols, ciphers, minVersion, maxVersion, cert, key, passphrase, pfx, secureContext", async (t) => {
  const authority = await testAuthority();
  const ca = authority.cert;
  const own = await authority.leaf({ names: ["127.0.0.1"] });
  const mine = await authority.leaf({ names: ["me.invalid"] });
  const server = createServer({
    ...own,
    ca,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["line/2", "line/1"],
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as { port: number };

  /** What the server sees of a client with these options. */
  const seen = async (tls: DialPlan["tls"]): Promise<Record<string, unknown>> => {
    const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
    const signal = new AbortController().signal;
    const socket = await dialSocket({ host: "127.0.0.1", port, signal, tls } as DialPlan);
    const [peer] = await accepted;
    const { alpnProtocol, authorized } = peer;
    const { CN } = peer.getPeerCertificate().subject ?? {};
    const facts = { alpn: alpnProtocol, authorized, cert: CN !== undefined };
    const more = { version: peer.getProtocol(), cipher: peer.getCipher().name };
    peer.on("error", () => {}).destroy();
    socket.destroy();
    return { ...facts, ...more };
  };

  const plain = await seen({ ca });
  assert.deepEqual([plain.alpn, plain.cert, plain.version], [false, false, "TLSv1.3"]);
  assert.equal((await seen({ ca, ALPNProtocols: ["line/1"] })).alpn, "line/1");
  assert.equal((await seen({ ca, maxVersion: "TLSv1.2" })).version, "TLSv1.2");
  const ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384";
  assert.match(String((await seen({ ca, ciphers, maxVersion: "TLSv1.2" })).cipher), /AES256-GCM-SHA384$/);
  const refused = seen({ ca, minVersion: "TLSv1.3", maxVersion: "TLSv1.2" });
  await assert.rejects(refused, "no version is left");
  const { cert } = mine;
  assert.equal((await seen({ ca, cert, key: mine.key })).authorized, true);
  const locked = createPrivateKey(mine.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "open",
  });
  assert.equal((await seen({ ca, cert, key: locked, passphrase: "open" })).authorized, true);
  await assert.rejects(seen({ ca, cert, key: locked, passphrase: "wrong" }));
  await assert.rejects(seen({ ca, pfx: Buffer.from("no pfx") }), "a container that is none is told");
  const secureContext = createSecureContext({ ca, cert, key: mine.key });
  assert.equal((await seen({ secureContext })).authorized, true);
});
