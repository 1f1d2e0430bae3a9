import type { CallKind, Effect } from "../../../call/index.ts";
import { blockingTimes, type RedisArguments, type Refinement, refinements } from "./arguments.ts";
import { serverFlags } from "./generated.ts";
import { overrides } from "./overrides.ts";

export interface CommandEntry {
  /** Upper case, a subcommand after a space: `CLIENT SETNAME`. */
  readonly name: string;
  readonly effect: Effect;
  readonly kind: CallKind;
  readonly refine: ((args: RedisArguments) => Refinement | undefined) | undefined;
  readonly blockingMs: ((args: RedisArguments) => number | undefined) | undefined;
  /** Subcommands by their word, in upper and in lower case. */
  readonly subcommands: Map<string, CommandEntry> | undefined;
}

/** What is not in the table may do anything: it is never sent twice. */
export const unknownCommand: CommandEntry = {
  name: "unknown command",
  effect: "once",
  kind: "unary",
  refine: undefined,
  blockingMs: undefined,
  subcommands: undefined,
};

type Meaning = { readonly effect: Effect; readonly kind: CallKind };

/** The server's flags, then what overrides.ts says instead. */
function meanings(): Map<string, Meaning> {
  const all = new Map<string, Meaning>();
  for (const [flags, names] of Object.entries(serverFlags)) {
    const effect = flags.includes("readonly") ? "read" : "once";
    const kind = flags.includes("blocking") ? "blocking" : "unary";
    for (const name of words(names)) all.set(name, { effect, kind });
  }
  for (const override of overrides) {
    for (const name of words(override.commands)) {
      all.set(name, { effect: override.effect, kind: override.kind ?? "unary" });
    }
  }
  return all;
}

function words(names: string): string[] {
  return names.trim().split(/\s+/);
}

function build(): ReadonlyMap<string, CommandEntry> {
  const table = new Map<string, CommandEntry>();
  const all = meanings();
  const containers = new Set(
    [...all.keys()].filter((name) => name.includes("|")).map((name) => name.split("|")[0]!),
  );
  for (const [name, meaning] of all) {
    const [word, subword] = name.split("|") as [string, string?];
    const entry: CommandEntry = {
      name: name.replace("|", " ").toUpperCase(),
      effect: meaning.effect,
      kind: meaning.kind,
      refine: refinements[name],
      blockingMs: blockingTimes[name],
      subcommands: containers.has(name) ? new Map() : undefined,
    };
    if (subword === undefined) addBothCases(table, word, entry);
    else addBothCases(table.get(word)!.subcommands!, subword, entry);
  }
  return table;
}

function addBothCases(map: Map<string, CommandEntry>, word: string, entry: CommandEntry): void {
  map.set(word, entry);
  map.set(word.toUpperCase(), entry);
}

/** Every command by its word, in upper and in lower case; other mixtures are folded by the reader. */
export const commandTable: ReadonlyMap<string, CommandEntry> = build();
