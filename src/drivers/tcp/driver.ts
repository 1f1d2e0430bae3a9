/** Teaches the engine TCP. */
import { isHoldfastError } from "../../call/index.ts";
import type { Dial, Driver, LinkClass } from "../../link/index.ts";
import type { Clock } from "../../time/index.ts";
import { type ConnectionOwner, type ConnectionSettings, TcpConnection } from "./connection.ts";
import { dialSocket } from "./dial.ts";
import type { Lookup } from "./resolve.ts";
import type { TlsSettings } from "./socket.ts";

export interface TcpDriverOptions {
  readonly tls: TlsSettings;
  readonly tcpKeepAliveMs: number | false;
  readonly noDelay: boolean;
  readonly lookup: Lookup | undefined;
  readonly clock: Clock;
  /** What holds for the next connection. */
  settings(): ConnectionSettings;
}

export interface TcpDriverOwner extends ConnectionOwner {
  /** A new connection: the application's greeting, before anything that waited is sent. */
  connected(connection: TcpConnection): void | Promise<void>;
}

export function tcpDriver(options: TcpDriverOptions, owner: TcpDriverOwner): Driver<TcpConnection> {
  return {
    name: "tcp",
    async open(dial) {
      const socket = await dialSocket({
        host: dial.endpoint.host,
        port: dial.endpoint.port,
        tls: dial.endpoint.tls === true ? tlsFor(options.tls, dial) : undefined,
        tcpKeepAliveMs: options.tcpKeepAliveMs,
        noDelay: options.noDelay,
        ...(options.lookup && { lookup: options.lookup }),
        signal: dial.signal,
        clock: options.clock,
        step: (name) => dial.step(name),
        opened: (socket) => dial.tap(socket),
      });
      return new TcpConnection(socket, dial, options.settings(), owner, options.clock);
    },
    async restore(connection) {
      connection.begin();
      await owner.connected(connection);
      return { restored: [] };
    },
    close: (connection, how, deadlineMs) => connection.close(how, deadlineMs),
    takeBack: (connection) => connection.takeBack(),
    bufferedBytes: (connection) => connection.bufferedBytes,
    classifyLink,
    // There are no replies here: an error is the end of the connection, with the message in the socket's hands.
    classifyCall: () => ({ outcome: "maybe-applied" }),
  };
}

function tlsFor(tls: TlsSettings, { endpoint }: Dial): TlsSettings {
  return endpoint.serverName === undefined ? tls : { ...tls, serverName: endpoint.serverName };
}

/** Errors of a certificate: this endpoint is not whom we want, another one may be. */
const certificateError = /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_)/;

/** The peer's word about *our* certificate: missing, expired, revoked, or of an authority it does not trust. */
const refusedCertificate =
  /^ERR_SSL_\w+_ALERT_(?:CERTIFICATE_\w+|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)$/;

/** A wrong option (a heartbeat's payload) can't mend itself; everything else of TCP, DNS and framing can. */
function classifyLink(error: unknown): LinkClass {
  if (isHoldfastError(error)) return error.code === "HF_OPTION" ? "fatal" : "transient";
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return "transient";
  if (refusedCertificate.test(code)) return "auth";
  return certificateError.test(code) ? "endpoint" : "transient";
}
