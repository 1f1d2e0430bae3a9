/** A real server, a fault proxy in front of it, clients and pools of ours; all gone after the test. */
import type { TestContext } from "node:test";
import bare from "pg";
import { Client, type PgPoolResilience, Pool } from "../../../src/drivers/pg/index.ts";
import {
  type FaultProxy,
  faultProxy,
  type RunningServer,
  type StartOptions,
} from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { withServer } from "../../support/servers.ts";

export type ClientOptions = Exclude<NonNullable<ConstructorParameters<typeof Client>[0]>, string>;
export type PoolOptions = NonNullable<ConstructorParameters<typeof Pool>[0]>;

export interface Rig {
  readonly server: RunningServer;
  readonly proxy: FaultProxy;
  /** Where clients connect: the proxy. */
  readonly where: {
    readonly user: string;
    readonly database: string;
    readonly host: string;
    readonly port: number;
  };
  readonly quick: PgPoolResilience;
  /** A client through the proxy, not connected yet. */
  client(options?: ClientOptions): Client;
  /** The same, connected. */
  connected(options?: ClientOptions): Promise<Client>;
  pool(options?: PoolOptions): Pool;
  /** The library's own client, straight to the server (or to another). */
  bare(other?: RunningServer): Promise<bare.Client>;
}

/** Quick reactions, so that the tests are: nothing here is a default. */
export const quick: PgPoolResilience = {
  backoff: { minMs: 20, baseMs: 20, capMs: 50 },
  minDialGapMs: 10,
};

/** `undefined` when the machine has no PostgreSQL: the test is then marked as skipped and must return. */
export async function rigFor(t: TestContext, options: StartOptions = {}): Promise<Rig | undefined> {
  const cleanUp = checkLeaks(t);
  const server = await withServer(t, "postgres", options);
  if (server === undefined) return undefined;
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port } });
  cleanUp(() => proxy.close());
  const url = new URL(server.url);
  const where = { user: url.username, database: url.pathname.slice(1), host: proxy.host, port: proxy.port };
  const rig: Rig = {
    ...{ server, proxy, where, quick },
    client({ resilience, ...rest } = {}) {
      const client = new Client({ ...where, ...rest, resilience: { ...quick, ...resilience } });
      cleanUp(() => client.resilience.close());
      return client;
    },
    async connected(more) {
      const client = rig.client(more);
      await client.connect();
      return client;
    },
    pool({ resilience, ...rest } = {}) {
      const pool = new Pool({ ...where, ...rest, resilience: { ...quick, ...resilience } });
      cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
      return pool;
    },
    async bare(other = server) {
      const client = new bare.Client({ connectionString: other.url });
      client.on("error", () => {}); // its promises tell
      await client.connect();
      cleanUp(() => client.end());
      return client;
    },
  };
  return rig;
}

/** Resolves at the next event of that name. */
export function next(client: Client, name: Parameters<Client["resilience"]["on"]>[0]): Promise<void> {
  return new Promise((resolve) => {
    const off = client.resilience.on(name, () => {
      off();
      resolve();
    });
  });
}
