import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./ask.ts";
import type { Launch, ServerEntry } from "./entry.ts";

/** A command as Redis reads it from the wire. */
export function command(...words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}

function settings(launch: Launch): Map<string, string | number> {
  const { options } = launch;
  const all = new Map<string, string | number>([
    ["bind", launch.host],
    ["port", launch.port],
    ["dir", JSON.stringify(launch.directory)],
    ["daemonize", "no"],
    ["save", '""'],
    // The data survives a kill: it is in the kernel before a reply leaves. Not so with `everysec`, which puts writing off
    // for up to two seconds while the sync before is under way: on a slow disk a kill then loses what was acknowledged.
    ["appendonly", "yes"],
    ["appendfsync", options.durable ? "always" : "no"],
    ["repl-diskless-sync-delay", 0],
  ]);
  if (options.password !== undefined) all.set("requirepass", JSON.stringify(options.password));
  if (options.replicaOf !== undefined) {
    all.set("replicaof", `${options.replicaOf.host} ${options.replicaOf.port}`);
    const { password } = options.replicaOf;
    if (password !== undefined) all.set("masterauth", JSON.stringify(password));
  }
  for (const [key, value] of Object.entries(options.config ?? {})) all.set(key, value);
  return all;
}

/** redis-server: on its own, with a password, durable, or as a replica; without TLS. */
export const redis: ServerEntry = {
  name: "redis",
  program: "redis-server",
  sources: [{ kind: "debian", package: "redis-server" }],
  readyDeadlineMs: 15_000,
  supports: ["config", "password", "durable", "replicaOf"],

  async configure(launch) {
    const lines = [...settings(launch)].map(([key, value]) => `${key} ${value}\n`);
    await writeFile(join(launch.directory, "redis.conf"), lines.join(""), { mode: 0o600 });
  },

  args: (launch) => [join(launch.directory, "redis.conf")],

  async ready(launch, pid) {
    const { password, replicaOf } = launch.options;
    const login = password === undefined ? "" : command("AUTH", password);
    const answer = await ask(
      launch.host,
      launch.port,
      login + command("INFO") + command("QUIT"),
      () => false,
    );
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(answer)?.[1];
    // Another server may have taken the port between our look and our start.
    if (field("process_id") !== String(pid)) throw new Error(`no answer of process ${pid} yet`);
    if (field("loading") !== "0") throw new Error("it is loading its data");
    if (replicaOf !== undefined && field("master_link_status") !== "up") {
      throw new Error("the first synchronization is not done");
    }
    return { version: field("redis_version") ?? "unknown" };
  },

  url(launch) {
    const { password } = launch.options;
    const login = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    return `redis://${login}${launch.host}:${launch.port}`;
  },
};
