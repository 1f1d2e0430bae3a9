/** The TCP service in a process of its own: killed, frozen and counted from outside, with a journal on disk. */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask } from "../servers/ask.ts";
import type { ServerEntry } from "../servers/entry.ts";
import { Guard } from "../servers/guard.ts";
import { freePort } from "../servers/port.ts";
import { RunningServer } from "../servers/server.ts";
import { encodePing } from "./wire.ts";

const program = fileURLToPath(new URL("./program.js", import.meta.url));
const journalName = "journal";

const entry: ServerEntry = {
  name: "tcp-service",
  program: process.execPath,
  sources: [],
  readyDeadlineMs: 10_000,
  supports: [],
  configure: async () => {},
  args: ({ port, directory }) => [String(port), join(directory, journalName)],
  async ready({ host, port }) {
    await ask(host, port, encodePing().toString("latin1"), (text) => text.length > 0);
    return { version: process.version };
  },
  url: ({ host, port }) => `tcp://${host}:${port}`,
};

/** A running service and what it has on disk. */
export interface TcpServiceProcess {
  readonly server: RunningServer;
  /** Id → how often it was applied; read from the journal, also while the service is dead. */
  applied(): Promise<ReadonlyMap<number, number>>;
}

/** Starts the service in a process of its own on a free loopback port. Dispose of `server` to end it. */
export async function startTcpServiceProcess(): Promise<TcpServiceProcess> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-tcp-service-"));
  const found = { file: process.execPath, leadingArgs: [program], env: {}, from: "PATH" } as const;
  const launch = { host: "127.0.0.1", port: await freePort(), directory, options: {} };
  const server = new RunningServer(entry, found, launch, new Guard(directory));
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return { server, applied: () => readJournal(join(directory, journalName)) };
}

/** A line cut off by a kill was never acknowledged: it counts as not applied, as it would for the service. */
async function readJournal(file: string): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  const lines = (await readFile(file, "utf8")).split("\n");
  for (const line of lines.slice(0, -1)) counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1);
  return counts;
}
