import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { systemRandom, uniform } from "../../time/index.ts";

/** Below this are the well-known services of a developer's machine. */
const LOWEST_PORT = 10_240;
const TRIES = 50;

/**
 * A loopback port that nobody listens on, below the range that the kernel gives to outgoing connections. Inside that
 * range a client that dials a dead server's port again and again is one day given that very port as its own and
 * connects to itself, and a restarted server finds its port taken.
 */
export async function freePort(): Promise<number> {
  const lowestOutgoing = await lowestOutgoingPort();
  for (let i = 0; i < TRIES && lowestOutgoing > LOWEST_PORT; i++) {
    const port = Math.floor(uniform(systemRandom, LOWEST_PORT, lowestOutgoing));
    if ((await listenOnce(port)) !== undefined) return port;
  }
  const any = await listenOnce(0);
  if (any === undefined) throw new Error("no free port on 127.0.0.1");
  return any;
}

/** Linux says where its range starts; elsewhere the range registered for dynamic ports starts at 49152. */
async function lowestOutgoingPort(): Promise<number> {
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "49152");
  return Number.parseInt(range, 10);
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}
