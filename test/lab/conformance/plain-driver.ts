/** The least a driver can be, over the lab's TCP service: what the suite and the ledger are tried on. */
import { connect, type Socket } from "node:net";
import type { Endpoint } from "../../../src/endpoint/index.ts";
import { ackedId, encodePing, encodeWrite, isPong } from "../../../src/lab/index.ts";
import { type Driver, Link } from "../../../src/link/index.ts";
import { type ResilienceOptions, resolveResilience } from "../../../src/options/index.ts";

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** One connection: writes by id, pings in order. */
class PlainConnection {
  readonly socket: Socket;
  readonly writes: Map<number, Waiter> = new Map();
  readonly pings: Waiter[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(id: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.writes.set(id, { resolve, reject });
      this.socket.write(encodeWrite(id));
    });
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pings.push({ resolve, reject });
      this.socket.write(encodePing());
    });
  }

  /** Takes what was received; throws for bytes that are not of the protocol. */
  take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5) {
      const end = 5 + this.#rest.readUInt32BE(1);
      if (end > 1_000) throw new Error("a frame longer than any of this protocol");
      if (this.#rest.length < end) return;
      this.#frame(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  #frame(frame: Buffer): void {
    const id = ackedId(frame);
    if (id !== undefined) {
      this.writes.get(id)?.resolve();
      this.writes.delete(id);
    } else if (isPong(frame)) this.pings.shift()?.resolve();
    else throw new Error(`a frame of kind ${frame[0]}`);
  }

  fail(error: Error): void {
    for (const waiter of [...this.writes.values(), ...this.pings]) waiter.reject(error);
    this.writes.clear();
    this.pings.length = 0;
  }
}

const driver: Driver<PlainConnection> = {
  name: "plain",
  open: (dial) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: dial.endpoint.host, port: dial.endpoint.port });
      dial.tap(socket);
      const connection = new PlainConnection(socket);
      let failure = new Error("the connection ended");
      socket.on("error", (error) => {
        failure = error;
      });
      socket.on("data", (chunk: Buffer) => {
        dial.sink.alive();
        try {
          connection.take(chunk);
        } catch (error) {
          socket.destroy(error as Error);
        }
      });
      socket.on("close", () => {
        dial.sink.lost(failure);
        connection.fail(failure);
        reject(failure);
      });
      // A handshake of one ping: an accepted connection is not yet a working one.
      dial.step("handshake");
      connection.ping().then(() => resolve(connection), reject);
    }),
  restore: async () => ({ restored: [] }),
  probe: (connection) => connection.ping(),
  close: (connection) =>
    new Promise((resolve) => {
      if (connection.socket.closed) return resolve();
      connection.socket.once("close", () => resolve());
      connection.socket.destroy();
    }),
  bufferedBytes: (connection) => connection.socket.writableLength,
  classifyLink: () => "transient",
  classifyCall: () => ({ outcome: "maybe-applied" }),
};

export function plainLink(
  endpoints: readonly Endpoint[],
  resilience: ResilienceOptions,
): Link<PlainConnection> {
  const { name, ...resolved } = resolveResilience(resilience);
  return new Link({ name: name ?? "plain", driver, endpoints, ...resolved });
}

export function plainWrite(link: Link<PlainConnection>, id: number, deadlineMs: number): Promise<void> {
  const call = { bytes: 9, effect: "once", kind: "unary", name: "write", deadlineMs } as const;
  return link.call(call, (connection) => connection.write(id));
}

export function plainRead(link: Link<PlainConnection>, deadlineMs: number): Promise<void> {
  const call = { bytes: 5, effect: "read", kind: "unary", name: "ping", deadlineMs } as const;
  return link.call(call, (connection) => connection.ping());
}
