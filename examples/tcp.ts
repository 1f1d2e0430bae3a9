/**
 * A TCP connection that is kept through a server's death: node build/examples/tcp.js
 * (In your own project the first import is from "holdfast/tcp".)
 */
import { createServer, type Socket } from "node:net";
import { createTcpClient } from "../src/drivers/tcp/index.ts";

// A server that answers each line in capitals, and that we can kill.
const clients = new Set<Socket>();
const server = createServer((socket) => {
  clients.add(socket);
  socket.on("error", () => {}).on("close", () => clients.delete(socket));
  socket.on("data", (chunk) => socket.write(chunk.toString().toUpperCase()));
});
const listen = (port: number): Promise<void> =>
  new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
await listen(0);
const { port } = server.address() as { port: number };

const client = createTcpClient({
  url: `tcp://127.0.0.1:${port}`,
  framing: { mode: "delimiter", delimiter: "\n" },
  heartbeat: { intervalMs: 10_000, payload: "ping\n", isReply: (frame) => frame.toString() === "PING\n" },
});
client.onConnection = (channel) => {
  if (channel.isConnected()) {
    console.log(client.isReconnect() ? "connected again" : "connected");
    channel.setKeepaliveTimeout(5 * 60 * 1000); // minutes, for a connection that lives long
  } else {
    console.log(`not connected: ${(channel.error as Error).message.replace(String(port), "PORT")}`);
  }
};
const answers: string[] = [];
let answered = (): void => {};
client.onMessage = (_channel, frame) => {
  answers.push(frame.toString().trim());
  answered();
};
const nextAnswer = (): Promise<void> =>
  new Promise((resolve) => {
    answered = resolve;
  });
client.setReconnect({ min_delay: 100, max_delay: 10_000, delay_policy: 2 });
await client.start();

const first = nextAnswer();
await client.send("hello\n");
await first;

// The server dies. What is sent meanwhile waits, within bounds, and goes out in order when it is back.
const down = new Promise<void>((resolve) => {
  const off = client.resilience.on("disconnected", () => {
    off();
    resolve();
  });
});
server.close();
for (const socket of clients) socket.resetAndDestroy();
await down;
const second = nextAnswer();
const sent = client.send("still there?\n");
console.log(
  client.resilience
    .explain()
    .replace(String(port), "PORT")
    .replace(/\d+ ms/, "N ms"),
);
await listen(port);
await sent;
await second;

console.log(answers.join(" | "));
await client.drain();
server.close();
