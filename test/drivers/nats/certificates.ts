/** A certificate on disk for a server of a test, and who signed it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { testAuthority } from "../../../src/lab/tls/index.ts";

export interface Certificate {
  readonly ca: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Removed after the test. @param names what it is good for; default: localhost and the loopback addresses */
export async function certificate(t: TestContext, names?: readonly string[]): Promise<Certificate> {
  const authority = await testAuthority();
  const { cert, key } = await authority.leaf(names === undefined ? {} : { names });
  const directory = await mkdtemp(join(tmpdir(), "holdfast-nats-tls-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key, { mode: 0o600 });
  return { ca: authority.cert, certFile, keyFile };
}
