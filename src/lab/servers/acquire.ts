import { reasonOf } from "../../call/index.ts";
import { systemClock } from "../../time/index.ts";
import { buildGo, fetchJar, fetchMaven, fetchNpm } from "./builders.ts";
import { cacheFolder, fillCacheFolder, findOnPath, programInFolder } from "./cache.ts";
import { reachableFolder } from "./data.ts";
import { hasDebianTools, installDebian, unpackDebian } from "./debian.ts";
import type { Program, ServerEntry, Source } from "./entry.ts";
import { ServerUnavailable } from "./errors.ts";

export interface AcquireOptions {
  /**
   * What may be done when the server is neither on PATH nor in the cache: `"nothing"`, `"cache"` (fetch it into the
   * project's cache folder) or `"install"` (through the system's package manager first, which needs root).
   * Default: `"cache"`, or the value of the environment variable HOLDFAST_SERVERS.
   */
  readonly get?: Get;
  /** Told what happens while something is fetched; default: lines on standard error. */
  readonly progress?: (line: string) => void;
}

export type Get = "nothing" | "cache" | "install";

/** What earlier attempts of this process could not get: a dead network is waited for once. */
const failures = new Map<string, ServerUnavailable>();

/** Finds a server's program, getting it if allowed. Throws `ServerUnavailable` with the ways to get it. */
export async function acquire(entry: ServerEntry, options: AcquireOptions = {}): Promise<Program> {
  const found = await locate(entry);
  if (found !== undefined) return found;
  const get = options.get ?? allowedByEnvironment();
  if (get === "nothing") throw await unavailable(entry, "it is neither on PATH nor in the cache");
  const known = failures.get(entry.name);
  if (known !== undefined) throw known;
  const progress = options.progress ?? ((line) => process.stderr.write(`holdfast: ${entry.name}: ${line}\n`));
  const problems: string[] = [];
  for (const step of get === "install" ? [install, fetchToCache] : [fetchToCache]) {
    const program = await step(entry, progress, problems);
    if (program !== undefined) return program;
  }
  const failure = await unavailable(entry, problems.join("; ") || "no way to get it works here");
  failures.set(entry.name, failure);
  throw failure;
}

/** The program on PATH, else in the cache, else `undefined`. Touches nothing. */
export async function locate(entry: ServerEntry): Promise<Program | undefined> {
  const file = entry.onlyFetched ? undefined : await findOnPath(entry.program, await entry.folders?.("/"));
  if (file !== undefined) return { file, leadingArgs: [], env: {}, from: "PATH" };
  for (const source of entry.sources) {
    const folder = await reachableFolder(entry, cacheFolder(entry, source));
    const program = await programInFolder(entry, source, folder);
    if (program !== undefined) return program;
  }
  return undefined;
}

async function install(
  entry: ServerEntry,
  progress: (line: string) => void,
  problems: string[],
): Promise<Program | undefined> {
  const source = entry.sources.find((each) => each.kind === "debian");
  if (source === undefined || !(await hasDebianTools())) return undefined;
  try {
    await installDebian(source.package, progress);
    const program = await locate(entry);
    if (program === undefined) problems.push(`${source.package} is installed, but has no ${entry.program}`);
    return program;
  } catch (error) {
    problems.push(reasonOf(error));
    progress(reasonOf(error));
    return undefined;
  }
}

async function fetchToCache(
  entry: ServerEntry,
  progress: (line: string) => void,
  problems: string[],
): Promise<Program | undefined> {
  for (const source of entry.sources) {
    const startMs = systemClock.nowMs();
    const folder = cacheFolder(entry, source);
    try {
      const fill = await fillerOf(source, progress);
      if (fill === undefined) continue;
      progress(`fetching into ${folder}`);
      await fillCacheFolder(folder, fill);
      const program = await programInFolder(entry, source, await reachableFolder(entry, folder));
      if (program === undefined) throw new Error(`${entry.program} is not in what was fetched`);
      progress(`ready after ${((systemClock.nowMs() - startMs) / 1000).toFixed(1)} s`);
      return program;
    } catch (error) {
      problems.push(reasonOf(error));
      progress(reasonOf(error));
    }
  }
  return undefined;
}

/** What fills a cache folder from this source, or `undefined` where its tool is missing. */
async function fillerOf(
  source: Source,
  progress: (line: string) => void,
): Promise<((into: string) => Promise<void>) | undefined> {
  switch (source.kind) {
    case "debian":
      return (await hasDebianTools()) ? (into) => unpackDebian(source.package, into, progress) : undefined;
    case "npm":
      return (into) => fetchNpm(source, into, progress);
    case "go":
      return (await findOnPath("go")) === undefined ? undefined : (into) => buildGo(source, into, progress);
    case "maven":
      return (await findOnPath("mvn")) === undefined
        ? undefined
        : (into) => fetchMaven(source, into, progress);
    case "jar":
      return (await findOnPath("mvn")) === undefined ? undefined : (into) => fetchJar(source, into, progress);
  }
}

async function unavailable(entry: ServerEntry, reason: string): Promise<ServerUnavailable> {
  const { requires } = entry;
  const toolThere = requires === undefined || (await findOnPath(requires)) !== undefined;
  const fetched = entry.sources.map(wayToGet);
  const ways = entry.onlyFetched ? fetched : [`put ${entry.program} on PATH`, ...fetched];
  const all = toolThere ? ways : [`put ${requires} on PATH`, ...ways];
  return new ServerUnavailable(entry.name, reason, all, undefined, toolThere && !entry.optional);
}

function wayToGet(source: Source): string {
  switch (source.kind) {
    case "debian":
      return `on Debian or Ubuntu: apt-get update && apt-get install ${source.package}`;
    case "npm":
      return `npm install ${source.package}@${source.version}`;
    case "go":
      return `go install ${source.module}@${source.version}`;
    case "maven":
    case "jar":
      return `install Maven and Java, for ${source.artifact}`;
  }
}

function allowedByEnvironment(): Get {
  const value = process.env.HOLDFAST_SERVERS;
  return value === "nothing" || value === "install" ? value : "cache";
}
