/** The TLS faults: what a client meets when the server's TLS is wrong. */
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { optionError } from "../../options/index.ts";
import { type KeyPair, type TestAuthority, testAuthority } from "../tls/index.ts";
import type { TlsFault } from "./fault.ts";
import { reset } from "./sockets.ts";

const dayMs = 24 * 60 * 60 * 1_000;
/** Any bytes that are no TLS record will do; these are what a web server on the wrong port says. */
const plaintextAnswer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

export class TlsTrap {
  readonly #how: TlsFault["how"];
  readonly #context: SecureContext | undefined;
  readonly #held = new Set<Socket>();

  private constructor(how: TlsFault["how"], context: SecureContext | undefined) {
    this.#how = how;
    this.#context = context;
  }

  /** Makes what the fault needs. `authority` is the one that the clients trust. */
  static async make(fault: TlsFault, authority: TestAuthority | undefined): Promise<TlsTrap> {
    const { how } = fault;
    if (how === "hang" || how === "plaintext") return new TlsTrap(how, undefined);
    if (how !== "unknown-issuer" && !authority)
      throw optionError(
        "authority",
        undefined,
        `given for the tls fault "${how}", and trusted by the clients`,
      );
    const pair = await badPair(fault, authority);
    return new TlsTrap(how, createSecureContext({ ...pair, ...(authority && { ca: authority.cert }) }));
  }

  /** Takes a client. `accepted` is called when it completes the handshake with a certificate it should refuse. */
  catch(client: Socket, accepted: () => void): void {
    this.#held.add(client);
    client.once("close", () => this.#held.delete(client));
    if (this.#context) this.#handshake(client, this.#context, accepted);
    else {
      if (this.#how === "plaintext") client.once("data", () => client.end(plaintextAnswer));
      client.on("end", () => client.end());
      client.resume();
    }
  }

  /** Resets the clients it still holds. */
  release(): void {
    for (const client of this.#held) reset(client);
  }

  #handshake(client: Socket, secureContext: SecureContext, accepted: () => void): void {
    const wantsClientCertificate = this.#how === "client-certificate";
    const secure = new TLSSocket(client, {
      isServer: true,
      secureContext,
      requestCert: wantsClientCertificate,
      rejectUnauthorized: wantsClientCertificate,
    });
    secure.on("error", () => secure.destroy());
    secure.on("end", () => secure.end());
    secure.once("secure", () => {
      if (!wantsClientCertificate) accepted();
      secure.end();
    });
    secure.resume();
  }
}

async function badPair(fault: TlsFault, authority: TestAuthority | undefined): Promise<KeyPair> {
  const names = fault.names ? { names: fault.names } : {};
  const trusted = fault.how === "unknown-issuer" ? undefined : authority;
  const signer = trusted ?? (await testAuthority("An authority that nobody knows"));
  switch (fault.how) {
    case "expired":
      return signer.leaf({ ...names, validFromMs: -2 * dayMs, validToMs: -dayMs });
    case "wrong-name":
      return signer.leaf({ names: ["wrong-name.invalid"] });
    default:
      return signer.leaf(names);
  }
}
