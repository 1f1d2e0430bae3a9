/** One socket to one address: TCP, and TLS on top when asked for. */
import { connect, isIP, type Socket, type TcpNetConnectOpts } from "node:net";
import { type ConnectionOptions, checkServerIdentity, type TLSSocket, connect as tlsConnect } from "node:tls";

/** TLS as Node's `tls.connect` takes it, less what the dial itself decides. */
export interface TlsSettings
  extends Pick<
    ConnectionOptions,
    | "ca"
    | "cert"
    | "key"
    | "pfx"
    | "passphrase"
    | "ciphers"
    | "minVersion"
    | "maxVersion"
    | "ALPNProtocols"
    | "secureContext"
  > {
  /** Name the certificate must carry, and the one sent as SNI. Default: the host. */
  readonly serverName?: string;
  /** `false` = accept any certificate: nobody knows then who answers. Default `true`, whatever the environment says. */
  readonly rejectUnauthorized?: boolean;
}

export interface SocketPlan {
  readonly host: string;
  readonly port: number;
  /** The address to dial; no name. */
  readonly address: string;
  /** TLS when given. */
  readonly tls?: TlsSettings | undefined;
  /** Idle time before the kernel's first keepalive probe, in milliseconds; `false` = none. Default 15,000. */
  readonly tcpKeepAliveMs?: number | false;
  /** Send small writes at once. Default `true`. */
  readonly noDelay?: boolean;
}

export interface SocketTold {
  /** TCP is there; TLS may follow. */
  connected(): void;
  /** Ready for the application's bytes. */
  ready(): void;
  /** Told once; the socket is destroyed. */
  failed(error: unknown): void;
}

const tcpKeepAliveMs = 15_000;

/** Starts a connect. The socket keeps an `error` listener for its life: no late error can end the process. */
export function openSocket(plan: SocketPlan, told: SocketTold): Socket {
  const keepAliveMs = plan.tcpKeepAliveMs ?? tcpKeepAliveMs;
  const target: TcpNetConnectOpts = {
    host: plan.address,
    port: plan.port,
    autoSelectFamily: false,
    // A peer's FIN is an event to act on, in our order: first the evidence, then the teardown.
    allowHalfOpen: true,
    noDelay: plan.noDelay ?? true,
    ...(keepAliveMs !== false && { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
  };
  const socket = plan.tls === undefined ? connect(target) : secure(target, plan.host, plan.tls);
  const fail = (error: unknown): void => {
    forget();
    socket.destroy();
    told.failed(error);
  };
  const closed = (): void => fail(new Error(`connecting to ${plan.address}:${plan.port} was broken off`));
  const ready = (): void => {
    forget();
    told.ready();
  };
  const forget = (): void => {
    socket.off("error", fail).off("close", closed).off("connect", told.connected);
    socket.off(readyEvent, ready);
  };
  const readyEvent = plan.tls === undefined ? "connect" : "secureConnect";
  socket.on("error", ignore).on("error", fail).on("close", closed);
  socket.on("connect", told.connected).on(readyEvent, ready);
  return socket;
}

function ignore(): void {}

function secure(target: TcpNetConnectOpts, host: string, settings: TlsSettings): TLSSocket {
  const { serverName, rejectUnauthorized, ...rest } = settings;
  const name = serverName ?? host;
  return tlsConnect({
    ...target,
    ...rest,
    // Said outright: by default an environment variable could switch the check off.
    rejectUnauthorized: rejectUnauthorized ?? true,
    // An address is no server name (RFC 6066), but a certificate may carry it.
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
}
