/** What is published: packed as it would be, checked by the usual tools, and loaded from a folder of its own. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { runCommand, whyFailed } from "../src/lab/servers/command.ts";
import { root, sourcesUnder } from "./house/source.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const doors = Object.entries(manifest.exports).filter(([, target]) => typeof target === "object");
/** Doors without a source. */
const missing = [...doors.map(([, target]) => (target as { default: string }).default)]
  .concat(Object.values(manifest.bin))
  .map((file) => file.replace("./dist/", "src/").replace(/\.js$/, ".ts"))
  .filter((file) => !existsSync(join(root, file)));

test("package: every door of package.json is written", () => {
  assert.deepEqual(missing, []);
});

let scratch: string | undefined;
after(async () => {
  if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
});

async function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  const result = await runCommand(file, args, { deadlineMs: 60_000, cwd });
  assert.equal(result.status, 0, `${file} ${args.join(" ")}: ${whyFailed(result)}\n${result.stdout}`);
  return result.stdout;
}

/** The tarball, and a project whose node_modules holds it and its dependencies; made once. */
let packing: Promise<{ tarball: string; project: string }> | undefined;
function packed(): Promise<{ tarball: string; project: string }> {
  packing ??= (async () => {
    scratch = await mkdtemp(join(tmpdir(), "holdfast-package-"));
    await run("npm", ["pack", "--ignore-scripts", "--pack-destination", scratch], root);
    const tarball = join(
      scratch,
      `holdfast-${JSON.parse(await readFile(join(root, "package.json"), "utf8")).version}.tgz`,
    );
    const project = join(scratch, "project");
    const home = join(project, "node_modules", "holdfast");
    await mkdir(home, { recursive: true });
    await run("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"], scratch);
    await writeFile(join(project, "package.json"), '{ "type": "module" }');
    for (const name of Object.keys(manifest.dependencies ?? {})) await link(project, name);
    return { tarball, project };
  })();
  return packing;
}

async function link(project: string, name: string): Promise<void> {
  const place = join(project, "node_modules", name);
  await mkdir(dirname(place), { recursive: true });
  await symlink(join(root, "node_modules", name), place).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

test("package: publint has nothing to say", async () => {
  const { tarball } = await packed();
  await run(process.execPath, [join(root, "node_modules/publint/src/cli.js"), tarball, "--strict"], root);
});

test("package: the types are right for every way to import it", async () => {
  const { tarball } = await packed();
  const cli = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  await run(process.execPath, [cli, tarball, "--profile", "esm-only", "--no-emoji", "--no-color"], root);
});

/** Names of all exports of all doors, as JSON. */
function loader(names: readonly string[], how: "import" | "require"): string {
  const load = how === "import" ? "await import(name)" : "require(name)";
  return `import { createRequire } from "node:module";
    const require = createRequire(process.cwd() + "/package.json");
    const found = {};
    for (const name of ${JSON.stringify(names)}) found[name] = Object.keys(${load}).sort();
    console.log(JSON.stringify(found));`;
}

test("package: require gives ours, not the library that a door passes on", async () => {
  const star = /^export \* from "([^.][^"]*)";$/gm;
  let passedOn = 0;
  for (const { path, text } of sourcesUnder("src/drivers")) {
    for (const [, library = ""] of text.matchAll(star)) {
      // Only CommonJS has what `require` gives as an export of its own, in Node.js 23 and newer.
      if (!/\.c?js$/.test(import.meta.resolve(library))) continue;
      passedOn++;
      const door = path.replace("promise-entry.ts", "promise.js").replace("entry.ts", "index.js");
      const loaded = (await import(`../${door}`)) as Readonly<Record<string, unknown>>;
      const required = loaded["module.exports"] as object;
      assert.ok(required !== undefined, `${path}: from Node.js 23 on, require would give ${library} itself`);
      for (const [name, value] of Object.entries(loaded))
        if (name !== "module.exports") assert.equal(Reflect.get(required, name), value, `${door} ${name}`);
    }
  }
  assert.ok(passedOn >= 4, `${passedOn} doors`);
});

for (const how of ["import", "require"] as const) {
  test(`package: every door loads by ${how}`, async () => {
    const { project } = await packed();
    const names = doors.map(([door]) => door.replace(/^\./, "holdfast"));
    // The root and the lab must load where no client library is installed.
    const bare = names.filter(
      (name) => name === "holdfast" || name === "holdfast/lab" || name === "holdfast/tcp",
    );
    await checkLoads(project, bare, how);
    for (const name of Object.keys(manifest.peerDependencies ?? {})) await link(project, name);
    await checkLoads(project, names, how);
    for (const name of Object.keys(manifest.peerDependencies ?? {})) {
      await rm(join(project, "node_modules", name));
    }
  });
}

async function checkLoads(
  project: string,
  names: readonly string[],
  how: "import" | "require",
): Promise<void> {
  const args = ["--no-warnings", "--input-type=module", "-e", loader(names, how)];
  const found = JSON.parse(await run(process.execPath, args, project)) as Record<string, string[]>;
  for (const name of names) assert.ok((found[name] ?? []).length > 0, `${name} exports nothing by ${how}`);
}

test("package: the command runs from the package, and every client library is optional", async () => {
  for (const name of Object.keys(manifest.peerDependencies ?? {})) {
    assert.equal(manifest.peerDependenciesMeta?.[name]?.optional, true, `${name} is not optional`);
  }
  const { project } = await packed();
  for (const file of Object.values(manifest.bin)) {
    const program = join(project, "node_modules", "holdfast", file);
    assert.match(await readFile(program, "utf8"), /^#!\/usr\/bin\/env node\n/);
    assert.match(await run(process.execPath, [program, "--help"], project), /holdfast/);
  }
});
