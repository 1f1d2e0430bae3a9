import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./ask.ts";
import type { ServerEntry, ServerOptions, Source } from "./entry.ts";

const current: Source = { kind: "go", module: "github.com/nats-io/nats-server/v2", version: "v2.15.2" };

/** nats-server, with or without a password; `durable` turns JetStream on. */
export const nats: ServerEntry = {
  name: "nats",
  program: "nats-server",
  sources: [{ kind: "debian", package: "nats-server" }, current],
  readyDeadlineMs: 60_000, // after a kill JetStream reads its whole store first
  supports: ["config", "password", "durable", "websocket"],

  async configure(launch) {
    const { password, durable, websocket, config } = launch.options;
    const lines = [`host: ${launch.host}`, `port: ${launch.port}`];
    if (password !== undefined) {
      lines.push(`authorization { user: holdfast, password: ${JSON.stringify(password)} }`);
    }
    if (durable && config?.jetstream === undefined)
      lines.push(`jetstream { store_dir: ${JSON.stringify(launch.directory)} }`);
    if (websocket !== undefined) lines.push(`websocket ${webSocketBlock(launch.host, websocket)}`);
    for (const [key, value] of Object.entries(config ?? {})) lines.push(`${key}: ${value}`);
    await writeFile(join(launch.directory, "nats.conf"), `${lines.join("\n")}\n`, { mode: 0o600 });
  },

  args: (launch) => ["-c", join(launch.directory, "nats.conf")],

  async ready(launch) {
    const whole = (text: string): boolean => /^INFO .*\r\n/.test(text);
    const answer = await ask(launch.host, launch.port, "", whole);
    if (!whole(answer)) throw new Error("no INFO line yet");
    const info: unknown = JSON.parse(answer.slice("INFO ".length, answer.indexOf("\r\n")));
    const version = typeof info === "object" && info !== null && "version" in info ? info.version : "unknown";
    return { version: String(version) };
  },

  reload: { signal: "SIGHUP", says: /Reloaded server configuration/ },

  url(launch) {
    const { password } = launch.options;
    const login = password === undefined ? "" : `holdfast:${encodeURIComponent(password)}@`;
    return `nats://${login}${launch.host}:${launch.port}`;
  },
};

function webSocketBlock(
  host: string,
  { port, certFile, keyFile }: NonNullable<ServerOptions["websocket"]>,
): string {
  const tls =
    certFile === undefined
      ? "no_tls: true"
      : `tls { cert_file: ${JSON.stringify(certFile)}, key_file: ${JSON.stringify(keyFile)} }`;
  return `{ host: ${host}, port: ${port}, ${tls} }`;
}

/** The same in a pinned current version, built where Go is: Debian's is years older. */
export const natsCurrent: ServerEntry = {
  ...nats,
  name: "nats-current",
  sources: [current],
  onlyFetched: true,
  requires: "go",
};
