/** What the tests of the TCP client stand on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { TcpClient, type TcpClientOptions } from "../../../src/drivers/tcp/index.ts";
import { Governor } from "../../../src/governor/index.ts";
import type { LinkEvents } from "../../../src/link/index.ts";
import type { ResilienceOptions } from "../../../src/options/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { until as untilBy } from "../../support/until.ts";

/** Waits for a condition that nothing announces, at most 5 s. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  await untilBy(what, 5_000, holds);
}

/** Fast enough for tests; every value is smaller than its default and nothing else. */
export const quick: ResilienceOptions = {
  backoff: { minMs: 1, baseMs: 10, capMs: 50 },
  minDialGapMs: 5,
  connectTimeoutMs: 2_000,
  stableAfterMs: 0,
  closeTimeoutMs: 500,
};

/** The default framing of libhv and of the lab's TCP service. */
export const framed = { mode: "lengthField" } as const;

export interface Rig {
  /** A client that is closed, and seen to leave nothing, after the test. */
  client(options: TcpClientOptions): TcpClient;
  /** To be undone after the test, last first. */
  using<T extends AsyncDisposable>(resource: T): T;
}

export function rig(t: TestContext): Rig {
  const cleanUp = checkLeaks(t);
  return {
    client(options) {
      // Its own governor: tests of one file must not queue behind each other's dials.
      const { backoff, ...others } = quick;
      const own = options.reconnect === undefined && backoff !== undefined ? { backoff } : {};
      const resilience = { ...others, ...own, governor: new Governor(), ...options.resilience };
      const client = new TcpClient({ ...options, resilience });
      cleanUp(() => client.close());
      return client;
    },
    using(resource) {
      cleanUp(() => resource[Symbol.asyncDispose]());
      return resource;
    },
  };
}

/** The next event of that name; rejects after 5 s. */
export function next<K extends keyof LinkEvents>(client: TcpClient, name: K): Promise<LinkEvents[K]> {
  let event: LinkEvents[K] | undefined;
  const off = client.resilience.on(name, (told) => {
    event ??= told;
  });
  return until(`the event ${name}`, () => event !== undefined).then(() => {
    off();
    return event as LinkEvents[K];
  });
}

/** A bare server: every connection it had, what came in on it, and how often it was dialled. */
export interface BareServer extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Socket[];
  readonly received: Buffer[];
  live(): number;
}

export async function bareServer(
  serve: (socket: Socket, index: number) => void = () => {},
  options: { host?: string; port?: number } = {},
): Promise<BareServer> {
  const sockets: Socket[] = [];
  const received: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    serve(socket, sockets.length - 1);
  });
  server.listen(options.port ?? 0, options.host ?? "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    port: address.port,
    sockets,
    received,
    live: () => sockets.filter((socket) => !socket.closed).length,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A port on loopback where nobody listens. */
export async function deadPort(): Promise<number> {
  const server = await bareServer();
  await server[Symbol.asyncDispose]();
  return server.port;
}
