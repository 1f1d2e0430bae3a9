/** The least that speaks to Redis, for tests of the harness itself (no client library, no reconnecting). */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export async function open(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.setEncoding("utf8");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends one inline command on a connection of its own and returns the first line of the reply. */
export async function send(port: number, line: string): Promise<string> {
  const socket = await open(port);
  try {
    socket.write(`${line}\r\n`);
    const [text] = (await once(socket, "data")) as [string];
    return text.split("\r\n", 1)[0] as string;
  } finally {
    socket.destroy();
  }
}
