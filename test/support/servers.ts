/** Real servers for tests: started, handed over, and gone after the test; skipped loudly where they can't be had. */
import type { TestContext } from "node:test";
import {
  NatsCluster,
  type NatsClusterOptions,
  RedisCluster,
  type RedisClusterOptions,
  type RunningServer,
  type ServerName,
  ServerUnavailable,
  SqlPair,
  type SqlPairOptions,
  type StartOptions,
  startServer,
} from "../../src/lab/index.ts";

/**
 * A server for one test. `undefined` when this machine can't have it: the test is then marked as skipped, with the
 * way to get it as the reason, and must return. With CI=true a missing server is a failure, unless it can't be asked for
 * here (no Go for a server that is built).
 */
export function withServer(
  t: TestContext,
  name: ServerName,
  options: StartOptions = {},
): Promise<RunningServer | undefined> {
  return withOrSkip(t, () => startServer(name, options));
}

/** The same for three nats-servers that know each other. */
export function withNatsCluster(
  t: TestContext,
  options: NatsClusterOptions = {},
): Promise<NatsCluster | undefined> {
  return withOrSkip(t, () => NatsCluster.start(options));
}

/** The same for a primary and its standby. */
export function withSqlPair(
  t: TestContext,
  name: "mariadb" | "postgres",
  options: SqlPairOptions = {},
): Promise<SqlPair | undefined> {
  return withOrSkip(t, () => SqlPair.start(name, options));
}

/** The same for redis-servers that form a cluster. */
export function withRedisCluster(
  t: TestContext,
  options: RedisClusterOptions = {},
): Promise<RedisCluster | undefined> {
  return withOrSkip(t, () => RedisCluster.start(options));
}

async function withOrSkip<T extends AsyncDisposable>(
  t: TestContext,
  start: () => Promise<T>,
): Promise<T | undefined> {
  try {
    const server = await start();
    t.after(() => server[Symbol.asyncDispose]());
    return server;
  } catch (error) {
    if (!(error instanceof ServerUnavailable) || (process.env.CI === "true" && error.required)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

/** `const redis = await withRedis(t); if (redis === undefined) return;` */
export function withRedis(t: TestContext, options: StartOptions = {}): Promise<RunningServer | undefined> {
  return withServer(t, "redis", options);
}
