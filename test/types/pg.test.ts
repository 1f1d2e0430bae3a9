/** One changed import: the types are the library's, with `resilience` beside them. Checked by the compiler. */
import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import library from "pg";
import * as ours from "../../src/drivers/pg/index.ts";
import type { Resilience } from "../../src/observe/index.ts";

test("types of holdfast/pg", async () => {
  const pool = new ours.Pool({ max: 2, resilience: { reset: "always" } });
  const client = new ours.Client("postgres://nobody@localhost/nothing");
  expectTypeOf(pool).toExtend<library.Pool>();
  expectTypeOf(client).toExtend<library.Client>();
  expectTypeOf(client.resilience).toEqualTypeOf<Resilience>();
  expectTypeOf(pool.resilience).toEqualTypeOf<ours.PoolResilience>();
  expectTypeOf<ours.PoolClient>().toExtend<library.PoolClient>();
  expectTypeOf(pool.query).toEqualTypeOf<library.Pool["query"]>();
  expectTypeOf(client.query).toEqualTypeOf<library.Client["query"]>();
  expectTypeOf(pool.connect).returns.toExtend<unknown>();
  expectTypeOf<Awaited<ReturnType<typeof borrowed>>>().toEqualTypeOf<ours.PoolClient>();
  expectTypeOf(ours.types).toEqualTypeOf(library.types);
  expectTypeOf<ours.QueryResult>().toEqualTypeOf<library.QueryResult>();
  expectTypeOf(ours.default.Pool).toEqualTypeOf(ours.Pool);
  const config: library.QueryConfig = { text: "SELECT 1", resilience: { effect: "read", deadlineMs: 5 } };
  expectTypeOf(config).toExtend<ours.QueryConfig>();
  // @ts-expect-error: no such effect
  const wrong: library.QueryConfig = { text: "SELECT 1", resilience: { effect: "reed" } };
  void wrong;
  async function borrowed() {
    return pool.connect();
  }
  await Promise.all([pool.end(), client.end()]);
});
