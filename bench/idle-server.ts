/** Holds every connection it is given. Its port goes to the parent. */
import { createServer } from "node:net";

const server = createServer((socket) => socket.on("error", () => {}));
server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 }, () => {
  process.send?.((server.address() as { port: number }).port);
});
process.on("disconnect", () => process.exit());
