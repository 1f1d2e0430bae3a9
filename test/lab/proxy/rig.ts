/** What the tests of the proxy stand on: a server that remembers, and a client that says how it ended. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { Upstream } from "../../../src/lab/index.ts";
import { systemClock } from "../../../src/time/index.ts";

const deadlineMs = 5_000;

/** Looked at in every turn of the event loop at first, since most conditions are a few turns away; then less often. */
const eagerMs = 20;
const lookEveryMs = 2;

/** Waits for a condition, at most `deadlineMs`. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const startMs = systemClock.nowMs();
  while (!holds()) {
    const waitedMs = systemClock.nowMs() - startMs;
    if (waitedMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    if (waitedMs < eagerMs) await turn();
    else await new Promise<void>((resolve) => void systemClock.setTimer(lookEveryMs, resolve));
  }
}

/** One side of a connection: what it got, and how it ended. */
export class Peer implements AsyncDisposable {
  readonly socket: Socket;
  /** Arrived pieces with their time. */
  readonly pieces: { readonly bytes: Buffer; readonly atMs: number }[] = [];
  /** The peer's FIN came. */
  gotFin = false;
  errorCode: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.pieces.push({ bytes, atMs: systemClock.nowMs() }));
    socket.on("end", () => {
      this.gotFin = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? error.message;
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces.map(({ bytes }) => bytes));
  }

  get text(): string {
    return this.bytes.toString();
  }

  get count(): number {
    return this.pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  send(data: string | Buffer): this {
    this.socket.write(data);
    return this;
  }

  /** Resolves when that many bytes have come. */
  async got(count: number): Promise<this> {
    await until(`${count} bytes (there are ${this.count})`, () => this.count >= count);
    return this;
  }

  async fin(): Promise<this> {
    await until("a FIN", () => this.gotFin);
    return this;
  }

  /** Resolves with the error's code, or "fin" when the end was orderly. */
  async ended(): Promise<string> {
    await until("the socket's close", () => this.socket.closed);
    return this.errorCode ?? "fin";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.ended();
  }
}

export async function dial(to: Upstream, options: { allowHalfOpen?: boolean } = {}): Promise<Peer> {
  const socket = connect({ ...to, noDelay: true, ...options });
  await once(socket, "connect");
  return new Peer(socket);
}

/**
 * Connects, sends nothing and waits for the end: the error's code, or "fin". A reset right behind the accept may come
 * up as the connect's own error.
 */
export async function howItEnds(to: Upstream): Promise<string> {
  const peer = new Peer(connect({ ...to }));
  return await peer.ended();
}

/** The error code a connect ends with, or "connected". */
export async function tryDial(to: Upstream): Promise<string> {
  const socket = connect({ ...to });
  const how = await new Promise<string>((resolve) => {
    socket.once("connect", () => resolve("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  socket.destroy();
  await until("the socket's close", () => socket.closed);
  return how;
}

export interface TestServer extends AsyncDisposable {
  readonly endpoint: Upstream;
  /** Every connection it has had, oldest first. */
  readonly peers: readonly Peer[];
  /** Waits for the connection with that index. */
  peer(index: number): Promise<Peer>;
}

/** A server that keeps what it gets; with `echo` it sends it back. It never closes on its own. */
export async function testServer(
  options: { echo?: boolean; greeting?: string; answer?: (chunk: Buffer) => string } = {},
): Promise<TestServer> {
  const peers: Peer[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    peers.push(new Peer(socket));
    if (options.greeting) socket.write(options.greeting);
    if (options.echo) socket.on("data", (chunk) => socket.writable && socket.write(chunk));
    const { answer } = options;
    if (answer) socket.on("data", (chunk: Buffer) => socket.write(answer(chunk)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  return {
    endpoint: { host: "127.0.0.1", port: address.port },
    peers,
    async peer(index) {
      await until(`connection ${index} at the server`, () => peers.length > index);
      return peers[index] as Peer;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const peer of peers) await peer[Symbol.asyncDispose]();
      await closed;
    },
  };
}
