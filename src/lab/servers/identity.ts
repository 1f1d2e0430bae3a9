import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { HoldfastError } from "../../call/index.ts";

/** A user of the machine, as `spawn` takes it. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Users that own nothing on a usual machine, best first. */
const POWERLESS = ["nobody", "postgres", "daemon"];

/**
 * When this process is root: a user without power over the machine, for servers that refuse to run as root. Else
 * `undefined`: this process's own user will do. The user has a name, because `initdb` looks for one.
 */
export async function powerlessIdentity(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = new Map<string, Identity>();
  for (const line of (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n")) {
    const [name = "", , uid, gid] = line.split(":");
    if (Number(uid) > 0 && Number(gid) >= 0) users.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  for (const name of POWERLESS) {
    const found = users.get(name);
    if (found !== undefined) return found;
  }
  const tried = POWERLESS.join(", ");
  throw new HoldfastError(
    "HF_OPTION",
    `this server refuses to run as root, and none of the users ${tried} exists here: run as an ordinary user`,
  );
}

/** True when this user can enter a folder: every folder above it lets it pass. */
export async function canEnter(folder: string, { uid, gid }: Identity): Promise<boolean> {
  for (let directory = folder; ; directory = dirname(directory)) {
    const found = await stat(directory).catch(() => undefined);
    if (found === undefined) return false;
    const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0;
    if (((found.mode >> shift) & 1) === 0) return false;
    if (dirname(directory) === directory) return true;
  }
}
