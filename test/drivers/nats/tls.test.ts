import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../../src/drivers/nats/index.ts";
import { testAuthority } from "../../../src/lab/tls/index.ts";
import { connected, next, quick, withNats } from "./support.ts";

test("TLS that the server demands, by certificate and name; it survives kill -9, and a stranger's certificate is refused", async (t) => {
  const authority = await testAuthority();
  const { cert, key } = await authority.leaf();
  const directory = await mkdtemp(join(tmpdir(), "holdfast-nats-tls-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key, { mode: 0o600 });
  const server = await withNats(t, {
    config: { tls: `{ cert_file: "${certFile}", key_file: "${keyFile}" }` },
  });
  if (server === undefined) return;

  await assert.rejects(
    connect({ ...quick, servers: server.url, reconnect: false }),
    /certificate|self-signed|issuer/i,
  );

  // By name, because an address has no SNI; server-demanded, so no tls:// in the URL.
  const nc = await connected(t, `nats://localhost:${server.port}`, { tls: { ca: authority.cert } });
  const seen: string[] = [];
  nc.subscribe("t", { callback: (_e, msg) => void seen.push(msg.string()) });
  await nc.flush();
  const lost = next(nc, "disconnected");
  await server.kill9();
  await lost;
  nc.publish("t", "held");
  await server.restart();
  await nc.flush();
  assert.deepEqual(seen, ["held"]);
});
