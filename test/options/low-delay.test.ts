/** Who asks for very short waits is told once, with the reason; a library's own default is not told. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type Backoff,
  constant,
  fromFunction,
  fullJitter,
  immediately,
  list,
  take,
} from "../../src/backoff/index.ts";
import { createPool } from "../../src/drivers/mysql2/index.ts";
import { connect, fromGoOptions } from "../../src/drivers/nats/index.ts";
import {
  clientOptionsOf,
  createClient,
  createClientPool,
  fromGoRedisUrl,
  fromRedisPy,
} from "../../src/drivers/redis/index.ts";
import { createTcpClient } from "../../src/drivers/tcp/index.ts";
import { resolveResilience } from "../../src/options/index.ts";
import { ElasticPool, FixedPool } from "../../src/pool/index.ts";

type Warning = Error & { readonly code?: string };
const heard: Warning[] = [];
const listen = (warning: Warning): void => {
  heard.push(warning);
};
process.on("warning", listen);
after(() => process.off("warning", listen));

/** What was warned of since the last call. Node tells a warning in the next tick. */
async function warnings(): Promise<string[]> {
  await new Promise<void>((resolve) => process.nextTick(resolve));
  return heard
    .splice(0)
    .filter(({ code }) => code === "HF_LOW_DELAY")
    .map(({ message }) => message);
}

const reason =
  "below 50 ms a fleet can saturate the server; very short waits keep a server that comes back busy with dials instead of work";

test("C7: by figures, by a preset's name and by a value: once for each name, with the wait and the reason", async () => {
  for (let i = 0; i < 3; i++) {
    resolveResilience({ backoff: { minMs: 0, baseMs: 20, capMs: 40 } });
    resolveResilience({ backoff: "go-redis" });
    resolveResilience({ backoff: constant(10) });
    resolveResilience({ auth: { backoff: list([30, 60]) } });
  }
  const told = await warnings();
  assert.equal(told.length, 4, told.join("\n"));
  assert.match(told[0] as string, /^backoff "first at once; .*": delay 20 ms: below 50 ms/);
  assert.match(told[1] as string, /^backoff "go-redis": delay \d+ ms: below/);
  assert.equal(told[2], `backoff "constant 10 ms": delay 10 ms: ${reason}`);
  assert.match(told[3] as string, /^backoff "list 30 ms, 60 ms, …": delay 30 ms/);
});

test("C7: nothing is said of longer waits, of one immediate try, of a function, and of our defaults", async () => {
  const asked = (): number => assert.fail("a function is not asked ahead of time");
  const throwing: Backoff = {
    description: "broken",
    start: () => {
      throw new Error("broken");
    },
  };
  for (const backoff of [constant(50), immediately(take(constant(60), 3)), fromFunction(asked), throwing])
    resolveResilience({ backoff });
  resolveResilience({ backoff: fullJitter(constant(120)) });
  resolveResilience({ name: "only a name" });
  resolveResilience({ backoff: "holdfast" });
  resolveResilience({ backoff: { capMs: 5_000 } });
  assert.deepEqual(await warnings(), []);
});

test("C7: libhv's setReconnect, at construction and at run time", async () => {
  createTcpClient({ port: 1, reconnect: { max_retry_cnt: 3 } });
  assert.deepEqual(await warnings(), []);
  const client = createTcpClient({ port: 1, reconnect: { minDelay: 11, delayPolicy: 0 } });
  void client.resilience.snapshot();
  client.setReconnect({ min_delay: 12, delay_policy: 0 });
  client.setReconnect({ min_delay: 12, delay_policy: 0 });
  const told = await warnings();
  assert.deepEqual(
    told.map((text) => /"libhv fixed (\d+ ms)/.exec(text)?.[1]),
    ["11 ms", "12 ms"],
  );
});

test("C7: a Redis client and pool: the strategy's number and the pool's own backoff; no default of a library", async () => {
  createClient();
  createClient(clientOptionsOf(fromGoRedisUrl("redis://h")));
  createClient(clientOptionsOf(fromRedisPy({ host: "h" }, { version: "8" })));
  createClientPool();
  assert.deepEqual(await warnings(), []);
  createClient({ socket: { reconnectStrategy: 13 } });
  createClientPool({}, { resilience: { backoff: constant(14) } });
  const told = await warnings();
  assert.deepEqual(
    told.map((text) => /delay (\d+) ms/.exec(text)?.[1]),
    ["13", "14"],
  );
});

test("C7: the engine's own pools; a backoff that a driver hands on is told of once", async () => {
  const connector = {
    open: () => Promise.resolve({}),
    close: () => Promise.resolve(),
    classify: () => "transient" as const,
  };
  await new ElasticPool({ connector }).close();
  new FixedPool({ connector });
  assert.deepEqual(await warnings(), []);
  const backoff = constant(18);
  await new ElasticPool({ connector, backoff }).close();
  await new ElasticPool({ connector, authBackoff: constant(19) }).close();
  new FixedPool({ connector, backoff: constant(20) });
  resolveResilience({ backoff: Object.assign(backoff, { description: "by another name" }) });
  const told = await warnings();
  assert.deepEqual(
    told.map((text) => /delay (\d+) ms/.exec(text)?.[1]),
    ["18", "19", "20"],
  );
  assert.throws(
    () => new ElasticPool({ connector, backoff: 5 as never }),
    /"backoff" is 5, but must be a back/,
  );
});

test("C7: a pool of mysql2", async () => {
  await createPool({ host: "h" }).end();
  assert.deepEqual(await warnings(), []);
  await createPool({ host: "h", resilience: { backoff: constant(15) } }).end();
  assert.match((await warnings()).join(), /^backoff "constant 15 ms"/);
});

test("C7: NATS: reconnectTimeWait, and nats.go's ReconnectWait", async () => {
  const nowhere = { servers: "127.0.0.1:1", timeout: 500, reconnectJitter: 0 };
  await assert.rejects(connect(nowhere));
  assert.deepEqual(await warnings(), []);
  await assert.rejects(connect({ ...nowhere, reconnectTimeWait: 16 }));
  await assert.rejects(connect({ ...fromGoOptions({ ReconnectWait: 17, ReconnectJitter: 0 }), ...nowhere }));
  assert.deepEqual(
    (await warnings()).map((text) => /delay (\d+) ms/.exec(text)?.[1]),
    ["16", "17"],
  );
});
