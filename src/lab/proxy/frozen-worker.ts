/** The thread that listens and then stands still; see `frozen.ts`. */
import { createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { FrozenOrder } from "./frozen-order.ts";

const { host, port, backlog, gate } = workerData as FrozenOrder;
const server = createServer((socket) => socket.destroy());
server.listen({ host, port, backlog }, () => {
  parentPort?.postMessage("listening");
  Atomics.wait(gate, 0, 0);
  server.close();
});
