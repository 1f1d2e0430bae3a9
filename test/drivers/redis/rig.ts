/** A real server, a fault proxy in front of it, and a client of ours; all gone after the test. */
import type { TestContext } from "node:test";
import {
  createClient,
  type RedisClientResilience,
  type Resilient,
} from "../../../src/drivers/redis/index.ts";
import {
  type FaultProxy,
  faultProxy,
  type RunningServer,
  type StartOptions,
} from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { withRedis } from "../../support/servers.ts";

export type Client = ReturnType<typeof createClient>;
export type ClientOptions = NonNullable<Parameters<typeof createClient>[0]>;

export interface Rig {
  readonly server: RunningServer;
  readonly proxy: FaultProxy;
  /** A client through the proxy; destroyed after the test. */
  client(options?: ClientOptions): Client;
  /** Another one, straight to the server. */
  direct(): Promise<Client>;
}

/** Quick reactions, so that the tests are: nothing here is a default. */
export const quick: RedisClientResilience = {
  backoff: { minMs: 20, baseMs: 20, capMs: 50 },
  minDialGapMs: 10,
};

/** `undefined` when the machine has no Redis: the test is then marked as skipped and must return. */
export async function rigFor(t: TestContext, options: StartOptions = {}): Promise<Rig | undefined> {
  const cleanUp = checkLeaks(t);
  const server = await withRedis(t, options);
  if (server === undefined) return undefined;
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port } });
  cleanUp(() => proxy.close());
  const made = (client: Client): Client => {
    cleanUp(() => client.resilience.close());
    return client;
  };
  return {
    server,
    proxy,
    client: ({ resilience, ...rest } = {}) =>
      made(
        createClient({
          socket: { host: proxy.host, port: proxy.port },
          ...rest,
          resilience: { ...quick, ...resilience },
        }),
      ),
    async direct() {
      const client = made(createClient({ url: server.url, resilience: quick }));
      await client.connect();
      return client;
    },
  };
}

/** Resolves at the next event of that name. */
export function next(client: Resilient, name: Parameters<Resilient["resilience"]["on"]>[0]): Promise<void> {
  return new Promise((resolve) => {
    const off = client.resilience.on(name, () => {
      off();
      resolve();
    });
  });
}
