/** The thinnest driver there is: a link over a bare `net.Socket`, with the library's part left out. */
import { connect, type Socket } from "node:net";
import { processGovernor } from "../src/governor/index.ts";
import { type Driver, Link } from "../src/link/index.ts";
import { type ResilienceOptions, resolveResilience } from "../src/options/index.ts";

export const rawDriver: Driver<Socket> = {
  name: "raw",
  open: (dial) =>
    new Promise((resolve, reject) => {
      const { sink, endpoint } = dial;
      const socket = connect({ host: endpoint.host, port: endpoint.port });
      dial.tap(socket);
      socket.on("error", (error) => {
        sink.lost(error);
        reject(error);
      });
      socket.on("close", () => sink.lost(new Error("the server closed the connection")));
      socket.on("data", () => sink.alive());
      socket.once("connect", () => resolve(socket));
    }),
  restore: () => Promise.resolve({ restored: [] }),
  close: (socket) =>
    new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      socket.once("close", () => resolve());
      socket.destroy();
    }),
  classifyLink: () => "transient",
  classifyCall: (_error, { lost }) => (lost ? { outcome: "maybe-applied" } : "answered"),
};

/** A link at our defaults. */
export function rawLink(port: number, options: ResilienceOptions = {}): Link<Socket> {
  const resolved = resolveResilience(options);
  return new Link({
    ...resolved,
    name: `raw ${port}`,
    driver: rawDriver,
    endpoints: [{ host: "127.0.0.1", port }],
    permits: resolved.permits ?? processGovernor,
  });
}
