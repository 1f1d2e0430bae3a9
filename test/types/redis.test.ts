/** One changed import: the types are the library's, with `resilience` beside them. Checked by the compiler. */
import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import * as library from "redis";
import * as ours from "../../src/drivers/redis/index.ts";
import type { Resilience } from "../../src/observe/index.ts";

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
  const multi = () => client.multi().set("a", "1").incr("b").exec();
  const multiTheirs = () => theirs.multi().set("a", "1").incr("b").exec();
  expectTypeOf(multi).toEqualTypeOf<typeof multiTheirs>();

  expectTypeOf(ours.createClient).parameter(0).exclude<undefined>().toHaveProperty("resilience");
  expectTypeOf<ours.RedisClientOptions>().toEqualTypeOf<library.RedisClientOptions>();
  expectTypeOf<ours.RedisClientType>().toEqualTypeOf<library.RedisClientType>();
  expectTypeOf(ours.createCluster).toEqualTypeOf(library.createCluster);
  // @ts-expect-error a key that does not exist
  () => ours.createClient({ resilience: { conectTimeoutMs: 1 } });
});
