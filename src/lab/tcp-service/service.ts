import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { HoldfastError } from "../../call/index.ts";
import { systemClock } from "../../time/index.ts";
import { reset } from "../proxy/sockets.ts";
import { ServiceLedger } from "./ledger.ts";
import { type AfterApply, type SessionHost, serveEcho, serveLedger } from "./session.ts";

export interface TcpServiceOptions {
  /** `ledger` (default): numbered writes are applied and acknowledged. `echo`: bytes come back. */
  readonly mode?: "ledger" | "echo";
  /** Where it listens. Default 0: any free port. */
  readonly port?: number;
  /** Serve TLS with this key and certificate. Default: plain TCP. */
  readonly tls?: TlsOptions;
  /** Decides after each applied write what the client hears. Default: always `"ack"`. */
  readonly afterApply?: (id: number, count: number) => AfterApply;
}

const host = "127.0.0.1";
/** How often, and after which pauses, a restart tries to have its port again. */
const listenTries = 40;
const listenPauseMs = 50;

/**
 * An embedded TCP service on loopback that can die and come back: on the same port, with the same ledger, as a server
 * with a disk does.
 *
 * ```ts
 * await using service = await startTcpService();
 * socket.write(encodeWrite(7));   // answered by a frame whose ackedId() is 7
 * await service.kill();           // every connection reset, nobody listens
 * await service.restart();        // service.ledger.count(7) is still 1
 * ```
 */
export class TcpService implements AsyncDisposable {
  readonly host: string = host;
  readonly ledger: ServiceLedger = new ServiceLedger();
  readonly #options: TcpServiceOptions;
  /** The raw sockets, under TLS too: only they can be reset and counted from the first byte on. */
  readonly #sockets: Set<Socket> = new Set();
  readonly #watchers: Set<() => void> = new Set();
  #server: Server | undefined;
  #lastStep: Promise<void> = Promise.resolve();
  #port: number;
  #accepted = 0;

  constructor(options: TcpServiceOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  /** The port; the same for the service's life. */
  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  /** Connections open now, those in a TLS handshake included. */
  get liveSockets(): number {
    return this.#sockets.size;
  }

  /** Connections accepted since the start, restarts included. */
  get acceptedSockets(): number {
    return this.#accepted;
  }

  /** Listens again after `kill`. Does nothing while it listens. */
  restart(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  /** Stops listening and resets every connection (RST), as `kill -9` does. Resolves when all are gone. Idempotent. */
  kill(): Promise<void> {
    return this.#inTurn(() => this.#stop());
  }

  /** Resets every connection (RST) and goes on listening; returns how many there were. */
  resetConnections(): number {
    const { size } = this.#sockets;
    for (const socket of this.#sockets) reset(socket);
    return size;
  }

  /**
   * Resolves once the condition holds; asked after each connection, end of one, applied write and restart.
   * Rejects at the deadline (default 5,000 ms), naming what was waited for.
   */
  until(what: string, holds: () => boolean, deadlineMs = 5_000): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        this.#watchers.delete(watcher);
        settle();
      };
      const watcher = (): void => {
        if (holds()) end(resolve);
      };
      const late = (): void =>
        end(() => reject(new HoldfastError("HF_DEADLINE", `not within ${deadlineMs} ms: ${what}`)));
      const timer = systemClock.setTimer(deadlineMs, late);
      this.#watchers.add(watcher);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  /** One start or stop at a time, in the order asked for: two starts at once would be two servers. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#lastStep.then(step);
    this.#lastStep = done.catch(() => {}); // its own caller hears of it
    return done;
  }

  async #start(): Promise<void> {
    for (let tries = 1; this.#server === undefined; tries++) {
      try {
        this.#server = await this.#listen();
      } catch (error) {
        // A dialling client may have been given our port as its own local one; it lets go when its dial fails.
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tries === listenTries) throw error;
        await new Promise<void>((resolve) => systemClock.setTimer(listenPauseMs, resolve));
      }
    }
    this.#changed();
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.resetConnections();
    await closed;
    await this.until("every socket gone", () => this.liveSockets === 0);
  }

  #listen(): Promise<Server> {
    const { tls } = this.#options;
    const halfOpen = { allowHalfOpen: true }; // a client's FIN ends what it says, not what it hears
    const server =
      tls === undefined
        ? createServer(halfOpen, (socket) => this.#serve(socket, socket))
        : createTlsServer({ ...halfOpen, ...tls }, (stream) => this.#serveTls(stream));
    server.on("connection", (socket: Socket) => this.#admit(socket));
    server.on("tlsClientError", (_error: Error, stream: Duplex) => stream.destroy());
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, host, () => {
        server.off("error", reject);
        this.#port = (server.address() as AddressInfo).port;
        resolve(server);
      });
    });
  }

  #admit(socket: Socket): void {
    this.#accepted += 1;
    this.#sockets.add(socket);
    socket.on("error", () => {}); // a client's reset; "close" follows
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#changed();
    });
    this.#changed();
  }

  /** The TLS stream does not tell its raw socket; the client's port does. */
  #serveTls(stream: TLSSocket): void {
    const raw = [...this.#sockets].find((socket) => socket.remotePort === stream.remotePort);
    stream.on("error", () => {});
    if (raw === undefined) stream.destroy();
    else this.#serve(stream, raw);
  }

  #serve(stream: Duplex, raw: Socket): void {
    if (this.#options.mode === "echo") return serveEcho(stream);
    const service: SessionHost = {
      ledger: this.ledger,
      afterApply: this.#options.afterApply ?? (() => "ack"),
      applied: () => this.#changed(),
    };
    serveLedger(stream, () => reset(raw), service);
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Starts a service on a free loopback port. */
export async function startTcpService(options: TcpServiceOptions = {}): Promise<TcpService> {
  const service = new TcpService(options);
  await service.restart();
  return service;
}
