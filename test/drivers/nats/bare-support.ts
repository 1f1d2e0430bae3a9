/** The library itself and ours, side by side. */
import type { TestContext } from "node:test";
import {
  connect as bareConnect,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { connect, type NatsConnectOptions } from "../../../src/drivers/nats/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { type FakeBehaviour, type FakeServer, fakeNats } from "./fake-server.ts";

export const fast = {
  reconnectTimeWait: 50,
  reconnectJitter: 10,
  maxReconnectAttempts: -1,
  noRandomize: true,
};

/** One client and its server. */
export interface Side {
  readonly name: "nats.js" | "ours";
  readonly server: FakeServer;
  readonly nc: NatsConnection;
}

type Options = NodeConnectionOptions & Pick<NatsConnectOptions, "resilience">;

/** One connected client of each kind, each with a server of its own that behaves alike. */
export async function sides(
  t: TestContext,
  behaviour: () => FakeBehaviour = () => ({}),
  options: Options = {},
): Promise<{ bare: Side; ours: Side }> {
  const make = async (name: Side["name"]): Promise<Side> => {
    const server = await fakeNats(t, behaviour());
    const { resilience, ...library } = options;
    const nc =
      name === "ours"
        ? await connect({ ...fast, ...library, servers: server.url, ...(resilience && { resilience }) })
        : await bareConnect({ ...fast, ...library, servers: server.url });
    t.after(() => nc.close());
    return { name, server, nc };
  };
  return { bare: await make("nats.js"), ours: await make("ours") };
}

/** Resolves at the next status of this type. */
export async function status(nc: NatsConnection, type: string): Promise<void> {
  for await (const each of nc.status()) if (each.type === type) return;
}

/** Ends the server; resolves when its client has told the loss. */
export async function down(nc: NatsConnection, server: FakeServer): Promise<void> {
  const lost = status(nc, "disconnect");
  await server.close();
  await lost;
}

export function cut({ server }: Side): void {
  for (const socket of server.open) socket.destroy();
}

/** What became of a promise within this time: "resolved", its error, or "nothing". */
export async function within(promise: Promise<unknown>, ms: number): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = systemClock.setTimer(ms, () => resolve("nothing"));
    promise
      .then(
        () => "resolved",
        (error: unknown) => error,
      )
      .then((result) => {
        timer.cancel();
        resolve(result);
      });
  });
}
