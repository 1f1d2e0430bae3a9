/** How the raw socket that the library makes is seen: Node announces each client socket while it is being made. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const announced = "net.client.socket";

/**
 * Runs `connect` and returns the sockets made inside that very call. The library makes its socket synchronously, so
 * nobody else's can be among them.
 */
export function socketsMadeBy<T>(connect: () => T): {
  readonly result: T;
  readonly sockets: readonly Socket[];
} {
  const sockets: Socket[] = [];
  const note = (message: unknown): void => {
    sockets.push((message as { readonly socket: Socket }).socket);
  };
  subscribe(announced, note);
  try {
    return { result: connect(), sockets };
  } finally {
    unsubscribe(announced, note);
  }
}
