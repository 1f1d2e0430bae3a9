/** Opens idle connections of one kind, tells the parent what they cost, holds them until told to end. */

import { subscribe } from "node:diagnostics_channel";
import { connect, type Socket } from "node:net";
import { createClient as createBareRedis } from "redis";
import { createClient as createRedis } from "../src/drivers/redis/index.ts";
import { createTcpClient } from "../src/drivers/tcp/index.ts";
import { collectGarbage } from "./harness.ts";
import { rawLink } from "./raw.ts";

const [kind, portText, countText] = process.argv.slice(2);
const port = Number(portText);
const count = Number(countText);
/** Opened at once: fewer than the server's backlog. */
const AT_ONCE = 200;

/** Everything opened: kept from the collector. */
const held: object[] = [];
const sockets: Socket[] = [];

function bareSocket(): Promise<object> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", reject);
    socket.on("data", () => {});
    socket.once("connect", () => resolve(socket));
  });
}

async function engineLink(): Promise<object> {
  const link = rawLink(port);
  await link.connect();
  return link;
}

async function tcpClient(): Promise<object> {
  const client = createTcpClient({ port });
  client.onMessage = () => {};
  await client.start();
  return client;
}

/** Both Redis clients answer the same server; their sockets are told of by Node. */
async function redisClient(make: typeof createBareRedis): Promise<object> {
  const client = make({ socket: { host: "127.0.0.1", port } });
  client.on("error", () => {});
  await client.connect();
  return client;
}

const opens: Readonly<Record<string, () => Promise<object>>> = {
  socket: bareSocket,
  raw: engineLink,
  tcp: tcpClient,
  "node-redis": () => redisClient(createBareRedis),
  redis: () => redisClient(createRedis as typeof createBareRedis),
};
const open = opens[kind ?? ""];
if (open === undefined) throw new Error(`unknown kind ${kind}`);

subscribe("net.client.socket", (message) => void sockets.push((message as { socket: Socket }).socket));

async function memory(): Promise<{ heapBytes: number; rssBytes: number }> {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, rssBytes: rss };
}

held.push(await open()); // loads what is loaded once
const before = await memory();
for (let opened = 0; opened < count; opened += AT_ONCE) {
  const batch = Array.from({ length: Math.min(AT_ONCE, count - opened) }, open);
  held.push(...(await Promise.all(batch)));
}
const after = await memory();
process.send?.({
  heapBytes: after.heapBytes - before.heapBytes,
  rssBytes: after.rssBytes - before.rssBytes,
});
process.once("message", () => {
  // RST: nothing waits in TIME_WAIT for the next round.
  for (const socket of sockets) socket.resetAndDestroy();
  process.exit();
});
