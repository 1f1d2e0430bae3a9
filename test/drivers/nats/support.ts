/** Connections of ours and of the bare library for tests, and the events of ours as lines. */
import type { TestContext } from "node:test";
import {
  connect,
  type NatsConnectOptions,
  type ResilientNatsConnection,
} from "../../../src/drivers/nats/index.ts";
import type { RunningServer } from "../../../src/lab/index.ts";
import { withServer } from "../../support/servers.ts";

export function withNats(
  t: TestContext,
  options: Parameters<typeof withServer>[2] = {},
): Promise<RunningServer | undefined> {
  return withServer(t, "nats", options);
}

/** Fast enough for tests; everything else as by default. */
export const quick: NatsConnectOptions = {
  reconnectTimeWait: 50,
  reconnectJitter: 10,
  maxReconnectAttempts: -1,
  noRandomize: true,
};

/** A connection that is closed after the test. */
export async function connected(
  t: TestContext,
  servers: string | string[],
  options: NatsConnectOptions = {},
): Promise<ResilientNatsConnection> {
  const nc = await connect({ ...quick, ...options, servers });
  t.after(() => nc.close());
  return nc;
}

/** Everything the link says from now on, in order: names, and causes where there are some. */
export function told(nc: ResilientNatsConnection): string[] {
  const lines: string[] = [];
  const names = [
    "connected",
    "attemptFailed",
    "disconnected",
    "reconnected",
    "discovered",
    "lameDuck",
    "closed",
    "unconfirmed",
    "gap",
  ] as const;
  for (const name of names) nc.resilience.on(name, () => lines.push(name));
  return lines;
}

/** Resolves at the next event of this name. */
export function next(
  nc: ResilientNatsConnection,
  name: Parameters<ResilientNatsConnection["resilience"]["on"]>[0],
): Promise<unknown> {
  return new Promise((resolve) => {
    const off = nc.resilience.on(name, (event) => {
      off();
      resolve(event);
    });
  });
}

/** Ends the connection's server in this way; resolves when the loss is told. */
export async function lose(nc: ResilientNatsConnection, end: () => Promise<unknown>): Promise<void> {
  const lost = next(nc, "disconnected");
  await end();
  await lost;
}
