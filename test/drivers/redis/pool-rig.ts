/** Pools of clients against a real server behind a fault proxy; all gone after the test. */
import type { TestContext } from "node:test";
import {
  type ClientPoolOptions,
  clientPoolOptionsOf,
  createClientPool,
  fromGoRedisUrl,
} from "../../../src/drivers/redis/index.ts";
import {
  type FaultProxy,
  faultProxy,
  type RunningServer,
  type StartOptions,
} from "../../../src/lab/index.ts";
import { checkLeaks } from "../../support/leaks.ts";
import { withRedis } from "../../support/servers.ts";
import { quick } from "./rig.ts";

export type ClientPool = ReturnType<typeof createClientPool>;
type GivenClientOptions = NonNullable<Parameters<typeof createClientPool>[0]>;

export interface PoolRig {
  readonly server: RunningServer;
  readonly proxy: FaultProxy;
  /** A pool through the proxy, not connected. */
  pool(options?: ClientPoolOptions, client?: GivenClientOptions): ClientPool;
  /** What go-redis would make of these parameters, through the proxy. */
  go(query: string): ClientPool;
  own(pool: ClientPool): ClientPool;
}

/** `undefined` when the machine has no Redis: the test is then marked as skipped and must return. */
export async function poolRigFor(t: TestContext, options: StartOptions = {}): Promise<PoolRig | undefined> {
  const cleanUp = checkLeaks(t);
  const server = await withRedis(t, options);
  if (server === undefined) return undefined;
  const proxy = await faultProxy({ upstream: { host: server.host, port: server.port } });
  cleanUp(() => proxy.close());
  const own = (pool: ClientPool): ClientPool => {
    cleanUp(() => pool.resilience.close({ deadlineMs: 0 }));
    return pool;
  };
  const { host, port } = proxy;
  return {
    server,
    proxy,
    own,
    pool: (pool, { resilience, ...client } = {}) =>
      own(
        createClientPool(
          { socket: { host, port }, ...client, resilience: { ...quick, ...resilience } },
          pool,
        ),
      ),
    go: (query) =>
      own(createClientPool(...clientPoolOptionsOf(fromGoRedisUrl(`redis://${host}:${port}?${query}`)))),
  };
}

/** Borrows `count` clients at once and holds them until `release`. */
export async function hold(
  pool: ClientPool,
  count: number,
): Promise<{ ids: number[]; release(): Promise<void> }> {
  let free: () => void = () => {};
  const freed = new Promise<void>((resolve) => {
    free = resolve;
  });
  const ids: number[] = [];
  let done: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    done = Promise.all(
      Array.from({ length: count }, () =>
        pool.execute(async (client) => {
          ids.push(await client.clientId());
          if (ids.length === count) resolve();
          await freed;
        }),
      ),
    );
    done.catch(reject);
  });
  return {
    ids,
    async release() {
      free();
      await done;
    },
  };
}
