/** The library's own Node transport with its socket in the engine's hands. */
import { connect, type Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import type { Dial } from "../../link/index.ts";

/**
 * The library makes its sockets out of reach: an attempt that hangs in the handshake, or one whose timer fired, leaves
 * them behind. This transport hands each to the engine, which destroys it when the attempt or the connection ends.
 */
export class TappedTransport extends NodeTransport {
  readonly #dial: Dial;
  readonly #keepAliveMs: number | false;
  #raw: Socket | undefined;

  constructor(dial: Dial, keepAliveMs: number | false) {
    super();
    this.#dial = dial;
    this.#keepAliveMs = keepAliveMs;
  }

  /** Bytes written that the kernel has not taken. */
  get bufferedBytes(): number {
    const socket: Socket | undefined = this.socket;
    return socket?.writableLength ?? 0;
  }

  override dial(server: { hostname: string; port: number }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: server.hostname,
        port: server.port,
        noDelay: true,
        keepAlive: this.#keepAliveMs !== false,
        ...(this.#keepAliveMs !== false && { keepAliveInitialDelay: this.#keepAliveMs }),
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
    this.#dial.step("tls");
    return super.tlsFirst(server);
  }

  override async startTLS(): ReturnType<NodeTransport["startTLS"]> {
    this.#dial.step("tls");
    const secure = await super.startTLS();
    this.#dial.step("handshake");
    return secure;
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
