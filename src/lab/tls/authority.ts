/** Certificates for tests, made at run time: an authority that nobody trusts unless told to, and what it signs. */
import { isIP } from "node:net";
import { HoldfastError } from "../../call/index.ts";
import { systemClock } from "../../time/index.ts";

/** A certificate and its private key, both in PEM, as `node:tls` takes them. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  /** Host names and IP addresses it is good for. Default: `localhost`, `127.0.0.1` and `::1`. */
  readonly names?: readonly string[];
  /** From when on it is valid, relative to now. Default: one day ago. */
  readonly validFromMs?: number;
  /** Until when it is valid, relative to now. Default: in one day. */
  readonly validToMs?: number;
}

/** Signs certificates. Give `cert` to a client as its `ca`, and it trusts them. */
export interface TestAuthority {
  /** The authority's own certificate, in PEM. */
  readonly cert: string;
  /** A certificate for a server or a client. */
  leaf(options?: LeafOptions): Promise<KeyPair>;
}

/** The names by which tests reach their servers. */
export const loopbackNames: readonly string[] = ["localhost", "127.0.0.1", "::1"];

const dayMs = 24 * 60 * 60 * 1_000;

type Generate = typeof import("selfsigned").generate;

async function loadGenerate(): Promise<Generate> {
  try {
    return (await import("selfsigned")).generate;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    const message =
      'test certificates are made with the package "selfsigned", which is not installed: npm install --save-dev selfsigned';
    throw new HoldfastError("HF_OPTION", message, { cause });
  }
}

/** Makes a new authority. Needs the optional peer dependency `selfsigned`; rejects with `HF_OPTION` without it. */
export async function testAuthority(name = "Holdfast test authority"): Promise<TestAuthority> {
  const generate = await loadGenerate();
  const common = { keyType: "ec", algorithm: "sha256" } as const;
  const dates = (fromMs: number, toMs: number): { notBeforeDate: Date; notAfterDate: Date } => ({
    notBeforeDate: new Date(systemClock.wallMs() + fromMs),
    notAfterDate: new Date(systemClock.wallMs() + toMs),
  });
  const root = await generate([{ name: "commonName", value: name }], {
    ...common,
    ...dates(-30 * dayMs, 30 * dayMs),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    cert: root.cert,
    async leaf({ names = loopbackNames, validFromMs = -dayMs, validToMs = dayMs } = {}) {
      const made = await generate([{ name: "commonName", value: names[0] ?? "nobody" }], {
        ...common,
        ...dates(validFromMs, validToMs),
        ca: { key: root.private, cert: root.cert },
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, critical: true },
          { name: "extKeyUsage", serverAuth: true, clientAuth: true },
          { name: "subjectAltName", altNames: names.map(altName) },
        ],
      });
      return { cert: made.cert, key: made.private };
    },
  };
}

function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) ? { type: 7, ip: name } : { type: 2, value: name };
}
