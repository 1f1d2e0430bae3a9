/** What is asked of npm, go and mvn, with stand-ins for the three tools: the real ones need a network. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { acquire, type ServerEntry, ServerUnavailable, type Source } from "../../../src/lab/index.ts";
import { runCommand } from "../../../src/lab/servers/command.ts";

const tools: Record<string, string> = {
  npm: `
    while [ "$1" != --prefix ]; do shift; done
    mkdir -p "$2/node_modules/pkg/bin"
    for spec; do :; done
    printf '#!/bin/sh\\necho npm %s\\n' "$spec" > "$2/node_modules/pkg/bin/served"
    chmod 755 "$2/node_modules/pkg/bin/served"`,
  go: `printf '#!/bin/sh\\necho go %s\\n' "$2" > "$GOBIN/served"; chmod 755 "$GOBIN/served"`,
  mvn: `
    for arg; do case $arg in
      -DoutputDirectory=*) out=\${arg#*=} ;;
      -Dmdep.unpack.includes=*) archive=\${arg#*=} ;;
      dependency:*) goal=\${arg#*:} ;;
    esac; done
    grep -q '<groupId>org.x</groupId><artifactId>served</artifactId><version>1.2</version>' pom.xml
    if [ "$goal" = copy-dependencies ]; then touch "$out/served.jar"; exit; fi
    mkdir -p "$out/tree/bin"; printf '#!/bin/sh\\necho unpacked\\n' > "$out/tree/bin/served"
    chmod 755 "$out/tree/bin/served"; tar -czf "$out/$archive" -C "$out/tree" bin; rm -r "$out/tree"`,
  java: `echo java "$@"`,
};

async function project(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "holdfast-builders-"));
  await mkdir(join(home, "bin"));
  await writeFile(join(home, "package.json"), "{}");
  for (const [name, script] of Object.entries(tools)) {
    await writeFile(join(home, "bin", name), `#!/bin/sh\nset -e\n${script}\n`);
    await chmod(join(home, "bin", name), 0o755);
  }
  const before = { cwd: process.cwd(), path: process.env.PATH };
  process.chdir(home);
  process.env.PATH = `${join(home, "bin")}:${before.path}`;
  t.after(async () => {
    process.chdir(before.cwd);
    process.env.PATH = before.path;
    await rm(home, { recursive: true, force: true });
  });
  return home;
}

function entry(name: string, source: Source): ServerEntry {
  return {
    name,
    program: "served",
    sources: [source],
    readyDeadlineMs: 1_000,
    supports: [],
    configure: async () => {},
    args: () => [],
    ready: async () => ({ version: "1" }),
    url: () => "",
  };
}

const cases: { source: Source; folder: string; says: RegExp }[] = [
  {
    source: { kind: "npm", package: "pkg", version: "1.2.3", program: "pkg/bin/served" },
    folder: "hf-npm-npm-1.2.3",
    says: /^npm pkg@1\.2\.3$/,
  },
  {
    source: { kind: "go", module: "example.org/served", version: "v1.2.3" },
    folder: "hf-go-go-v1.2.3",
    says: /^go example\.org\/served@v1\.2\.3$/,
  },
  {
    source: { kind: "maven", artifact: "org.x:served:1.2", mainClass: "org.x.Main" },
    folder: "hf-maven-maven",
    says: /^java -cp .*\/hf-maven-maven\/\* org\.x\.Main --port 1$/,
  },
  {
    source: { kind: "jar", artifact: "org.x:served:1.2", archive: "served.tar.gz", program: "bin/served" },
    folder: "hf-jar-jar",
    says: /^unpacked$/,
  },
];

for (const { source, folder, says } of cases) {
  test(`a server is fetched by ${source.kind}, into a folder of its own, once`, async (t) => {
    const home = await project(t);
    const one = entry(`hf-${source.kind}`, source);
    const lines: string[] = [];
    const options = { get: "cache", progress: (line: string) => lines.push(line) } as const;
    const program = await acquire(one, options);
    assert.deepEqual(await readdir(join(home, ".cache", "servers")), [folder]);
    const args = source.kind === "maven" ? ["--port", "1"] : [];
    const run = await runCommand(program.file, [...program.leadingArgs, ...args], { deadlineMs: 5_000 });
    assert.match(run.stdout.trim(), says);
    assert.ok(lines.length >= 3, lines.join("\n"));
    lines.length = 0;
    assert.deepEqual(await acquire(one, options), program);
    assert.deepEqual(lines, []);
  });

  test(`a failure of ${source.kind} is told and leaves nothing`, async (t) => {
    const home = await project(t);
    const tool = source.kind === "maven" || source.kind === "jar" ? "mvn" : source.kind;
    await writeFile(join(home, "bin", tool), "#!/bin/sh\necho it broke >&2\nexit 1\n");
    const failing = acquire(entry(`hf-bad-${source.kind}`, source), { get: "cache", progress: () => {} });
    await assert.rejects(failing, (error) => {
      assert.ok(error instanceof ServerUnavailable);
      assert.match(error.message, /it broke/);
      return true;
    });
    assert.deepEqual(await readdir(join(home, ".cache", "servers")), []);
    assert.equal(existsSync(join(home, "node_modules")), false);
  });
}
