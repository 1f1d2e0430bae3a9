import { Command, InvalidArgumentError, Option } from "commander";
import { hazards, type Preset, presetNamed, presets, type Timeline, timeline } from "../backoff/index.ts";
import { below, type Random, seededRandom, systemRandom } from "../time/index.ts";
import { listText, planText } from "./plan-text.ts";

interface PlanOptions {
  readonly attempts: number;
  readonly seed?: number;
  readonly jitter: boolean;
  readonly json?: boolean;
  readonly list?: boolean;
}

const MOST_ATTEMPTS = 10_000;
const LARGEST_SEED = 2 ** 31 - 1;
/** Where the output is no terminal. */
const COLUMNS = 100;

const examples = `
Examples:
  holdfast plan nats.go                       the first 12 delays and when each attempt begins
  holdfast plan grpc-js --no-jitter           without the randomness: every draw in the middle of its range
  holdfast plan datastax-java --attempts 60   far enough to see its jitter end
  holdfast plan holdfast --seed 7 --json      the same numbers every time, for a program
  holdfast plan --list                        every preset`;

/** `holdfast plan`: when would this client dial again? */
export function planCommand(): Command {
  return new Command("plan")
    .description("show the reconnect delays of a client by its defaults, as a table and a chart")
    .argument("[preset]", "the client whose delays to show; see --list")
    .option(
      "-n, --attempts <count>",
      `how many attempts, 1 to ${MOST_ATTEMPTS}`,
      (given) => whole(given, 1, MOST_ATTEMPTS),
      12,
    )
    .option("--no-jitter", "every random draw in the middle of its range")
    .addOption(
      new Option("--seed <number>", `repeat the draws of a seed, 0 to ${LARGEST_SEED}`).argParser((given) =>
        whole(given, 0, LARGEST_SEED),
      ),
    )
    .option("--json", "print one JSON object instead")
    .option("--list", "list the presets")
    .addHelpText("after", examples)
    .action(plan);
}

function plan(name: string | undefined, options: PlanOptions, command: Command): void {
  const columns = process.stdout.columns ?? COLUMNS;
  if (options.list) {
    const all = Object.values(presets);
    console.log(options.json ? json(all.map(description)) : listText(all, columns));
    return;
  }
  if (name === undefined) command.error("error: name a preset, or use --list", { exitCode: 2 });
  const preset = find(name, command);
  const seed = options.seed ?? below(systemRandom, 1_000_000);
  const random = options.jitter ? seededRandom(seed) : middle;
  const played = timeline(preset.backoff, options.attempts, random);
  if (options.json) {
    console.log(json(report(preset, played, options.jitter ? seed : null)));
  } else {
    const drawn = options.jitter ? `seed ${seed}` : "the middle of every range (--no-jitter)";
    console.log(planText(preset, played, drawn, columns));
  }
}

/** A generator without randomness: jitters at their middle. */
const middle: Random = { next: () => 0.5 };

function find(name: string, command: Command): Preset {
  try {
    return presetNamed(name);
  } catch (error) {
    return command.error(`error: ${(error as Error).message}; holdfast plan --list names all`, {
      exitCode: 2,
    });
  }
}

function report(preset: Preset, { attempts, exhausted }: Timeline, seed: number | null): object {
  return {
    ...description(preset),
    seed,
    attempts: attempts.map((planned) => ({ ...planned, attempt: planned.attempt + 1 })),
    exhausted: exhausted ?? null,
    hazards: hazards(preset.backoff),
  };
}

/** A preset as data: everything but the backoff itself, which is code. */
function description({ backoff, ...fields }: Preset): object {
  return { ...fields, schedule: backoff.description };
}

/** JSON has no Infinity, which some constants are. */
function json(value: unknown): string {
  return JSON.stringify(value, (_key, field) => (field === Number.POSITIVE_INFINITY ? "Infinity" : field));
}

function whole(given: string, min: number, max: number): number {
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
}
