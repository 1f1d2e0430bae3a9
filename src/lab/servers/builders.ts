import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { runCommand, whyFailed } from "./command.ts";
import { copyTree } from "./data.ts";
import type { Source } from "./entry.ts";

const DEADLINE_MS = 300_000;
/** One archive of some ten megabytes, which nobody has to have. */
const ARCHIVE_DEADLINE_MS = 120_000;

type Progress = (line: string) => void;

/**
 * Installs one npm package, with what it depends on, into a folder of its own. Where the project has that very version
 * already, it is copied: nothing is downloaded.
 */
export async function fetchNpm(
  source: Source & { kind: "npm" },
  into: string,
  progress: Progress,
): Promise<void> {
  const folder = join("node_modules", source.package);
  const installed = join(cacheDirectory(), "..", "..", folder);
  if ((await versionOf(installed)) === source.version) {
    progress(`copying ${installed}`);
    await mkdir(dirname(join(into, folder)), { recursive: true });
    await copyTree(installed, join(into, folder));
  } else await installNpm(source, into, progress);
  if (source.links !== undefined) await makeLinks(join(into, folder), source.links);
}

async function versionOf(packageFolder: string): Promise<string | undefined> {
  try {
    const { version }: { version: string } = JSON.parse(
      await readFile(join(packageFolder, "package.json"), "utf8"),
    );
    return version;
  } catch {
    return undefined;
  }
}

/** npm packs no symbolic links, and may be told to run no install script that would make them. */
async function makeLinks(packageFolder: string, list: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(packageFolder, list), "utf8"),
  );
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    await symlink(relative(dirname(link), join(packageFolder, source)), link).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
}

async function installNpm(source: Source & { kind: "npm" }, into: string, progress: Progress): Promise<void> {
  progress(`npm install ${source.package}@${source.version}`);
  const args = ["install", "--prefix", into, "--no-save", "--no-audit", "--no-fund"];
  const result = await runCommand("npm", [...args, `${source.package}@${source.version}`], {
    deadlineMs: DEADLINE_MS,
    cwd: into,
  });
  if (result.status !== 0) throw new Error(`npm install ${source.package}: ${whyFailed(result)}`);
}

/** Builds one Go program into a folder. Its modules go to a folder beside it and are removed: only the program stays. */
export async function buildGo(
  source: Source & { kind: "go" },
  into: string,
  progress: Progress,
): Promise<void> {
  progress(`go install ${source.module}@${source.version} (a minute or two)`);
  const work = await mkdtemp(`${into}.go-`);
  try {
    const result = await runCommand("go", ["install", `${source.module}@${source.version}`], {
      deadlineMs: DEADLINE_MS,
      cwd: into,
      env: {
        GOBIN: into,
        GOMODCACHE: join(work, "modules"),
        GOCACHE: join(work, "build"),
        GOFLAGS: "-modcacherw",
      },
    });
    if (result.status !== 0) throw new Error(`go install ${source.module}: ${whyFailed(result)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Copies a Java artifact and its dependencies into one folder. */
export async function fetchMaven(
  source: Source & { kind: "maven" },
  into: string,
  progress: Progress,
): Promise<void> {
  await mavenGoal("copy-dependencies", source.artifact, into, { deadlineMs: DEADLINE_MS }, progress);
}

/** Unpacks the archive that a Java artifact carries, into a folder. */
export async function fetchJar(
  source: Source & { kind: "jar" },
  into: string,
  progress: Progress,
): Promise<void> {
  const args = ["-DexcludeTransitive=true", `-Dmdep.unpack.includes=${source.archive}`];
  const deadlineMs = ARCHIVE_DEADLINE_MS;
  await mavenGoal("unpack-dependencies", source.artifact, into, { args, deadlineMs }, progress);
  const archive = join(into, source.archive);
  const result = await runCommand("tar", ["-xzf", archive, "-C", into], { deadlineMs: ARCHIVE_DEADLINE_MS });
  if (result.status !== 0) throw new Error(`tar ${source.archive}: ${whyFailed(result)}`);
  await rm(archive);
}

/** A goal of Maven's dependency plugin for one artifact, through a project file made for the purpose. */
async function mavenGoal(
  goal: string,
  artifact: string,
  into: string,
  { args: more = [], deadlineMs }: { readonly args?: readonly string[]; readonly deadlineMs: number },
  progress: Progress,
): Promise<void> {
  const [groupId, artifactId, version] = artifact.split(":");
  const work = await mkdtemp(`${into}.pom-`);
  try {
    const dependency = `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
    await writeFile(
      join(work, "pom.xml"),
      `<project><modelVersion>4.0.0</modelVersion><groupId>holdfast</groupId><artifactId>lab</artifactId><version>1</version><dependencies>${dependency}</dependencies></project>`,
    );
    progress(`mvn dependency:${goal} for ${artifact}`);
    const args = ["-q", "-B", `dependency:${goal}`, `-DoutputDirectory=${into}`, ...more];
    const result = await runCommand("mvn", args, { deadlineMs, cwd: work });
    if (result.status !== 0) throw new Error(`mvn ${artifact}: ${whyFailed(result)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
