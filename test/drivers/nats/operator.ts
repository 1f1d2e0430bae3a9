/** An operator, an account and users of our own: keys, JWTs and the server's settings that trust them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { nkeys } from "@nats-io/transport-node";
import { systemClock } from "../../../src/time/index.ts";

type KeyPair = ReturnType<typeof nkeys.createUser>;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString("base64url");

/** A signed claim, as nats-server reads it (version 2, ed25519). */
function jwt(signer: KeyPair, subject: KeyPair, nats: object, expiresInS?: number): string {
  const nowS = Math.floor(systemClock.wallMs() / 1_000);
  const claim = {
    jti: base64url(`${subject.getPublicKey()}${systemClock.wallMs()}`).slice(0, 43),
    iat: nowS,
    iss: signer.getPublicKey(),
    name: "holdfast test",
    sub: subject.getPublicKey(),
    ...(expiresInS !== undefined && { exp: nowS + expiresInS }),
    nats: { ...nats, version: 2 },
  };
  const signed = [{ typ: "JWT", alg: "ed25519-nkey" }, claim]
    .map((part) => base64url(JSON.stringify(part)))
    .join(".");
  return `${signed}.${base64url(signer.sign(new TextEncoder().encode(signed)))}`;
}

export interface User {
  readonly jwt: string;
  readonly seed: string;
  readonly publicKey: string;
  /** What a credentials file holds. */
  readonly creds: string;
  sign(nonce: Uint8Array): Uint8Array;
}

export interface Operator {
  /** Settings of a nats-server that trusts this operator. */
  readonly config: Readonly<Record<string, string>>;
  /** @param expiresInS seconds the JWT is good for; default: for ever */
  user(expiresInS?: number): User;
}

export function operator(): Operator {
  const [root, account] = [nkeys.createOperator(), nkeys.createAccount()];
  const unlimited = {
    ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  };
  const accountJwt = jwt(root, account, {
    type: "account",
    limits: unlimited,
    default_permissions: { pub: {}, sub: {} },
  });
  return {
    config: {
      operator: jwt(root, root, { type: "operator" }),
      resolver: "MEMORY",
      resolver_preload: `{ ${account.getPublicKey()}: ${accountJwt} }`,
    },
    user(expiresInS) {
      const pair = nkeys.createUser();
      const limits = { subs: -1, data: -1, payload: -1 };
      const token = jwt(account, pair, { type: "user", pub: {}, sub: {}, ...limits }, expiresInS);
      const seed = text(pair.getSeed());
      const block = (what: string, body: string): string =>
        `-----BEGIN ${what}-----\n${body}\n------END ${what}------\n`;
      return {
        jwt: token,
        seed,
        publicKey: pair.getPublicKey(),
        creds: `${block("NATS USER JWT", token)}\n${block("USER NKEY SEED", seed)}`,
        sign: (nonce) => pair.sign(nonce),
      };
    },
  };
}

/** A folder for credential files; gone after the test. */
export async function folder(t: TestContext): Promise<(name: string, content: string) => Promise<string>> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-nats-creds-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return async (name, content) => {
    const file = join(directory, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
}
