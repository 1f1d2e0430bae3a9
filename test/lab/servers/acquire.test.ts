import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { acquire, locate, type ServerEntry, ServerUnavailable } from "../../../src/lab/index.ts";
import { findOnPath } from "../../../src/lab/servers/cache.ts";
import { runCommand } from "../../../src/lab/servers/command.ts";
import { freshData } from "../../../src/lab/servers/data.ts";
import { packagesToAdd } from "../../../src/lab/servers/debian.ts";

function entry(name: string): ServerEntry {
  return {
    name,
    program: `${name}-server`,
    sources: [{ kind: "debian", package: name }],
    readyDeadlineMs: 1_000,
    supports: [],
    configure: async () => {},
    args: () => [],
    ready: async () => ({ version: "1" }),
    url: () => "",
  };
}

/** A project folder of its own with an `apt-get` whose behaviour is `script`; PATH ends with `rest`. */
async function project(t: TestContext, script: string | undefined, rest = process.env.PATH ?? "") {
  const home = await mkdtemp(join(tmpdir(), "holdfast-acquire-"));
  const bin = join(home, "bin");
  await mkdir(bin);
  await writeFile(join(home, "package.json"), "{}");
  if (script !== undefined) {
    await writeFile(join(bin, "apt-get"), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, "apt-get"), 0o755);
  }
  const before = { cwd: process.cwd(), path: process.env.PATH };
  process.chdir(home);
  process.env.PATH = rest === "" ? bin : `${bin}:${rest}`;
  t.after(async () => {
    process.chdir(before.cwd);
    process.env.PATH = before.path;
    await rm(home, { recursive: true, force: true });
  });
  return { home, cache: join(home, ".cache", "servers") };
}

