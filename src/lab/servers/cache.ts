import { existsSync } from "node:fs";
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { Program, ServerEntry, Source } from "./entry.ts";

/** Where Debian puts daemons; an ordinary user's PATH often lacks them. */
const DAEMON_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The folder that holds fetched servers: `.cache/servers` of the project around the working directory. */
export function cacheDirectory(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, "package.json"))) return join(directory, ".cache", "servers");
    if (dirname(directory) === directory) return join(process.cwd(), ".cache", "servers");
  }
}

/** The program of this name on PATH, or where daemons are installed, or in one of `more`. */
export async function findOnPath(program: string, more: readonly string[] = []): Promise<string | undefined> {
  const directories = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
  return firstExecutable([...directories, ...DAEMON_DIRECTORIES, ...more], program);
}

async function firstExecutable(directories: readonly string[], name: string): Promise<string | undefined> {
  for (const directory of directories) {
    const file = join(directory, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Where a fetched source lives; one folder each, complete or absent. */
export function cacheFolder(entry: ServerEntry, source: Source): string {
  const version = source.kind === "npm" || source.kind === "go" ? `-${source.version}` : "";
  return join(cacheDirectory(), `${entry.name}-${source.kind}${version}`);
}

/**
 * Fills `folder` through `fill`, which writes into a temporary folder beside it; the result appears under its name
 * in one step. Two processes may do this at once: the first to finish wins.
 */
export async function fillCacheFolder(folder: string, fill: (into: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(`${folder}.tmp-`);
  try {
    await fill(temporary);
    await chmod(temporary, 0o755); // readable like other folders: mkdtemp makes private ones
    await rename(temporary, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The program inside a filled cache folder, or `undefined`. */
export async function programInFolder(
  entry: ServerEntry,
  source: Source,
  folder: string,
): Promise<Program | undefined> {
  switch (source.kind) {
    case "debian": {
      const places = ["usr/bin", "usr/sbin", "bin", "sbin"].map((place) => join(folder, place));
      const special = (await entry.folders?.(folder)) ?? [];
      const file = await firstExecutable([...places, ...special], entry.program);
      if (file === undefined) return undefined;
      const libraries = [...(await libraryDirectories(folder)), process.env.LD_LIBRARY_PATH ?? ""];
      const value = libraries.filter((directory) => directory !== "").join(delimiter);
      return { file, leadingArgs: [], env: value === "" ? {} : { LD_LIBRARY_PATH: value }, from: "cache" };
    }
    case "go": {
      const file = join(folder, entry.program);
      return (await isExecutable(file)) ? { file, leadingArgs: [], env: {}, from: "cache" } : undefined;
    }
    case "npm": {
      const file = join(folder, "node_modules", source.program);
      return (await isExecutable(file)) ? { file, leadingArgs: [], env: {}, from: "cache" } : undefined;
    }
    case "jar": {
      const file = join(folder, source.program);
      return (await isExecutable(file)) ? { file, leadingArgs: [], env: {}, from: "cache" } : undefined;
    }
    case "maven": {
      const java = await findOnPath("java");
      if (java === undefined || !existsSync(folder)) return undefined;
      const leadingArgs = ["-cp", join(folder, "*"), source.mainClass];
      return { file: java, leadingArgs, env: {}, from: "cache" };
    }
  }
}

/** Directories of an unpacked package tree that hold shared libraries. */
async function libraryDirectories(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const base of [join(folder, "usr/lib"), join(folder, "lib")]) {
    const entries = await readdir(base, { withFileTypes: true }).catch(() => []);
    const nested = entries.filter((entry) => entry.isDirectory()).map((entry) => join(base, entry.name));
    for (const directory of [base, ...nested]) {
      const names = await readdir(directory).catch(() => []);
      if (names.some((name) => name.includes(".so"))) found.push(directory);
    }
  }
  return found;
}
