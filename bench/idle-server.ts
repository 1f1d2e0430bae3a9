/** Holds every connection it is given. Its port goes to the parent. */
import { createServer, type Socket } from "node:net";

/** Enough of Redis for a client to become ready: a map for HELLO, OK for the rest. One array of commands a time. */
function answer(socket: Socket, chunk: Buffer): void {
  const text = chunk.toString("latin1");
  const commands = text.match(/(^|\n)\*\d+\r\n/g)?.length ?? 0;
  for (let i = 0; i < commands; i++) {
    const hello = i === 0 && /HELLO/i.test(text);
    socket.write(hello ? "%1\r\n$5\r\nproto\r\n:3\r\n" : "+OK\r\n");
  }
}

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (chunk) => answer(socket, chunk));
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 }, () => {
  process.send?.((server.address() as { port: number }).port);
});
process.on("disconnect", () => process.exit());
