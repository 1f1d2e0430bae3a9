/** nats.js and ours, as the bench of outages sees them. */
import { connect as bareConnect, type NatsConnection } from "@nats-io/transport-node";
import { connect } from "../src/drivers/nats/index.ts";
import type { Peer } from "./peers.ts";

/** Who answers the requests of a bench. */
export const ECHO = "bench.echo";
const CALL_MS = 1_000;

function peer(name: string, open: (port: number) => Promise<NatsConnection>): Peer {
  return {
    name,
    open(port) {
      const opening = open(port);
      opening.catch(() => {});
      return {
        get: async () => (await opening).request(ECHO, "", { timeout: CALL_MS }),
        close: () => void opening.then((nc) => nc.close()).catch(() => {}),
      };
    },
  };
}

/** Both are told never to give up: nats.js would after some 20 s, ours after some two minutes. */
export const natsPeers: readonly Peer[] = [
  peer("nats.js", (port) => bareConnect({ port, maxReconnectAttempts: -1 })),
  peer("holdfast/nats", (port) => connect({ port, maxReconnectAttempts: -1 })),
];
