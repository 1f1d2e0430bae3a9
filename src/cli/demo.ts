import { Command, InvalidArgumentError, Option } from "commander";
import { isHoldfastError, reasonOf } from "../call/index.ts";
import { didYouMean } from "../options/index.ts";
import { below, systemClock, systemRandom } from "../time/index.ts";
import { jsonAudience, liveAudience, type Narrator, plainAudience } from "./demo/audience.ts";
import { demoKinds } from "./demo/kinds.ts";
import type { DemoKind } from "./demo/link.ts";
import { reportOf } from "./demo/report.ts";
import { runDemo } from "./demo/run.ts";

interface DemoOptions {
  readonly seconds: number;
  readonly seed?: number;
  readonly faults: "none" | "storm";
  readonly json?: boolean;
  readonly install?: boolean;
  readonly links: readonly DemoKind[];
  readonly require: readonly DemoKind[];
}

const LEAST_SECONDS = 1;
const MOST_SECONDS = 86_400;
const LARGEST_SEED = 2 ** 31 - 1;
const BROKEN = 1;
const USAGE = 2;
const KILLED_BY_SIGINT = 130;

const examples = `
What you see: every link sends numbered writes through a fault proxy that resets, swallows and refuses, to a
server that is killed and restarted. At the end each server is asked what it has. Exit status 1 means that a
promise was broken: an acknowledged write is absent, one was applied twice, one was applied although its
caller was told not-applied, or one never got an answer.

A server that is missing is fetched into the project's cache folder where that works, and left out where not.

Examples:
  holdfast demo                        30 seconds of storm
  holdfast demo --seconds 120          a longer one, in rounds
  holdfast demo --faults none          the same without faults
  holdfast demo --seed 7 --json        the same storm every time, for a program
  holdfast demo --require redis        fail when there is no Redis, instead of going on without`;

const names = demoKinds.map(({ name }) => name);

/** `holdfast demo`: live links through a storm. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("show live connections surviving a storm of faults, with nothing acknowledged lost")
    .option(
      "-s, --seconds <number>",
      `how long, ${LEAST_SECONDS} to ${MOST_SECONDS}`,
      (given) => readNumber(given, LEAST_SECONDS, MOST_SECONDS, false),
      30,
    )
    .addOption(
      new Option("--seed <number>", `repeat the storm of a seed, 0 to ${LARGEST_SEED}`).argParser((given) =>
        readNumber(given, 0, LARGEST_SEED, true),
      ),
    )
    .addOption(
      new Option("--faults <which>", "what to do to the links").choices(["storm", "none"]).default("storm"),
    )
    .addOption(
      new Option("--links <names>", `only these, of: ${names.join(", ")}`)
        .argParser(readKinds)
        .default(demoKinds, "all that can be had"),
    )
    .addOption(
      new Option("--require <names>", "fail unless these can be had")
        .argParser(readKinds)
        .default([], "none"),
    )
    .option("--install", "install missing servers through the system's package manager (needs root)")
    .option("--json", "print one JSON object at the end; the story goes to standard error")
    .addHelpText("after", examples)
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const seed = options.seed ?? below(systemRandom, 1_000_000);
  const stop = new AbortController();
  const narrator = narratorFor(options);
  const interrupt = (): void => {
    if (stop.signal.aborted) {
      narrator.close();
      process.exit(KILLED_BY_SIGINT);
    }
    stop.abort();
    narrator.progress("ending: settling what is open (once more to end at once)");
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const kinds = demoKinds.filter((kind) => options.links.includes(kind) || options.require.includes(kind));
    const required = options.require.map(({ name }) => name);
    const result = await runDemo(
      {
        seconds: options.seconds,
        seed,
        storm: options.faults === "storm",
        kinds,
        required,
        install: options.install === true,
        clock: systemClock,
        signal: stop.signal,
      },
      narrator,
    );
    narrator.close();
    const report = reportOf(result, required);
    narrator.ended(result, report, { seed, seconds: options.seconds, faults: options.faults });
    process.exitCode = report.ok ? 0 : BROKEN;
  } catch (error) {
    narrator.close();
    if (!isHoldfastError(error)) throw error;
    process.stderr.write(`error: ${reasonOf(error)}\n`);
    process.exitCode = error.code === "HF_OPTION" ? USAGE : BROKEN;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function narratorFor({ json }: DemoOptions): Narrator {
  if (json) return jsonAudience(process.stdout, process.stderr);
  const { stdout } = process;
  return stdout.isTTY && process.env.TERM !== "dumb" ? liveAudience(stdout) : plainAudience(stdout);
}

function readNumber(given: string, min: number, max: number, whole: boolean): number {
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new InvalidArgumentError(`It must be a ${whole ? "whole " : ""}number from ${min} to ${max}.`);
}

function readKinds(given: string): DemoKind[] {
  return given.split(",").map((part) => {
    const kind = demoKinds.find(({ name }) => name === part.trim());
    if (kind !== undefined) return kind;
    const hint = didYouMean(part, names);
    throw new InvalidArgumentError(`Known: ${names.join(", ")}${hint === "" ? "." : hint}`);
  });
}
