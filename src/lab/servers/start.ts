import { HoldfastError } from "../../call/index.ts";
import { didYouMean, unknownOptionError } from "../../options/index.ts";
import { type AcquireOptions, acquire } from "./acquire.ts";
import { scratchDirectory } from "./data.ts";
import type { ServerEntry, ServerOptions } from "./entry.ts";
import { Guard } from "./guard.ts";
import { freePort } from "./port.ts";
import { RunningServer } from "./server.ts";
import { type ServerName, serverNames, serverTable } from "./table.ts";

/** Another program may take the chosen port before the server does. */
const PORT_TRIES = 3;

export interface StartOptions extends ServerOptions, AcquireOptions {}

const harnessKeys: ReadonlySet<string> = new Set<keyof AcquireOptions>(["get", "progress"]);

/**
 * Starts a real server on a free loopback port, in a scratch directory of its own, and resolves when it serves.
 * Nothing is left behind when it is disposed of, or when this process ends in whatever way.
 *
 * Errors: `ServerUnavailable` when the program is not here and can't be fetched; `HF_OPTION` for an unknown server or
 * a setting it does not have; an ordinary error with the end of its log when it does not start.
 *
 * ```ts
 * await using redis = await startServer("redis", { durable: true });
 * await redis.kill9();
 * await redis.restart();
 * ```
 */
export async function startServer(name: ServerName, options: StartOptions = {}): Promise<RunningServer> {
  const entry = entryOf(name);
  checkOptions(entry, options);
  const program = await acquire(entry, options);
  for (let left = PORT_TRIES; ; left--) {
    const directory = await scratchDirectory(name, await entry.identity?.());
    const guard = new Guard(directory);
    const launch = { host: "127.0.0.1", port: await freePort(), directory, options };
    const server = new RunningServer(entry, program, launch, guard);
    try {
      await server.start();
      return server;
    } catch (error) {
      const portTaken = /address already in use/i.test(await server.logs().catch(() => ""));
      await server[Symbol.asyncDispose]();
      if (!portTaken || left <= 1) throw error;
    }
  }
}

/** The table's entry of this name. Throws `HF_OPTION` for a name that is not in the table. */
export function entryOf(name: ServerName): ServerEntry {
  if (Object.hasOwn(serverTable, name)) return serverTable[name];
  const hint = didYouMean(name, serverNames);
  throw new HoldfastError("HF_OPTION", `unknown server "${name}"; known: ${serverNames.join(", ")}${hint}`);
}

function checkOptions(entry: ServerEntry, options: StartOptions): void {
  for (const key of Object.keys(options)) {
    if (harnessKeys.has(key) || entry.supports.some((each) => each === key)) continue;
    const known = [...entry.supports, ...harnessKeys];
    throw unknownOptionError(key, known, didYouMean(key, known));
  }
}
