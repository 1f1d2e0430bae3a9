/** Ending sockets in exactly the way that was asked for. */
import type { Socket } from "node:net";
import type { Clock } from "../../time/index.ts";

/** A socket ended by FIN is read for this long, so that a busy client sees the FIN and not a reset behind it. */
const lingerMs = 1_000;

/**
 * Sends RST. A socket whose FIN is under way is destroyed plainly: Node 20's `resetAndDestroy()` after `end()` fails
 * with EINVAL and leaks the descriptor.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Sends FIN behind what was written, and goes on reading (and throwing away) until the peer closes too. */
export function finish(socket: Socket, clock: Clock): void {
  if (socket.destroyed) return;
  if (socket.connecting) {
    socket.destroy();
    return;
  }
  const timer = clock.setTimer(lingerMs, () => socket.destroy(), { unref: true });
  socket.once("close", () => timer.cancel());
  socket.on("data", () => {});
  socket.end();
  socket.resume();
}

export function end(socket: Socket, how: "fin" | "rst", clock: Clock): void {
  if (how === "rst") reset(socket);
  else finish(socket, clock);
}