async function failureOf(promise: Promise<unknown>): Promise<ServerUnavailable> {
  const error = await promise.then(
    () => assert.fail("it was found"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ServerUnavailable, String(error));
  assert.equal(error.code, "HF_SERVER_UNAVAILABLE");
  return error;
}

const quiet = { get: "cache", progress: () => {} } as const;

test("nothing is fetched when nothing may be; the error says how to get it", async (t) => {
  const { cache } = await project(t, "exit 99");
  const error = await failureOf(acquire(entry("hf-absent"), { get: "nothing" }));
  assert.match(error.message, /hf-absent is not available.*put hf-absent-server on PATH/);
  assert.match(error.message, /apt-get install hf-absent/);
  assert.equal(existsSync(cache), false);
});

test("without apt-get the error says so by its ways, and at once", async (t) => {
  await project(t, undefined, "/nonexistent");
  const error = await failureOf(acquire(entry("hf-noapt"), quiet));
  assert.match(error.message, /no way to get it works here/);
  assert.equal(error.ways.length, 2);
});

test("what apt-get says about a dead network is in the error; the cache stays clean; it is asked once", async (t) => {
  const { home, cache } = await project(
    t,
    'echo x >> "$CALLS"; echo "E: Could not resolve deb.example" >&2; exit 100',
  );
  process.env.CALLS = join(home, "calls");
  t.after(() => {
    delete process.env.CALLS;
  });
  const first = await failureOf(acquire(entry("hf-offline"), quiet));
  assert.match(first.message, /could not fetch hf-offline: E: Could not resolve deb\.example/);
  assert.deepEqual(await readdir(cache), []);
  await rm(process.env.CALLS);
  assert.equal(await failureOf(acquire(entry("hf-offline"), quiet)), first);
  assert.equal(existsSync(process.env.CALLS), false);
});

/** An apt-get that knows one package, which it makes on the spot. */
const workingApt = `
for last; do :; done
case " $* " in
  *" update "*) touch "$HF_HOME/updated"; echo "Get:1 lists"; exit 0 ;;
  *" --simulate "*)
    if [ -n "$HF_STALE" ] && ! [ -e "$HF_HOME/updated" ]; then echo "E: Unable to locate package $last" >&2; exit 100; fi
    case "$last $*" in hf-gone*status=/dev/null*) ;; hf-gone*) echo "$last is already the newest version"; exit 0 ;; esac
    echo "Inst $last (1.0 Test [all])"; echo "Conf $last (1.0 Test [all])" ;;
  *" download "*)
    mkdir -p deb/DEBIAN deb/usr/bin deb/usr/lib/x
    printf 'Package: %s\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b.c>\\nDescription: d\\n' "$last" > deb/DEBIAN/control
    printf '#!/bin/sh\\necho "$LD_LIBRARY_PATH"\\n' > "deb/usr/bin/$last-server"; chmod 755 "deb/usr/bin/$last-server"
    : > deb/usr/lib/x/libx.so.1
    dpkg-deb -b deb "$last.deb" >/dev/null && rm -rf deb ;;
esac`;

for (const stale of [false, true]) {
  const name = stale ? "hf-stale" : "hf-fresh";
  test(`a package is unpacked into the cache and found there (${stale ? "private" : "system"} lists)`, async (t) => {
    if ((await findOnPath("dpkg-deb")) === undefined) return t.skip("needs dpkg-deb (Debian's dpkg)");
    const { home, cache } = await project(t, workingApt);
    Object.assign(process.env, { HF_HOME: home, HF_STALE: stale ? "1" : "" });
    const lines: string[] = [];
    const options = { get: "cache", progress: (line: string) => lines.push(line) } as const;
    // Two at once: the first to finish wins, neither fails.
    const [program] = await Promise.all([acquire(entry(name), options), acquire(entry(name), options)]);
    assert.equal(program.from, "cache");
    assert.deepEqual(await readdir(cache), [`${name}-debian`]);
    assert.equal(existsSync(join(home, "updated")), stale);
    assert.match(lines.join("\n"), /downloading hf-.*\n(.*\n)*unpacking 1 package\n(.*\n)*ready after/);
    const run = await runCommand(program.file, [], { deadlineMs: 5_000, env: program.env });
    assert.equal(run.stdout.trim(), join(cache, `${name}-debian`, "usr/lib/x"));
    assert.deepEqual(await locate(entry(name)), program);
  });
}

test("a package that the system has, but whose program is gone, is fetched all the same", async (t) => {
  if ((await findOnPath("dpkg-deb")) === undefined) return t.skip("needs dpkg-deb (Debian's dpkg)");
  const { home, cache } = await project(t, workingApt);
  Object.assign(process.env, { HF_HOME: home, HF_STALE: "" });
  const program = await acquire(entry("hf-gone"), quiet);
  assert.equal(program.file, join(cache, "hf-gone-debian", "usr/bin/hf-gone-server"));
});

test("a server on PATH is preferred", async (t) => {
  const { home } = await project(t, undefined);
  await writeFile(join(home, "bin", "hf-path-server"), "#!/bin/sh\n");
  assert.equal(await locate(entry("hf-path")), undefined, "not executable");
  await chmod(join(home, "bin", "hf-path-server"), 0o755);
  assert.equal((await acquire(entry("hf-path"), quiet)).file, join(home, "bin", "hf-path-server"));
});

test("what a simulation would add", () => {
  const simulation = "NOTE: text\nInst liba (1 Debian)\nInst b [1.0] (2.0 Debian)\nConf liba (1 Debian)\n";
  assert.deepEqual(packagesToAdd(simulation), ["liba", "b"]);
  assert.deepEqual(packagesToAdd("0 newly installed"), []);
});

test("a command that does not end is killed at its deadline, with its children", async () => {
  const result = await runCommand("/bin/sh", ["-c", "sleep 60 | cat"], { deadlineMs: 50 });
  assert.equal(result.status, undefined);
  assert.match(result.problem ?? "", /no end within 0\.05 s/);
  const missing = await runCommand("/no/such/program", [], { deadlineMs: 50 });
  assert.match(missing.problem ?? "", /ENOENT/);
});

test("a data directory is made once and then copied; where the cache can't be written, made each time", async (t) => {
  const { home, cache } = await project(t, undefined);
  let made = 0;
  const fresh = (into: string): Promise<void> =>
    freshData("ghost", process.execPath, "recipe", join(home, into), undefined, async (folder) => {
      made++;
      await mkdir(folder);
      await writeFile(join(folder, "file"), "content");
    });
  await mkdir(join(home, ".cache"));
  await writeFile(cache, "a file in its place");
  await fresh("first");
  await fresh("second");
  assert.equal(made, 2);
  await rm(cache);
  await fresh("third");
  await fresh("fourth");
  assert.equal(made, 3);
  for (const into of ["first", "second", "third", "fourth"])
    assert.deepEqual(await readdir(join(home, into)), ["file"]);
});
