/** A peer's configuration, all the way to a client that runs by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clientOptionsOf,
  createClient,
  fromGoRedisUrl,
  fromRedisPyYaml,
} from "../../../src/drivers/redis/index.ts";
import { fakeServer } from "./fake-server.ts";
import { quick, rigFor } from "./rig.ts";

test("the go-redis URL of the sources: where, which database, deadlines, retries", () => {
  const url = "redis://user:password@localhost:6789/3?dial_timeout=3&db=1&read_timeout=6s&max_retries=2";
  const options = clientOptionsOf(fromGoRedisUrl(url));
  assert.deepEqual(options.socket, { host: "localhost", port: 6789 });
  assert.deepEqual(
    [options.database, options.username, options.password, options.commandOptions],
    [1, "user", "password", { timeout: 6_000 }],
  );
  assert.equal(options.resilience.connectTimeoutMs, 3_000);
  assert.deepEqual(options.resilience.retry, { maxRetries: 2 });
  assert.ok(createClient(options));
});

test("a go-redis URL against a real server: its database is used, its retries heal a loss", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  const url = `redis://${rig.proxy.host}:${rig.proxy.port}/2?max_retries=3&read_timeout=1s`;
  const { resilience, ...options } = clientOptionsOf(fromGoRedisUrl(url));
  const client = rig.client({ ...options, resilience: { ...resilience, ...quick } });
  assert.equal((await client.clientInfo()).db, 2, "R10: a command is what makes it connect");
  const reads = Array.from({ length: 10 }, () => client.get("k"));
  rig.proxy.cut("rst");
  assert.deepEqual(await Promise.all(reads), Array(10).fill(null));
});

test("max_retries is counted and paced: 2 means three sends, then the server's refusal", async () => {
  let asked = 0;
  await using server = await fakeServer(([name]) =>
    name === "INCR" && ++asked ? "-LOADING not yet\r\n" : undefined,
  );
  const url = `redis://127.0.0.1:${server.port}?max_retries=2&min_retry_backoff=1ms&max_retry_backoff=4ms`;
  const client = createClient(clientOptionsOf(fromGoRedisUrl(url)));
  await client.connect();
  await assert.rejects(client.incr("n"), /LOADING/);
  assert.equal(asked, 3);
  await client.resilience.close();
});

test("max_retries=-1: one send, and the reply as it is", async () => {
  let asked = 0;
  await using server = await fakeServer(([name]) =>
    name === "INCR" && ++asked ? "-LOADING not yet\r\n" : undefined,
  );
  const client = createClient(
    clientOptionsOf(fromGoRedisUrl(`redis://127.0.0.1:${server.port}?max_retries=-1`)),
  );
  await client.connect();
  await assert.rejects(client.incr("n"), /LOADING/);
  assert.equal(asked, 1);
  await client.resilience.close();
});

test("the redis-py YAML of the sources becomes a client", () => {
  const yaml = `
redis:
  host: "127.0.0.1"
  port: 6379
  password: "123456"
  max_connections: 10
  socket_connect_timeout: 1
  retry_on_timeout: true
`;
  const options = clientOptionsOf(fromRedisPyYaml(yaml));
  assert.equal(options.password, "123456");
  assert.equal(options.resilience.connectTimeoutMs, 1_000);
  assert.ok(createClient(options));
});
