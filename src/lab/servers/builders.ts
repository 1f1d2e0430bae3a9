import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand, whyFailed } from "./command.ts";
import type { Source } from "./entry.ts";

const DEADLINE_MS = 300_000;

type Progress = (line: string) => void;

/** Installs one npm package, with what it depends on, into a folder of its own. */
export async function fetchNpm(
  source: Source & { kind: "npm" },
  into: string,
  progress: Progress,
): Promise<void> {
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

/** Copies a Java artifact and its dependencies into one folder, through a project file made for the purpose. */
export async function fetchMaven(
  source: Source & { kind: "maven" },
  into: string,
  progress: Progress,
): Promise<void> {
  const [groupId, artifactId, version] = source.artifact.split(":");
  const work = await mkdtemp(`${into}.pom-`);
  try {
    const dependency = `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
    await writeFile(
      join(work, "pom.xml"),
      `<project><modelVersion>4.0.0</modelVersion><groupId>holdfast</groupId><artifactId>lab</artifactId><version>1</version><dependencies>${dependency}</dependencies></project>`,
    );
    progress(`mvn dependency:copy-dependencies for ${source.artifact}`);
    const args = ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${into}`];
    const result = await runCommand("mvn", args, { deadlineMs: DEADLINE_MS, cwd: work });
    if (result.status !== 0) throw new Error(`mvn ${source.artifact}: ${whyFailed(result)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
