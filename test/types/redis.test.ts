/** One changed import: the types are the library's, with `resilience` beside them. Checked by the compiler. */
import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import * as library from "redis";
import * as ours from "../../src/drivers/redis/index.ts";
import type { PoolResilience, Resilience } from "../../src/observe/index.ts";

test("types of holdfast/redis", () => {
  const theirs = library.createClient();
  const client = ours.createClient();
  expectTypeOf(client).toExtend<typeof theirs>();
  expectTypeOf(client.resilience).toEqualTypeOf<Resilience>();
  expectTypeOf(client).toExtend<AsyncDisposable>();
  expectTypeOf(client.get).toEqualTypeOf(theirs.get);
  expectTypeOf(client.hGetAll).returns.toEqualTypeOf<ReturnType<typeof theirs.hGetAll>>();
  expectTypeOf(client.json.get).toEqualTypeOf(theirs.json.get);
  expectTypeOf(client.subscribe).toEqualTypeOf(theirs.subscribe);
  expectTypeOf(client.scanIterator).toEqualTypeOf(theirs.scanIterator);

  const script = library.defineScript({
    SCRIPT: "return 1",
    NUMBER_OF_KEYS: 0,
    parseCommand(_parser, _by: number) {},
    transformReply: undefined as unknown as () => number,
  });
  const typed = ours.createClient({ RESP: 2, scripts: { add: script }, commandOptions: { typeMapping: {} } });
  const typedTheirs = library.createClient({
    RESP: 2,
    scripts: { add: script },
    commandOptions: { typeMapping: {} },
  });
  expectTypeOf(typed.add).toEqualTypeOf(typedTheirs.add);
  expectTypeOf(typed.hGetAll).toEqualTypeOf(typedTheirs.hGetAll);
  const view = client.withTypeMapping({ [ours.RESP_TYPES.BLOB_STRING]: Buffer });
  expectTypeOf(view.get).returns.resolves.toEqualTypeOf<Buffer | null>();
  expectTypeOf(view.resilience).toEqualTypeOf<Resilience>();
  expectTypeOf(view).toExtend<AsyncDisposable>();
  const twin = client.duplicate({ database: 1 });
  expectTypeOf(twin.resilience).toEqualTypeOf<Resilience>();
  expectTypeOf(twin.get).toEqualTypeOf(theirs.get);
  expectTypeOf(twin).toExtend<typeof theirs>();
  expectTypeOf(client.asap().resilience).toEqualTypeOf<Resilience>();
  expectTypeOf(client.withAbortSignal(AbortSignal.abort()).resilience).toEqualTypeOf<Resilience>();
  const mapped = client.withCommandOptions({
    timeout: 1,
    typeMapping: { [ours.RESP_TYPES.BLOB_STRING]: Buffer },
  });
  expectTypeOf(mapped.get).returns.resolves.toEqualTypeOf<Buffer | null>();
  expectTypeOf(mapped.resilience).toEqualTypeOf<Resilience>();
  const connected = async () => (await client.connect()).resilience;
  expectTypeOf(connected).returns.resolves.toEqualTypeOf<Resilience>();
  const other = typed.duplicate({ resilience: { retryInitial: true } });
  expectTypeOf(other.resilience).toEqualTypeOf<Resilience>();
  expectTypeOf(other.add).toEqualTypeOf(typedTheirs.add);
  const multi = () => client.multi().set("a", "1").incr("b").exec();
  const multiTheirs = () => theirs.multi().set("a", "1").incr("b").exec();
  expectTypeOf(multi).toEqualTypeOf<typeof multiTheirs>();

  const pool = ours.createClientPool({ RESP: 2, scripts: { add: script } }, { maximum: 2 });
  const poolTheirs = library.createClientPool({ RESP: 2, scripts: { add: script } }, { maximum: 2 });
  expectTypeOf(pool).toExtend<typeof poolTheirs>();
  expectTypeOf(pool.get).toEqualTypeOf(poolTheirs.get);
  expectTypeOf(pool.add).toEqualTypeOf(poolTheirs.add);
  expectTypeOf(pool.execute).toEqualTypeOf(poolTheirs.execute);
  expectTypeOf(pool.resilience).toEqualTypeOf<PoolResilience>();
  expectTypeOf(client.createPool().resilience).toEqualTypeOf<PoolResilience>();

  expectTypeOf(ours.createClient).parameter(0).exclude<undefined>().toHaveProperty("resilience");
  expectTypeOf<ours.RedisClientOptions>().toEqualTypeOf<library.RedisClientOptions>();
  expectTypeOf<ours.RedisClientType>().toEqualTypeOf<library.RedisClientType>();
  const cluster = ours.createCluster({ rootNodes: [{}], RESP: 2, scripts: { add: script } });
  const clusterTheirs = library.createCluster({ rootNodes: [{}], RESP: 2, scripts: { add: script } });
  expectTypeOf(cluster).toExtend<typeof clusterTheirs>();
  expectTypeOf(cluster.get).toEqualTypeOf(clusterTheirs.get);
  expectTypeOf(cluster.add).toEqualTypeOf(clusterTheirs.add);
  expectTypeOf(cluster.resilience).toEqualTypeOf<ours.ClusterResilience>();
  expectTypeOf(cluster.duplicate().resilience).toEqualTypeOf<ours.ClusterResilience>();
  const clusterConnected = async () => (await cluster.connect()).resilience;
  expectTypeOf(clusterConnected).returns.resolves.toEqualTypeOf<ours.ClusterResilience>();
  // @ts-expect-error a key that does not exist
  () => ours.createClient({ resilience: { conectTimeoutMs: 1 } });
});
