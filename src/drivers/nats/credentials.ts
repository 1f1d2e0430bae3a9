/** Logins that are read anew at each attempt: files, as nats.go's options name them, and its callbacks. */
import { readFileSync } from "node:fs";
import {
  type Auth,
  type Authenticator,
  credsAuthenticator,
  jwtAuthenticator,
  nkeyAuthenticator,
  nkeys,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";

/** What nats.go's options say about the login; each is asked again at each attempt. */
export interface GoCredentials {
  /** A credentials file (JWT and seed), or a JWT's file and a seed's. */
  readonly UserCredentials?: string | readonly [jwtFile: string, seedFile: string];
  /** The contents of a credentials file. */
  readonly UserCredentialBytes?: string | Uint8Array;
  /** A user's JWT; with `SignatureCB`. */
  readonly UserJWT?: () => string;
  readonly UserJWTAndSeed?: { readonly jwt: string; readonly seed: string };
  /** A public NKEY; with `SignatureCB`. */
  readonly Nkey?: string;
  /** Signs the server's nonce with the private key. */
  readonly SignatureCB?: (nonce: Uint8Array) => Uint8Array;
  /** A file that holds an NKEY's seed. */
  readonly NkeyOptionFromSeed?: string;
  readonly TokenHandler?: () => string;
  readonly UserInfo?: () => readonly [user: string, password: string];
}

/** The names of `GoCredentials`. */
export const goCredentialNames: readonly (keyof GoCredentials)[] = [
  "UserCredentials",
  "UserCredentialBytes",
  "UserJWT",
  "UserJWTAndSeed",
  "Nkey",
  "SignatureCB",
  "NkeyOptionFromSeed",
  "TokenHandler",
  "UserInfo",
];

/**
 * A login from a credentials file, or from a JWT's file and a seed's. The files are read at each attempt; one that is
 * gone fails that attempt only.
 */
export function credsFile(path: string, seedPath?: string): Authenticator {
  if (seedPath === undefined) return credsAuthenticator(() => readFileSync(path));
  return jwtAuthenticator(
    () => undecorated(readFileSync(path, "utf8"), path),
    () => seedIn(readFileSync(seedPath, "utf8"), seedPath),
  );
}

/** A login with the NKEY whose seed is in this file; read at each attempt. */
export function nkeySeedFile(path: string): Authenticator {
  return nkeyAuthenticator(() => seedIn(readFileSync(path, "utf8"), path));
}

/** nats.go's login options as authenticators; what is not given adds none. */
export function goAuthenticators(go: GoCredentials): readonly Authenticator[] {
  const list: Authenticator[] = [];
  const file = go.UserCredentials;
  if (typeof file === "string") list.push(credsFile(file));
  else if (file !== undefined) list.push(credsFile(file[0], file[1]));
  const bytes = go.UserCredentialBytes;
  if (bytes !== undefined)
    list.push(
      credsAuthenticator(() => (typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes)),
    );
  const pair = go.UserJWTAndSeed;
  if (pair !== undefined) list.push(jwtAuthenticator(pair.jwt, new TextEncoder().encode(pair.seed)));
  if (go.NkeyOptionFromSeed !== undefined) list.push(nkeySeedFile(go.NkeyOptionFromSeed));
  if (go.UserJWT !== undefined || go.Nkey !== undefined) list.push(signed(go));
  if (go.TokenHandler !== undefined) list.push(tokenAuthenticator(go.TokenHandler));
  const userInfo = go.UserInfo;
  if (userInfo !== undefined)
    list.push(() => {
      const [user, password] = userInfo();
      return usernamePasswordAuthenticator(user, password)();
    });
  return list;
}

/** A JWT or a public key, with the owner's own signature of the server's nonce. */
function signed({ UserJWT, Nkey, SignatureCB }: GoCredentials): Authenticator {
  return (nonce): Auth => {
    const sig =
      nonce === undefined || SignatureCB === undefined
        ? ""
        : nkeys.encode(SignatureCB(new TextEncoder().encode(nonce)));
    return {
      ...(UserJWT !== undefined && { jwt: UserJWT() }),
      ...(Nkey !== undefined && { nkey: Nkey }),
      sig,
    } as Auth;
  };
}

/** The text between the first pair of `-----…-----` lines, or the whole file. */
function undecorated(text: string, path: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const first = lines.findIndex((line) => /^-{3,}.*-{3,}$/.test(line));
  const found = (first < 0 ? lines : lines.slice(first + 1)).find((line) => line !== "");
  if (found === undefined) throw new Error(`${path} holds no JWT`);
  return found;
}

/** The seed's line, wherever it stands. Its text is never shown. */
function seedIn(text: string, path: string): Uint8Array {
  const found = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .find((line) => /^S[UAO][A-Z2-7]+$/.test(line));
  if (found === undefined) throw new Error(`${path} holds no seed of an NKEY`);
  return new TextEncoder().encode(found);
}
