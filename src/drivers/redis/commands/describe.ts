import type { CallKind, Effect } from "../../../call/index.ts";
import type { RedisArgument, RedisArguments } from "./arguments.ts";
import { type CommandEntry, commandTable, unknownCommand } from "./table.ts";

export interface CommandDescription {
  /** The command's words, upper case, without its arguments; `unknown command` for what the table does not know. */
  readonly name: string;
  readonly effect: Effect;
  readonly kind: CallKind;
  /** Bytes on the wire. */
  readonly bytes: number;
  /** How long the server may rightly wait before it replies; Infinity: for ever; undefined: it does not block. */
  readonly blockingMs: number | undefined;
}

/**
 * What the gate must know of one command: a map lookup and a walk over the arguments.
 */
export function describeCommand(args: RedisArguments): CommandDescription {
  const entry = entryOf(args);
  const refined = entry.refine?.(args) ?? entry;
  return {
    name: entry.name,
    effect: refined.effect,
    kind: refined.kind,
    bytes: wireBytes(args),
    blockingMs: entry.blockingMs?.(args),
  };
}

/** What the table says of a command, without its arguments' say. */
export function entryOf(args: RedisArguments): CommandEntry {
  const entry = lookUp(commandTable, args[0]);
  if (entry === undefined) return unknownCommand;
  if (entry.subcommands === undefined || args.length < 2) return entry;
  // A subcommand the table does not know is as unknown as a command.
  return lookUp(entry.subcommands, args[1]) ?? unknownCommand;
}

/** The longest word of the table is shorter; longer input is not folded, and simply unknown. */
const longestWord = 32;

function lookUp(
  map: ReadonlyMap<string, CommandEntry>,
  word: RedisArgument | undefined,
): CommandEntry | undefined {
  if (typeof word === "string") {
    return map.get(word) ?? (word.length > longestWord ? undefined : map.get(word.toUpperCase()));
  }
  if (word === undefined || word.length > longestWord) return undefined;
  return map.get(word.toString("latin1").toUpperCase());
}

/** Exact size in RESP: `*n\r\n`, then `$length\r\n…\r\n` per argument; NaN when an argument is no text and no bytes. */
export function wireBytes(args: RedisArguments): number {
  let bytes = 3 + digits(args.length);
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    const length = typeof argument === "string" ? utf8Length(argument) : argument.length;
    bytes += 5 + digits(length) + length;
  }
  return bytes;
}

/** Node's own count is a call out of JavaScript: for short ASCII, and most words and keys are, a loop is faster. */
const shortString = 24;

function utf8Length(text: string): number {
  if (text.length > shortString) return Buffer.byteLength(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return text.length;
}

function digits(n: number): number {
  if (n < 10) return 1;
  if (n < 100) return 2;
  if (n < 1_000) return 3;
  let count = 3;
  for (let rest = n; rest >= 1_000; rest /= 10) count++;
  return count;
}
