import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath } from "./cache.ts";
import { runCommand, whyFailed } from "./command.ts";

/** Never unpacked beside the system's own: the C library must match the loader that the kernel starts. */
const KEEP_SYSTEM_PACKAGES = new Set(["libc6", "libc-bin", "gcc-12-base"]);
const UPDATE_DEADLINE_MS = 90_000;
const DOWNLOAD_DEADLINE_MS = 180_000;
const INSTALL_DEADLINE_MS = 300_000;
/** Bounds on one connection to a mirror, so that a dead network fails in seconds. */
const NETWORK_BOUNDS = ["Acquire::http::Timeout=10", "Acquire::https::Timeout=10", "Acquire::Retries=1"];

type Progress = (line: string) => void;

/** True where Debian packages can be unpacked without being root. */
export async function hasDebianTools(): Promise<boolean> {
  return (await findOnPath("apt-get")) !== undefined && (await findOnPath("dpkg-deb")) !== undefined;
}

/**
 * Unpacks a package and those of its dependencies that this machine lacks into a folder, through apt-get, touching
 * nothing else. Uses the system's package lists where they know the package, else fetches private ones.
 */
export async function unpackDebian(name: string, into: string, progress: Progress): Promise<void> {
  const work = await mkdtemp(`${into}.apt-`);
  try {
    const lists = await packageLists(work);
    let failure = await downloadMissing(name, work, lists.system, progress);
    if (failure !== undefined) {
      progress(`fetching the package lists (${failure})`);
      const update = await apt(
        [...lists.private, "update"],
        UPDATE_DEADLINE_MS,
        work,
        shortProgress(progress),
      );
      // Its exit status says little (one unreachable third-party source fails it): what counts is the next step.
      const updateFailure = update.stderr === "" ? "" : ` (package lists: ${whyFailed(update)})`;
      failure = await downloadMissing(name, work, lists.private, progress);
      if (failure !== undefined)
        throw new Error(`apt-get could not fetch ${name}: ${failure}${updateFailure}`);
    }
    const files = (await readdir(work)).filter((file) => file.endsWith(".deb"));
    progress(`unpacking ${files.length} package${files.length === 1 ? "" : "s"}`);
    for (const file of files) {
      const result = await runCommand("dpkg-deb", ["-x", join(work, file), into], { deadlineMs: 60_000 });
      if (result.status !== 0) throw new Error(`dpkg-deb could not unpack ${file}: ${whyFailed(result)}`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Installs a package for the whole system, also over one whose files are gone. Needs root. */
export async function installDebian(name: string, progress: Progress): Promise<void> {
  const lock = ["-o", "DPkg::Lock::Timeout=300"];
  progress("apt-get update");
  const update = await apt([...lock, "update"], UPDATE_DEADLINE_MS, "/", shortProgress(progress));
  progress(`apt-get install ${name}`);
  const args = [...lock, "install", "--reinstall", "-y", "--no-install-recommends", name];
  const result = await apt(args, INSTALL_DEADLINE_MS, "/", shortProgress(progress));
  if (result.status === 0) return;
  const lists = update.stderr === "" ? "" : ` (apt-get update: ${whyFailed(update)})`;
  throw new Error(`apt-get install ${name}: ${whyFailed(result)}${lists}`);
}

/** Options that keep apt-get inside `work`, with the system's package lists or with private ones. */
async function packageLists(work: string): Promise<{ system: string[]; private: string[] }> {
  const state = join(work, "state");
  const cache = join(work, "cache");
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  // Root's apt-get would drop to a user that can't write here; the locks of the real folders need root.
  const system = options(`Dir::Cache=${cache}`, "APT::Sandbox::User=root", "Debug::NoLocking=1");
  const lean = options("Acquire::Languages=none", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false");
  const own = options(
    `Dir::State=${state}`,
    `Dir::State::lists=${join(state, "lists")}`,
    "Dir::State::status=/var/lib/dpkg/status",
  );
  return { system, private: [...system, ...lean, ...own] };
}

/** Downloads what an installation would add. Returns why it failed, or `undefined`. */
async function downloadMissing(
  name: string,
  work: string,
  lists: readonly string[],
  progress: Progress,
): Promise<string | undefined> {
  let packages = await planned(name, work, lists);
  // The system says that it is installed, but its program is not there: everything that belongs to it is fetched.
  if (packages.length === 0) packages = await planned(name, work, [...lists, ...nothingInstalled]);
  if (typeof packages === "string") return packages;
  if (packages.length === 0) return `no package to download for ${name}`;
  progress(`downloading ${packages.join(", ")}`);
  const args = [...lists, "download", ...packages];
  const result = await apt(args, DOWNLOAD_DEADLINE_MS, work, shortProgress(progress));
  return result.status === 0 ? undefined : whyFailed(result);
}

const nothingInstalled: readonly string[] = options("Dir::State::status=/dev/null");

/** The packages an installation would add, or why that can't be known. */
async function planned(name: string, work: string, lists: readonly string[]): Promise<string[] | string> {
  const plan = [...lists, "install", "--simulate", "--no-install-recommends", name];
  const simulated = await apt(plan, UPDATE_DEADLINE_MS, work);
  if (simulated.status !== 0) return whyFailed(simulated);
  return packagesToAdd(simulated.stdout).filter((each) => !KEEP_SYSTEM_PACKAGES.has(each));
}

/** The package names in what `apt-get install --simulate` prints: lines such as `Inst liblzf1 (3.6-3 …)`. */
export function packagesToAdd(simulation: string): string[] {
  return [...simulation.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] as string);
}

function apt(args: readonly string[], deadlineMs: number, cwd: string, onLine?: Progress) {
  const all = [...options(...NETWORK_BOUNDS), ...args];
  const env = { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  return runCommand("apt-get", all, { deadlineMs, cwd, env, ...(onLine === undefined ? {} : { onLine }) });
}

function options(...settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ["-o", setting]);
}

/** Only the lines that show that something moves. */
function shortProgress(progress: Progress): Progress {
  return (line) => {
    if (/^(Get:\d|Fetched|Setting up)/.test(line)) progress(line);
  };
}
