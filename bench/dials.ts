/** Counts connection attempts, whichever library makes them: every TCP dial of Node passes one function. */
import { Socket } from "node:net";

const counts = new Map<number, number>();
let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
    this.on("connectionAttempt", (_ip: string, port: number) => {
      counts.set(port, (counts.get(port) ?? 0) + 1);
    });
    return connect.apply(this, args);
  } as typeof Socket.prototype.connect;
}

/** Dials to this port from now on. */
export function countDials(port: number): () => number {
  watch();
  const before = counts.get(port) ?? 0;
  return () => (counts.get(port) ?? 0) - before;
}
