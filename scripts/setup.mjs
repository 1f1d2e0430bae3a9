/**
 * Makes a checkout ready: the Node.js version, the dependencies (`npm ci`) and the build (`tsc`). Does only what is
 * missing, says what it does on standard error, touches nothing outside the project folder, and may run several
 * times at once.
 */
import { spawn } from "node:child_process";
import { lstat, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const inRoot = (...parts) => join(root, ...parts);

/** A setup that takes longer than this is taken for dead. */
const LOCK_LIMIT_MS = 15 * 60_000;

export function say(line) {
  process.stderr.write(`holdfast: ${line}\n`);
}

/** A failure that the user can do something about: told in one line, without a stack. */
export class SetupError extends Error {}

/** What the two builds read and write. */
const builds = {
  dist: { project: "tsconfig.build.json", sources: ["src"], outputs: [["dist", "src"]] },
  build: {
    project: "tsconfig.json",
    sources: ["src", "test", "bench", "examples"],
    outputs: [["build", "."]],
  },
};

/** Dependencies and the named builds (`"dist"`, `"build"`). */
export async function setup(...names) {
  await checkNode();
  if (!(await dependenciesAreRight())) {
    await locked(async () => {
      if (!(await dependenciesAreRight())) await installDependencies();
    });
  }
  for (const name of names) {
    if (await isBuilt(name)) continue;
    await locked(async () => {
      if (!(await isBuilt(name))) await build(name);
    });
  }
}

async function checkNode() {
  const { engines } = JSON.parse(await readFile(inRoot("package.json"), "utf8"));
  const needed = engines.node.replace(/^>=/, "");
  const [wantMajor, wantMinor] = needed.split(".").map(Number);
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(`Node.js ${needed} or newer is needed; this is ${process.versions.node}.`);
}

/** True when what is installed is what package-lock.json says (packages for other platforms may be absent). */
async function dependenciesAreRight() {
  const wanted = JSON.parse(await readFile(inRoot("package-lock.json"), "utf8")).packages;
  let installed;
  try {
    installed = JSON.parse(await readFile(inRoot("node_modules/.package-lock.json"), "utf8")).packages;
  } catch {
    return false;
  }
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    return installed[path] === undefined ? optional === true : installed[path].version === version;
  });
}

async function installDependencies() {
  const modules = await lstat(inRoot("node_modules")).catch(() => undefined);
  if (modules?.isSymbolicLink()) {
    say("node_modules is a link and differs from package-lock.json: left as it is");
    return;
  }
  say("installing the dependencies (npm ci)");
  const args = ["ci", "--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-timeout=60000"];
  const npm = process.env.npm_execpath;
  const status = npm?.endsWith(".js") ? await run(process.execPath, [npm, ...args]) : await run("npm", args);
  if (status !== 0)
    throw new SetupError("npm ci failed (see above); the network or the registry may be away.");
}

/** Each source with its size and time: differs as soon as a file is changed, added or removed. */
async function fingerprint(name) {
  const { project, sources } = builds[name];
  const files = [project, "tsconfig.base.json", "package-lock.json"];
  for (const folder of sources) files.push(...(await filesUnder(folder)));
  const lines = [];
  for (const file of files.sort()) {
    const { size, mtimeMs } = await stat(inRoot(file));
    lines.push(`${file} ${size} ${mtimeMs}`);
  }
  return lines.join("\n");
}

async function filesUnder(folder) {
  const entries = await readdir(inRoot(folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length));
}

const stampOf = (name) => inRoot(".cache", `built-${name}`);

async function isBuilt(name) {
  const stamp = await readFile(stampOf(name), "utf8").catch(() => undefined);
  if (stamp === undefined || stamp !== (await fingerprint(name))) return false;
  return (await stat(inRoot(name)).catch(() => undefined)) !== undefined;
}

async function build(name) {
  const { project, outputs } = builds[name];
  say(`building ${name}/ (tsc -p ${project})`);
  const before = await fingerprint(name);
  const tsc = inRoot("node_modules/typescript/bin/tsc");
  const status = await run(process.execPath, [tsc, "-p", project]);
  if (status !== 0) throw new SetupError(`the build of ${name}/ failed (see above).`);
  for (const [output, source] of outputs) await prune(output, source);
  await mkdir(inRoot(".cache"), { recursive: true });
  await writeFile(stampOf(name), before);
}

/** Removes compiled files whose source is gone: a deleted test must not go on running. */
async function prune(output, source) {
  for (const file of await filesUnder(output)) {
    const stem = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(file.slice(output.length + 1))?.[1];
    if (stem === undefined) continue;
    const exists = await stat(inRoot(source, `${stem}.ts`)).catch(() => undefined);
    if (exists === undefined) await rm(inRoot(file));
  }
}

/** Runs a program in the project folder; its output goes to standard error. Returns its exit status. */
function run(file, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, stdio: ["ignore", 2, 2] });
    child.on("error", (error) => reject(new SetupError(`${file} could not be started: ${error.message}`)));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** Runs `work` while no other setup of this checkout works. A lock left by a dead process is taken over. */
async function locked(work) {
  const lock = inRoot(".cache", "setup.lock");
  await mkdir(inRoot(".cache"), { recursive: true });
  for (let waits = 0; ; waits++) {
    try {
      await writeFile(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (await isStale(lock)) await removeStale(lock);
    else {
      if (waits === 0) say("waiting for another setup of this checkout");
      await delay(200);
    }
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** One process at a time looks again and removes: two that found it stale must not remove each other's new lock. */
async function removeStale(lock) {
  const mark = `${lock}.removal`;
  try {
    await writeFile(mark, "", { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const left = await stat(mark).catch(() => undefined);
    if (left !== undefined && Date.now() - left.mtimeMs > 5_000) await rm(mark, { force: true });
    await delay(20);
    return;
  }
  if (await isStale(lock)) await rm(lock, { force: true });
  await rm(mark, { force: true });
}

async function isStale(lock) {
  try {
    const { mtimeMs } = await stat(lock);
    const ageMs = Date.now() - mtimeMs;
    if (ageMs > LOCK_LIMIT_MS) return true;
    const pid = Number(await readFile(lock, "utf8"));
    if (!(pid > 0)) return ageMs > 5_000; // created, not yet written
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Runs a script's main function: a `SetupError` ends it with one line and exit status 1. */
/** @param help printed, instead of working, when `--help` or `-h` is asked for */
export async function main(work, help) {
  try {
    if (help !== undefined && process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) {
      console.log(help);
    } else await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(() => setup("dist"));
