/** Who hammers a server that accepts and drops? Dials are counted in this process, connections at the server. */
import { createServer } from "node:net";
import type { Bench } from "./bench.ts";
import { countDials } from "./dials.ts";
import { progress } from "./harness.ts";
import { holdfastRedis, type Peer, peers } from "./peers.ts";
import { figure } from "./report.ts";
import { median } from "./statistics.ts";

const CLIENTS = 5;

async function dialsOf(peer: Peer, seconds: number): Promise<number[]> {
  const clients = Array.from({ length: CLIENTS }, async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.resetAndDestroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const dials = countDials(port);
    const client = peer.open(port);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const made = dials();
    client.close();
    await new Promise((resolve) => server.close(resolve));
    return made;
  });
  return Promise.all(clients);
}

export const acceptDrop: Bench = {
  title: "dials against a server that accepts and drops",
  async run({ full }) {
    const seconds = full ? 60 : 20;
    progress(`accept-drop: ${seconds} s`);
    const found = await Promise.all(
      [...peers, holdfastRedis].map(async (peer) => ({
        name: peer.name,
        dials: await dialsOf(peer, seconds),
      })),
    );
    return {
      method: [
        `each connection is reset as soon as it is accepted; idle clients at their defaults, all at the same time`,
        `${CLIENTS} clients of each kind, each with a server of its own, for ${seconds} s`,
      ],
      tables: [
        {
          columns: ["client", `dials in ${seconds} s, median`, "min", "max", "dials a second"],
          rows: found.map(({ name, dials }) => [
            name,
            figure(median(dials)),
            String(Math.min(...dials)),
            String(Math.max(...dials)),
            figure(median(dials) / seconds),
          ]),
        },
      ],
      goals: [],
      notes: [],
    };
  },
};
