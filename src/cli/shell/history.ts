/** Earlier statements, kept in a file of the user's own, without those that carry a password. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const most = 500;
/** As the mysql command line has it: such statements are not remembered. */
const secret = /\bidentified\b|\bpassword\b/i;

/** `$HOLDFAST_HISTORY`, or a file in the user's state folder. An empty value: none. */
export function historyFile(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HOLDFAST_HISTORY !== undefined) return env.HOLDFAST_HISTORY || undefined;
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "holdfast", "shell_history");
}

/** Newest first, as `readline` wants them. A file that can't be read is an empty one. */
export function readHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean).slice(-most).reverse();
  } catch {
    return [];
  }
}

/** @returns why it could not be written */
export function writeHistory(file: string | undefined, newestFirst: readonly string[]): string | undefined {
  if (file === undefined) return undefined;
  const kept = newestFirst.filter((line) => !secret.test(line)).slice(0, most);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${kept.reverse().join("\n")}\n`, { mode: 0o600 });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
