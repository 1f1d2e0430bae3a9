/** Runs compiled test files with Node's own runner, each in a process of its own, and tells what happened. */
import { relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";
import { root } from "./setup.mjs";

/** Two cores are common; more at once would make tests with deadlines fail for want of time. */
const CONCURRENCY = 2;
/** The last resort: tests have deadlines of their own. A machine with a quarter of a core to spare needs four minutes for some. */
const FILE_LIMIT_MS = 600_000;

/** Told in place of a test's name. */
export const wholeFile = "the file as a whole did not end well";

/** Adds to `total` (`passed`, `failed`, `skipped`, `results`) and prints a line per file and the errors in full. */
export function runFiles(files, total) {
  // Tests wait briefly on purpose: the warning of it would fill the screen.
  process.env.NODE_OPTIONS =
    `${process.env.NODE_OPTIONS ?? ""} --enable-source-maps --disable-warning=HF_LOW_DELAY`.trim();
  const tally = new FileTally();
  return new Promise((resolve, reject) => {
    const stream = run({ files, concurrency: CONCURRENCY, timeout: FILE_LIMIT_MS });
    stream.on("test:stdout", ({ message }) => process.stdout.write(message));
    stream.on("test:stderr", ({ message }) => process.stderr.write(message));
    stream.on("test:pass", (event) => {
      if (event.details.type === "suite") return;
      const file = nameOf(event);
      if (isWholeFile(event, file)) {
        total.failed++;
        tally.add(file, "failed");
        console.log(`FAILED ${file}: it has no tests`);
      } else if (event.skip !== undefined) {
        const reason = typeof event.skip === "string" && event.skip !== "" ? event.skip : "(no reason given)";
        total.skipped.push({ file, name: event.name, reason });
        total.results.push({ file, name: event.name, result: "skipped", reason });
        tally.add(file, "skipped");
      } else {
        total.passed++;
        total.results.push({ file, name: event.name, result: "passed" });
        tally.add(file, "passed");
      }
    });
    stream.on("test:fail", (event) => {
      const { error, type } = event.details;
      // A test or suite that failed only because one inside it did: that one is told already.
      if (error?.failureType === "subtestsFailed") return;
      if (type === "suite" && error?.failureType === undefined) return;
      const file = nameOf(event);
      total.failed++;
      tally.add(file, "failed");
      const what = isWholeFile(event, file) ? wholeFile : event.name;
      total.results.push({ file, name: what, result: "failed" });
      console.log(`FAILED ${file}: ${what}\n${indent(inspect(error?.cause ?? error))}`);
    });
    stream.on("error", reject);
    stream.on("end", () => {
      tally.flush();
      resolve();
    });
    stream.resume();
  });
}

/** A file without tests, or one that died, is reported by the runner as one test with the file's name. */
function isWholeFile({ nesting, name }, file) {
  return nesting === 0 && sourceOf(name) === file;
}

function nameOf({ file, name }) {
  return sourceOf(file ?? name);
}

/** The source of a compiled file, as a path in the project; the runner tells sometimes the one, sometimes the other. */
function sourceOf(file) {
  return relative(root, file)
    .replace(/^build\//, "")
    .replace(/\.js$/, ".ts");
}

function indent(text) {
  return text.replace(/^/gm, "    ");
}

/** One line per file. The runner tells the files one after the other, also when it runs them side by side. */
class FileTally {
  #file;
  #counts;

  add(file, kind) {
    if (file !== this.#file) {
      this.flush();
      this.#file = file;
      this.#counts = { passed: 0, failed: 0, skipped: 0 };
    }
    this.#counts[kind]++;
  }

  flush() {
    if (this.#file === undefined) return;
    const parts = Object.entries(this.#counts).filter(([, count]) => count > 0);
    console.log(`${this.#file}: ${parts.map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
    this.#file = undefined;
  }
}
