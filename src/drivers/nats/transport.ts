/** The library's own Node transport with its socket in the engine's hands. */
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { ConnectionOptions } from "@nats-io/transport-node";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import type { Dial } from "../../link/index.ts";
import type { Wire } from "./wire.ts";

export interface TappedOptions {
  readonly keepAliveMs: number | false;
  /** Finds the addresses of a host name, at each attempt. */
  readonly lookup: LookupFunction;
  /** What each address of a name may take to accept the connection. */
  readonly addressTimeoutMs: number;
  /** Hears that this attempt uses TLS, also when only the server demanded it. */
  readonly secured: () => void;
}

/**
 * The library makes its sockets out of reach: an attempt that hangs in the handshake, or one whose timer fired, leaves
 * them behind. This transport hands each to the engine, which destroys it when the attempt or the connection ends.
 */
export class TappedTransport extends NodeTransport implements Wire {
  readonly #dial: Dial;
  readonly #options: TappedOptions;
  #raw: Socket | undefined;

  constructor(dial: Dial, options: TappedOptions) {
    super();
    this.#dial = dial;
    this.#options = options;
  }

  get bufferedBytes(): number {
    const socket: Socket | undefined = this.socket;
    return socket?.writableLength ?? 0;
  }

  get writtenBytes(): number {
    const socket: Socket | undefined = this.socket;
    return socket?.bytesWritten ?? 0;
  }

  start(options: ConnectionOptions): Promise<void> {
    this.#dial.step("tcp");
    const { endpoint } = this.#dial;
    const name = endpoint.serverName ?? endpoint.host;
    const tlsName = isIP(name) === 0 ? name : ""; // an address is no server name (RFC 6066)
    return this.connect(
      { hostname: endpoint.host, port: endpoint.port, tlsName },
      endpoint.tls === true && !options.tls ? { ...options, tls: {} } : options,
    );
  }

  override dial(server: { hostname: string; port: number }): Promise<Socket> {
    const { keepAliveMs, lookup, addressTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: server.hostname,
        port: server.port,
        lookup,
        // Every address of a name is tried. Node gives up on each after 250 ms: a server further away was never reached.
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: addressTimeoutMs,
        noDelay: true,
        keepAlive: keepAliveMs !== false,
        ...(keepAliveMs !== false && { keepAliveInitialDelay: keepAliveMs }),
      });
      this.#raw = socket;
      this.#dial.tap(socket);
      let cause: unknown = new Error("the connection was closed before it was made");
      socket.once("error", (error) => {
        cause = error;
      });
      socket.once("close", () => reject(cause));
      socket.once("connect", () => {
        socket.removeAllListeners();
        this.#dial.step("handshake");
        resolve(socket);
      });
    });
  }

  /** TLS before INFO: over a socket of ours too. */
  override async tlsFirst(server: { hostname: string; port: number }): ReturnType<NodeTransport["tlsFirst"]> {
    this.socket = await this.dial(server);
    this.#secure();
    const secure = await super.tlsFirst(server);
    this.#dial.step("handshake");
    return secure;
  }

  override async startTLS(): ReturnType<NodeTransport["startTLS"]> {
    this.#secure();
    const secure = await super.startTLS();
    this.#dial.step("handshake");
    return secure;
  }

  /** Over a socket that is there already, Node compares the certificate of an address with "localhost". */
  #secure(): void {
    this.#dial.step("tls");
    this.#options.secured();
    const { host, serverName = host } = this.#dial.endpoint;
    const check: typeof checkServerIdentity = (_host, certificate) =>
      checkServerIdentity(serverName, certificate);
    this.options = { ...this.options, tls: { ...checked(check), ...this.options.tls } };
  }

  /** Ends both layers: a TLS socket whose raw one lives on is a leak. */
  override discard(): void {
    super.discard();
    const raw = this.#raw;
    if (raw === undefined) return;
    raw.removeAllListeners();
    raw.on("error", () => {}); // a late RST has nobody to tell
    raw.destroy();
  }
}

/** The library hands its `tls` on to Node; its type names only the options it reads itself. */
function checked(check: typeof checkServerIdentity): object {
  return { checkServerIdentity: check };
}
