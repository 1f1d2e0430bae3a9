import { readFile } from "node:fs/promises";

/** States in which the server still holds a connection, as Linux numbers them: ESTABLISHED and CLOSE_WAIT. */
const HELD_STATES = new Set(["01", "08"]);

/**
 * Counts the connections to a listening port that the server's side still holds, from the kernel's table: it needs
 * no connection of its own and works while the server is paused. Linux only; elsewhere it throws.
 */
export async function countConnections(port: number): Promise<number> {
  if (process.platform !== "linux")
    throw new Error("counting a server's sockets needs Linux (/proc/net/tcp)");
  let count = 0;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    count += countInTable(await readFile(table, "utf8").catch(() => ""), port);
  }
  return count;
}

/** Rows of `/proc/net/tcp` whose local port is `port` and whose state is held. */
export function countInTable(table: string, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  let count = 0;
  for (const row of table.split("\n").slice(1)) {
    const [, local, , state] = row.trim().split(/\s+/);
    if (local?.endsWith(suffix) && HELD_STATES.has(state ?? "")) count++;
  }
  return count;
}
