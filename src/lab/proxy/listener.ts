/**
 * A listener that can go away and come back on the same port. While it is away nobody else may get the port, and a
 * client that dials it must not be given it as its own local port (on loopback that connects a socket to itself).
 * Linux hands out no port that an accepted socket still uses; so one connection to ourselves, the anchor, is held.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export class Listener {
  readonly host: string;
  readonly #accept: (socket: Socket) => void;
  #port = 0;
  #server: Server | undefined;
  #anchor: Socket | undefined;
  #anchorPeer: Socket | undefined;

  constructor(host: string, accept: (socket: Socket) => void) {
    this.host = host;
    this.#accept = accept;
  }

  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  async start(port: number): Promise<void> {
    this.#port = port;
    await this.listen();
    await new Promise<void>((resolve, reject) => {
      const anchor = connect({ host: this.host, port: this.#port });
      this.#anchor = anchor;
      const accepted = (peer: Socket): void => {
        this.#anchorPeer = peer;
        peer.on("error", () => {});
        peer.unref();
        if (anchor.readyState === "open") resolve();
        else anchor.once("connect", () => resolve());
      };
      this.#server?.once("anchor", accepted);
      anchor.on("error", reject);
      anchor.unref();
    });
  }

  /** Accepts again, on the port it had. */
  listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#server = server;
    server.on("connection", (socket) => {
      if (!this.#anchorPeer && socket.remotePort === this.#anchor?.localPort) server.emit("anchor", socket);
      else this.#accept(socket);
    });
    return new Promise((resolve, reject) => {
      server.once("error", (error) => {
        if (this.#server === server) this.#server = undefined;
        reject(error);
      });
      server.listen({ host: this.host, port: this.#port, backlog: 511 }, () => {
        const address = server.address();
        if (address && typeof address === "object") this.#port = address.port;
        resolve();
      });
    });
  }

  /** Refuses from this moment on; open connections live. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  close(): Promise<unknown> {
    this.refuse();
    const sockets = [this.#anchor, this.#anchorPeer].filter((socket) => socket !== undefined);
    for (const socket of sockets) socket.destroy();
    return Promise.all(
      sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once("close", resolve))),
    );
  }
}
