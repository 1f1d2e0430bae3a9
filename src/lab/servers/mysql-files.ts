/** What the command lines and directories of MariaDB and MySQL have in common. */
import { join } from "node:path";

export function flags(settings: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(settings).map(([key, value]) => `--${key.replaceAll("_", "-")}=${value}`);
}

/** Both refuse root unless they are told that it is meant. */
export function asRoot(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}

export interface SqlPaths {
  readonly data: string;
  /** Its own: a starting server removes whatever looks like a temporary table from its tmpdir, also another server's. */
  readonly temporary: string;
  readonly firstStart: string;
  readonly socket: string;
  readonly cert: string;
  readonly key: string;
}

export function paths(directory: string): SqlPaths {
  return {
    data: join(directory, "data"),
    temporary: join(directory, "tmp"),
    firstStart: join(directory, "first-start.sql"),
    socket: join(directory, "sql.sock"),
    cert: join(directory, "cert.pem"),
    key: join(directory, "key.pem"),
  };
}
