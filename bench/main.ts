/** `npm run bench [-- name … | all] [--json] [--full] [--write]`: see `scripts/bench.mjs`. */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { benches } from "./benches.ts";
import { progress } from "./harness.ts";
import { type MachineNote, machineLine, machineNote } from "./machine-note.ts";
import { asMarkdown, asText, type Report } from "./report.ts";

/** A wrong word is told in a line, not as a stack. */
function readArgs<T extends NonNullable<Parameters<typeof parseArgs>[0]>>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`npm run bench: ${(error as Error).message} (add --help for how to use it)`);
    process.exit(2);
  }
}

const DOCUMENT = new URL("../../docs/benchmarks.md", import.meta.url);

const { values, positionals } = readArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", short: "h", default: false },
    json: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    outages: { type: "string" },
  },
});

const all = Object.keys(benches);
const names = positionals.includes("all") ? all : positionals;
const unknown = names.find((name) => !all.includes(name));

if (unknown !== undefined || names.length === 0 || values.help) {
  for (const name of all) console.log(`${name.padEnd(14)}${benches[name]?.title}`);
  console.log(
    "\nnpm run bench -- <name> … | all   [--json] [--full] [--write: docs/benchmarks.md] [--outages 1,3,10]",
  );
  if (unknown !== undefined) {
    console.error(`unknown bench "${unknown}"`);
    process.exitCode = 1;
  }
} else {
  const machine = machineNote();
  const reports: Report[] = [];
  for (const name of names) {
    const bench = benches[name];
    if (bench === undefined) continue;
    progress(name);
    const outages = values.outages?.split(",").map(Number);
    const found = await bench.run({ full: values.full, ...(outages !== undefined && { outagesS: outages }) });
    const report: Report = { name, title: bench.title, ...found };
    reports.push(report);
    console.log(asText(report));
  }
  console.log(machineLine(machine));
  if (values.write) await writeFile(DOCUMENT, document(machine, reports, await sectionsSoFar()));
  if (values.json) console.log(JSON.stringify({ machine, reports }));
}

/** The sections of the document as it is, by their bench: those that were not run now stay. */
async function sectionsSoFar(): Promise<Map<string, string>> {
  const text = await readFile(DOCUMENT, "utf8").catch(() => "");
  const sections = text.split(/^(?=## `)/m).slice(1);
  return new Map(sections.map((section) => [/`([^`]+)`/.exec(section)?.[1] ?? "", section.trimEnd()]));
}

function document(machine: MachineNote, reports: readonly Report[], sections: Map<string, string>): string {
  for (const report of reports) sections.set(report.name, asMarkdown(report).trimEnd());
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench -- all --write`, or section by section; do not edit.",
    "",
    `Machine: ${machineLine(machine)}.`,
    "",
    "Every comparison runs its sides in turn (A B A B …) in one process, against the same server. `x [low–high]` is a",
    "median (of `recovery`: a mean) with its 95 % bootstrap interval. A goal is met when the whole interval meets it; a wide interval across",
    'the goal says "not measurable here". Other machines give other figures: run it on yours.',
    "",
    ...all.flatMap((name) => {
      const section = sections.get(name);
      return section === undefined ? [] : [section, ""];
    }),
  ].join("\n");
}
