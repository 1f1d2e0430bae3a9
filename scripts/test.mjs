/**
 * `npm test [-- --install] [-- part-of-a-path …]`: makes the checkout ready, gets the servers, checks style, runs the
 * tests, lists what was skipped and how to get what it needs. The last line is `N passed, N failed, N skipped`.
 * With CI=true missing servers are installed, and one that can't be had is a failure.
 */
import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { runFiles, wholeFile } from "./run-tests.mjs";
import { main, root, SetupError, say, setup } from "./setup.mjs";

const CI = process.env.CI === "true";

const HELP = `npm test [-- [--install] [part-of-a-path …]]

Sets the checkout up, gets the servers, checks the style, runs the tests. Last line: N passed, N failed, N skipped.

  --install        install missing servers through the package manager (also when CI=true) instead of .cache/
  part-of-a-path   run only test files whose path contains it`;

const total = { passed: 0, failed: 0, skipped: [], results: [] };
await main(async () => {
  try {
    await testAll(process.argv.slice(2));
  } catch (error) {
    say(error instanceof SetupError ? error.message : error.stack);
    total.failed++;
  }
  report();
}, HELP);

async function testAll(args) {
  const unknown = args.find((arg) => arg.startsWith("-") && arg !== "--install");
  if (unknown !== undefined)
    throw new SetupError(`unknown option ${unknown}; known: --install, parts of paths`);
  const filters = args.filter((arg) => !arg.startsWith("-"));
  await setup("dist", "build");
  const files = await testFiles(filters);
  if (files.length === 0) say(`no test file matches ${filters.join(" ")}`);
  else {
    await getServers(CI || args.includes("--install") ? "install" : "cache");
    if (filters.length === 0) await checkStyle();
    await runFiles(files, total);
    await keepResults(filters.length === 0);
  }
}

/** For docs/conformance: what each test did. After a run of some files the results of other tests stay. */
async function keepResults(whole) {
  const file = join(root, "build", "test-results.json");
  const keyOf = ({ file, name }) => `${file}: ${name}`;
  const ran = new Set(total.results.map(keyOf));
  const old = whole ? [] : await readFile(file, "utf8").then(JSON.parse, () => []);
  const files = new Set(total.results.map(({ file }) => file));
  const kept = old.filter((one) => !ran.has(keyOf(one)) && !(one.name === wholeFile && files.has(one.file)));
  await writeFile(file, JSON.stringify([...kept, ...total.results], null, 1));
}

async function testFiles(filters) {
  const entries = await readdir(join(root, "build", "test"), { recursive: true });
  return entries
    .filter((file) => file.endsWith(".test.js"))
    .map((file) => join(root, "build", "test", file))
    .filter((file) => {
      const name = relative(join(root, "build"), file);
      const source = name.replace(/\.js$/, ".ts");
      return filters.length === 0 || filters.some((part) => source.includes(part) || name.includes(part));
    })
    .sort();
}

/** Once, before the tests: none of them waits for a download, or for a network that is away. */
async function getServers(get) {
  const lab = await import(pathToFileURL(join(root, "build", "src", "lab", "index.js")).href);
  for (const name of lab.serverNames) {
    try {
      const program = await lab.acquire(lab.entryOf(name), { get });
      say(`${name}: ${program.file} (${program.from})`);
    } catch (error) {
      if (!(error instanceof lab.ServerUnavailable)) throw error;
      say(error.message);
      if (!CI || !error.required) continue;
      total.failed++;
      console.log(`FAILED server ${name}: CI=true needs every server`);
    }
  }
  process.env.HOLDFAST_SERVERS = "nothing";
}

async function checkStyle() {
  say("checking style (biome check)");
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  const child = spawn(process.execPath, [biome, "check", "."], { cwd: root, stdio: ["ignore", 2, 2] });
  const status = await new Promise((resolve) => child.on("exit", resolve));
  if (status === 0) total.passed++;
  else {
    total.failed++;
    console.log("FAILED style: see above; `npm run format` mends most of it");
  }
}

function report() {
  const { passed, failed, skipped } = total;
  if (skipped.length > 0) {
    console.log(`\nSKIPPED: ${skipped.length} ${skipped.length === 1 ? "test" : "tests"} did not run here`);
    for (const { file, name, reason } of skipped) console.log(`  - ${file}: ${name}\n      ${reason}`);
  }
  if (passed + failed === 0) console.log("\nNothing ran: that counts as a failure.");
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
}
