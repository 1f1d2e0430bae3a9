/** Every option of docs/redis.md by its own name: its default and its effect. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient as createBare } from "redis";
import { type Backoff, presetNamed } from "../../../src/backoff/index.ts";
import {
  createClient,
  fromGoRedisOptions,
  fromGoRedisUrl,
  fromRedisPy,
} from "../../../src/drivers/redis/index.ts";
import { connectionOptions, readSettings, socketOptions } from "../../../src/drivers/redis/settings.ts";
import { seededRandom } from "../../../src/time/index.ts";
import { fakeServer } from "./fake-server.ts";
import { rigFor } from "./rig.ts";

const here = { host: "10.0.0.1", port: 6379 };

function delays(backoff: Backoff, count: number): (number | "stop")[] {
  const random = seededRandom(1);
  let schedule = backoff.start();
  return Array.from({ length: count }, (_, attempt) => {
    const step = schedule.next(random, { attempt, elapsedMs: 0, cause: new Error("gone") });
    if ("exhausted" in step) return "stop";
    schedule = step.schedule;
    return step.delayMs;
  });
}

test("nothing given: the defaults of the page", () => {
  const { endpoints, resolved, tellsPings, retryBackoff, retryTimeouts, retryLosses, writeTimeoutMs } =
    readSettings({}, undefined);
  assert.deepEqual(endpoints, [{ host: "localhost", port: 6379 }]);
  assert.equal(resolved.policy.connectTimeoutMs, 5_000);
  assert.equal(resolved.policy.retryInitial, false);
  assert.equal(resolved.outbox.entries, 10_000);
  assert.equal(resolved.tcpKeepAliveMs, 15_000);
  assert.equal(resolved.liveness.idleProbeMs, 15_000);
  assert.deepEqual([tellsPings, retryBackoff, retryTimeouts, retryLosses], [false, undefined, false, true]);
  assert.equal(writeTimeoutMs, Infinity);
  const options = (client: object): { timeout?: number } | undefined =>
    (client as { _commandOptions?: { timeout?: number } })._commandOptions;
  assert.equal(options(createClient())?.timeout, 5_000);
  assert.equal(options(createBare())?.timeout, 5_000, "the library's own");
});

test("url: host, port, user, database, TLS and Unix sockets, the first endpoint", () => {
  const first = (url: string): unknown =>
    readSettings(createBare({ url }).options as never, undefined).endpoints[0];
  assert.deepEqual(first("redis://u:p@10.0.0.1:7000/3"), { host: "10.0.0.1", port: 7000 });
  assert.deepEqual(first("rediss://10.0.0.2"), { host: "10.0.0.2", port: 6379, tls: true });
  assert.deepEqual(first("unix:///run/redis.sock"), { host: "", port: 0, path: "/run/redis.sock" });
});

test("socket.connectTimeout: name, TCP and handshake together; resilience.connectTimeoutMs wins", async (t) => {
  const rig = await rigFor(t);
  if (rig === undefined) return;
  await using _silent = await rig.proxy.fault({ kind: "blackHole", direction: "down" });
  const { host, port } = rig.proxy;
  const client = rig.client({ socket: { host, port, connectTimeout: 500 } });
  await assert.rejects(client.connect(), {
    code: "HF_CONNECT",
    message: /took longer than 500 ms \(handshake\)/,
  });
  const both = { socket: { ...here, connectTimeout: 150 } };
  assert.equal(readSettings(both, { connectTimeoutMs: 70 }).resolved.policy.connectTimeoutMs, 70);
});

test("socket.reconnectStrategy: number, function, false, an Error; none: holdfast-redis", () => {
  const policy = (reconnectStrategy: unknown) =>
    readSettings({ socket: { ...here, reconnectStrategy } } as never, undefined).resolved.policy;
  assert.deepEqual(delays(policy(300).backoff, 3), [0, 300, 300]);
  assert.equal(policy(300).retryInitial, true);
  assert.deepEqual(delays(policy(() => 30).backoff, 3), [0, 30, 30]);
  assert.deepEqual(delays(policy(() => new Error("enough")).backoff, 2), [0, "stop"]);
  assert.deepEqual(delays(policy(() => false).backoff, 2), [0, "stop"]);
  assert.equal(policy(false).reconnect, false);
  const none = policy(undefined);
  assert.equal(none.backoff, presetNamed("holdfast-redis").backoff); // its figures: test/backoff/recovery.test.ts
  assert.equal(none.retryInitial, false);
});

test("commandOptions.timeout: covers the reply; 0 is none; a blocking command has its own time on top", async () => {
  await using server = await fakeServer(([name]) => (name === "GET" || name === "BLPOP" ? "" : undefined));
  const client = createClient({
    socket: { host: "127.0.0.1", port: server.port },
    commandOptions: { timeout: 100 },
  });
  await client.connect();
  const took = async (call: Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await assert.rejects(call, { code: "HF_DEADLINE", step: "reply" });
    return performance.now() - startMs;
  };
  assert.ok((await took(client.get("k"))) >= 99);
  await client.resilience.whenReady(); // a silent connection is replaced
  let settled = false;
  const patient = client.withCommandOptions({ timeout: 0 }).get("k");
  patient
    .catch(() => {})
    .finally(() => {
      settled = true;
    });
  assert.ok((await took(client.blPop("list", 0.2))) >= 299);
  assert.equal(settled, false);
  await client.resilience.close();
  await assert.rejects(patient);
});

test("disableOfflineQueue and commandsQueueMaxLength bound what waits; resilience.outbox does not undo that", () => {
  const entries = (options: object): number =>
    readSettings(options, { outbox: { entries: 500 } }).resolved.outbox.entries;
  assert.equal(entries({ disableOfflineQueue: true }), 0);
  assert.equal(entries({ commandsQueueMaxLength: 7 }), 7);
  assert.equal(entries({}), 500);
});

test("pingInterval is the idle time before a probe; 0 leaves the default; resilience.liveness wins", () => {
  const probe = (pingInterval: number, liveness?: object): unknown =>
    readSettings({ pingInterval }, liveness && { liveness }).resolved.liveness.idleProbeMs;
  assert.deepEqual([probe(700), probe(0), probe(700, { idleProbeMs: 90 })], [700, 15_000, 90]);
});

test("socket.keepAlive and keepAliveInitialDelay are the caller's; without them TCP probes after 15 s", () => {
  const kept = (given: object): unknown[] => {
    const options = socketOptions(given as never, here, 15_000, 5_000) as Record<string, unknown>;
    return [options.keepAlive, options.keepAliveInitialDelay];
  };
  assert.deepEqual(kept({}), [true, 15_000]);
  assert.deepEqual(kept({ keepAlive: false })[0], false);
  assert.deepEqual(kept({ keepAliveInitialDelay: 1_000 }), [true, 1_000]);
});

test("the library's own retrying, queueing, timing and hand-overs are off on each connection; the rest reaches it", () => {
  const tls = { rejectUnauthorized: false, minVersion: "TLSv1.3", maxVersion: "TLSv1.3", servername: "x" };
  const given = {
    url: "redis://h",
    pingInterval: 5,
    maintNotifications: "enabled",
    commandOptions: { timeout: 9 },
    ...{ RESP: 2, keyPrefix: "p:", name: "n", database: 3, readonly: true, clientInfoTag: "tag" },
    ...{ disableClientInfo: true, emitInvalidate: true, maintEndpointType: "none", unstableResp3: true },
    ...{
      maintRelaxedCommandTimeout: 1,
      maintRelaxedSocketTimeout: 1,
      modules: {},
      functions: {},
      scripts: {},
    },
    socket: {
      noDelay: false,
      localAddress: "127.0.0.1",
      localPort: 0,
      socketTimeout: 8,
      reconnectStrategy: 5,
      ...tls,
    },
  };
  const options = connectionOptions(given as never, here, 15_000, 5_000, {}) as Record<string, unknown>;
  const { url, pingInterval, commandOptions, maintNotifications, disableOfflineQueue, socket, ...rest } =
    options;
  assert.deepEqual([url, pingInterval, commandOptions], [undefined, undefined, { timeout: 0 }]);
  assert.deepEqual([maintNotifications, disableOfflineQueue], ["disabled", true]);
  const through = ["RESP", "keyPrefix", "name", "database", "readonly", "clientInfoTag", "disableClientInfo"];
  for (const key of through) assert.equal(rest[key], (given as Record<string, unknown>)[key], key);
  const { reconnectStrategy, connectTimeout, ...wire } = socket as Record<string, unknown>;
  assert.deepEqual([reconnectStrategy, connectTimeout], [false, 0]);
  for (const [key, value] of Object.entries({
    noDelay: false,
    localAddress: "127.0.0.1",
    socketTimeout: 8,
    ...tls,
  }))
    assert.equal(wire[key], value, key);
});

test("go-redis by name: ClientName, Protocol, and what is Go code is refused with a reason", () => {
  const { client } = fromGoRedisOptions({ Addr: "h:1", ClientName: "me", Protocol: 2 });
  assert.deepEqual([client.clientName, client.protocol], ["me", 2]);
  assert.equal(fromGoRedisOptions({ Protocol: 0 }).client.protocol, undefined);
  for (const key of ["Dialer", "Limiter", "CredentialsProvider", "CredentialsProviderContext"])
    assert.throws(
      () => fromGoRedisOptions({ [key]: () => 1 }),
      new RegExp(`"${key}" is refused: it is Go code`),
    );
  for (const key of ["StreamingCredentialsProvider", "PushNotificationProcessor"])
    assert.throws(() => fromGoRedisOptions({ [key]: {} }), /is refused: it is Go code/);
  for (const key of ["DialerRetries", "DialerRetryTimeout", "DialerRetryBackoff"])
    assert.throws(() => fromGoRedisOptions({ [key]: 1 }), /is refused: the engine owns dialling/);
  for (const key of ["addr", "read_only", "route_by_latency", "route_randomly", "max_redirects"])
    assert.throws(
      () => fromGoRedisUrl(`redis://h?${key}=1`),
      new RegExp(`"${key}" is refused: it belongs to a cluster`),
    );
});

test("redis-py by name: Python objects, decoding and certificate files are refused with a reason", () => {
  const python = [
    "connection_pool",
    "redis_connect_func",
    "credential_provider",
    "retry_class",
    "connection_class",
  ];
  for (const key of [...python, "cache", "cache_config"])
    assert.throws(() => fromRedisPy({ [key]: {} }), new RegExp(`"${key}" is refused: it is a Python object`));
  for (const key of ["decode_responses", "encoding", "encoding_errors"])
    assert.throws(() => fromRedisPy({ [key]: "x" }), /is refused: decoding of replies/);
  for (const key of ["ssl_certfile", "ssl_keyfile", "ssl_ca_certs", "ssl_ca_data", "ssl_ca_path"])
    assert.throws(() => fromRedisPy({ [key]: "x" }), /is refused: certificates are given/);
  assert.throws(() => fromRedisPy({ single_connection_client: true }), /is refused/);
  assert.throws(() => fromRedisPy({ socket_keepalive_options: {} }), /is refused: Node can set/);
});
