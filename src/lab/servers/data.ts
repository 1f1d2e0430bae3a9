/** Trees of files that are made once and copied for each server: programs and fresh data directories. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { cacheDirectory, fillCacheFolder } from "./cache.ts";
import { runCommand, whyFailed } from "./command.ts";
import type { ServerEntry } from "./entry.ts";
import { canEnter, type Identity } from "./identity.ts";

const COPY_DEADLINE_MS = 120_000;

/** Copies a folder with its modes and links; `to` must not exist. With an identity, the copy is that user's. */
export async function copyTree(from: string, to: string, owner?: Identity): Promise<void> {
  // The system's cp shares blocks where the file system can, and is many times as fast as a walk in here.
  await run("cp", ["-RPp", from, to]);
  if (owner !== undefined) await own(to, owner);
}

/** Gives a folder, with all in it, to a user. */
export async function own(folder: string, owner: Identity): Promise<void> {
  await run("chown", ["-R", `${owner.uid}:${owner.gid}`, folder]);
}

async function run(file: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(file, args, { deadlineMs: COPY_DEADLINE_MS });
  if (result.status !== 0) throw new Error(`${file} ${args.join(" ")}: ${whyFailed(result)}`);
}

/**
 * A fresh data directory for the server whose program is `file`: `make` fills it the first time, in a folder that
 * belongs to `owner`; afterwards it is copied from the cache, where that can be written. `recipe` is what the result
 * depends on besides.
 */
export async function freshData(
  name: string,
  file: string,
  recipe: string,
  into: string,
  owner: Identity | undefined,
  make: (folder: string) => Promise<void>,
): Promise<void> {
  const { mtimeMs, size } = await lstat(file);
  const key = createHash("sha256").update(`${file} ${mtimeMs} ${size} ${recipe}`).digest("hex").slice(0, 12);
  const template = join(cacheDirectory(), `${name}-data-${key}`);
  if (existsSync(template)) return copyTree(join(template, "data"), into, owner);
  const work = await scratchDirectory(`${name}-init`, owner);
  try {
    await make(join(work, "data"));
    // A cache that can't be written (a checkout of another user's, a file in its place) costs the next start its time.
    await fillCacheFolder(template, (temporary) =>
      copyTree(join(work, "data"), join(temporary, "data")),
    ).catch(() => {});
    await copyTree(join(work, "data"), into, owner);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A new folder under the system's folder for temporary files that `owner` owns and can enter. */
export async function scratchDirectory(name: string, owner: Identity | undefined): Promise<string> {
  const base = owner === undefined || (await canEnter(tmpdir(), owner)) ? tmpdir() : "/tmp";
  const folder = await mkdtemp(join(base, `holdfast-${name}-`));
  if (owner !== undefined) await own(folder, owner);
  return folder;
}

/**
 * Where a fetched program can be run from: its cache folder, or, when it has to run as a user who can't enter that
 * (a project in /root), a copy of it under /tmp.
 */
export async function reachableFolder(entry: ServerEntry, folder: string): Promise<string> {
  if (!existsSync(folder)) return folder;
  const identity = await entry.identity?.();
  if (identity === undefined || (await canEnter(folder, identity))) return folder;
  const key = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const copy = join("/tmp", `holdfast-${basename(folder)}-${key}`);
  if (!existsSync(copy)) {
    await fillCacheFolder(copy, async (temporary) => {
      await rm(temporary, { recursive: true });
      await copyTree(folder, temporary);
      await run("chmod", ["-R", "go+rX", temporary]);
    });
  }
  const { uid, mode } = await lstat(copy);
  // Anybody may make a folder of this name in /tmp: only our own, which nobody else can write, is run.
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${copy} is not ours: remove it`);
  return copy;
}
