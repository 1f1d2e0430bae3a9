/** Teaches the engine TCP. */
import { isHoldfastError } from "../../call/index.ts";
import type { CallVerdict, Dial, Driver, LinkClass, RestoreReport } from "../../link/index.ts";
import type { Clock } from "../../time/index.ts";
import { type ConnectionOwner, type ConnectionSettings, TcpConnection } from "./connection.ts";
import { dialSocket } from "./dial.ts";
import type { Lookup } from "./resolve.ts";
import type { TlsSettings } from "./socket.ts";

export interface TcpDriverOptions {
  readonly tls: TlsSettings;
  readonly noDelay: boolean;
  readonly lookup: Lookup | undefined;
  readonly resilience: { readonly tcpKeepAliveMs: number | false; readonly world: { readonly clock: Clock } };
}

export interface TcpDriverOwner extends ConnectionOwner {
  /** What holds for the next connection. */
  settings(): ConnectionSettings;
  /** A new connection: the application's greeting, before anything that waited is sent. */
  connected(connection: TcpConnection): void | Promise<void>;
}

/** A class and no object of closures: every client has its own. */
export class TcpDriver implements Driver<TcpConnection> {
  readonly #options: TcpDriverOptions;
  readonly #owner: TcpDriverOwner;

  constructor(options: TcpDriverOptions, owner: TcpDriverOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  get name(): string {
    return "tcp";
  }

  async open(dial: Dial): Promise<TcpConnection> {
    const { tls, lookup, noDelay, resilience } = this.#options;
    const { clock } = resilience.world;
    const socket = await dialSocket({
      host: dial.endpoint.host,
      port: dial.endpoint.port,
      tls: dial.endpoint.tls === true ? tlsFor(tls, dial) : undefined,
      tcpKeepAliveMs: resilience.tcpKeepAliveMs,
      noDelay,
      ...(lookup && { lookup }),
      signal: dial.signal,
      clock,
      step: (name) => dial.step(name),
      opened: (socket) => dial.tap(socket),
    });
    return new TcpConnection(socket, dial, this.#owner.settings(), this.#owner, clock);
  }

  async restore(connection: TcpConnection): Promise<RestoreReport> {
    connection.begin();
    await this.#owner.connected(connection);
    return nothingRestored;
  }

  close(connection: TcpConnection, how: "graceful" | "abrupt", deadlineMs: number): Promise<void> {
    return connection.close(how, deadlineMs);
  }

  takeBack(connection: TcpConnection): void {
    connection.takeBack();
  }

  bufferedBytes(connection: TcpConnection): number {
    return connection.bufferedBytes;
  }

  classifyLink(error: unknown): LinkClass {
    return classifyLink(error);
  }

  /** There are no replies here: an error is the end of the connection, with the message in the socket's hands. */
  classifyCall(): CallVerdict {
    return maybeApplied;
  }
}

const nothingRestored: RestoreReport = { restored: [] };
const maybeApplied: CallVerdict = { outcome: "maybe-applied" };

function tlsFor(tls: TlsSettings, { endpoint }: Dial): TlsSettings {
  return endpoint.serverName === undefined ? tls : { ...tls, serverName: endpoint.serverName };
}

/** Errors of a certificate: this endpoint is not whom we want, another one may be. */
const certificateError = /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_)/;

/** The peer's word about *our* certificate: missing, expired, revoked, or of an authority it does not trust. */
const refusedCertificate =
  /^ERR_SSL_\w+_ALERT_(?:CERTIFICATE_\w+|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)$/;

/** A wrong option (a heartbeat's payload) can't mend itself; everything else of TCP, DNS and framing can. */
export function classifyLink(error: unknown): LinkClass {
  if (isHoldfastError(error)) return error.code === "HF_OPTION" ? "fatal" : "transient";
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return "transient";
  if (refusedCertificate.test(code)) return "auth";
  return certificateError.test(code) ? "endpoint" : "transient";
}
