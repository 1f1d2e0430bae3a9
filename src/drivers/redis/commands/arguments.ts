/**
 * Commands whose arguments decide: the options that make a harmless form harmful or the other way round, and how long
 * a blocking form may block. All run on the hot path, so they loop and compare and allocate nothing.
 */
import type { CallKind, Effect } from "../../../call/index.ts";

export type RedisArgument = string | Buffer;
export type RedisArguments = readonly RedisArgument[];

/** What the arguments change about a command; undefined leaves the table's entry as it is. */
export interface Refinement {
  readonly effect: Effect;
  readonly kind: CallKind;
}

const unaryOnce: Refinement = { effect: "once", kind: "unary" };
const unaryRead: Refinement = { effect: "read", kind: "unary" };
const unaryIdempotent: Refinement = { effect: "idempotent", kind: "unary" };
const blockingRead: Refinement = { effect: "read", kind: "blocking" };
const blockingOnce: Refinement = { effect: "once", kind: "blocking" };

/** Case-insensitive comparison with an upper-case ASCII word. */
export function isWord(argument: RedisArgument | undefined, upper: string): boolean {
  if (argument === undefined || argument.length !== upper.length) return false;
  if (typeof argument === "string") return argument === upper || argument.toUpperCase() === upper;
  for (let i = 0; i < upper.length; i++) {
    const code = argument[i]!;
    if ((code >= 0x61 && code <= 0x7a ? code - 32 : code) !== upper.charCodeAt(i)) return false;
  }
  return true;
}

function hasWord(args: RedisArguments, from: number, word: string): boolean {
  for (let i = from; i < args.length; i++) if (isWord(args[i], word)) return true;
  return false;
}

/** SET key value [EX s | PX ms | EXAT t | PXAT t | KEEPTTL]: anything else makes the reply depend on the state. */
function set(args: RedisArguments): Refinement | undefined {
  for (let i = 3; i < args.length; i++) {
    const option = args[i];
    if (isWord(option, "KEEPTTL")) continue;
    if (
      !isWord(option, "EX") &&
      !isWord(option, "PX") &&
      !isWord(option, "EXAT") &&
      !isWord(option, "PXAT")
    ) {
      return unaryOnce;
    }
    i++; // the option's value
  }
  return undefined;
}

/** BITFIELD key [GET type offset …] with nothing but GET reads. */
function bitfield(args: RedisArguments): Refinement | undefined {
  for (let i = 2; i < args.length; i += 3) if (!isWord(args[i], "GET")) return undefined;
  return unaryRead;
}

const storing =
  (...words: readonly string[]) =>
  (args: RedisArguments): Refinement | undefined => {
    for (const word of words) if (hasWord(args, 2, word)) return undefined;
    return unaryRead;
  };

const replacing =
  (from: number) =>
  (args: RedisArguments): Refinement | undefined =>
    hasWord(args, from, "REPLACE") ? unaryIdempotent : undefined;

/** XREAD and XREADGROUP block only when told to. BLOCK stands before STREAMS; after it, it would be a key. */
function blockOption(args: RedisArguments): number {
  for (let i = 1; i < args.length; i++) {
    if (isWord(args[i], "BLOCK")) return i;
    if (isWord(args[i], "STREAMS")) return -1;
  }
  return -1;
}

export const refinements: Readonly<Record<string, (args: RedisArguments) => Refinement | undefined>> = {
  set,
  bitfield,
  sort: storing("STORE"),
  georadius: storing("STORE", "STOREDIST"),
  georadiusbymember: storing("STORE", "STOREDIST"),
  copy: replacing(3),
  restore: replacing(4),
  "function|load": replacing(2),
  xread: (args) => (blockOption(args) === -1 ? unaryRead : blockingRead),
  xreadgroup: (args) => (blockOption(args) === -1 ? unaryOnce : blockingOnce),
};

/** A timeout argument in milliseconds. Zero is for ever; so is nonsense, which the server refuses at once anyway. */
function timeoutMs(argument: RedisArgument | undefined, unitMs: number): number {
  if (argument === undefined) return Infinity;
  const timeout = Number(typeof argument === "string" ? argument : argument.toString("latin1"));
  return timeout > 0 ? timeout * unitMs : Infinity;
}

const lastSeconds = (args: RedisArguments): number => timeoutMs(args[args.length - 1], 1_000);
const firstSeconds = (args: RedisArguments): number => timeoutMs(args[1], 1_000);
const lastMs = (args: RedisArguments): number => timeoutMs(args[args.length - 1], 1);

function blockOptionMs(args: RedisArguments): number | undefined {
  const at = blockOption(args);
  return at === -1 ? undefined : timeoutMs(args[at + 1], 1);
}

/** How long a command may rightly wait, in milliseconds; Infinity: for ever; undefined: not at all. */
export const blockingTimes: Readonly<Record<string, (args: RedisArguments) => number | undefined>> = {
  blpop: lastSeconds,
  brpop: lastSeconds,
  brpoplpush: lastSeconds,
  blmove: lastSeconds,
  bzpopmin: lastSeconds,
  bzpopmax: lastSeconds,
  blmpop: firstSeconds,
  bzmpop: firstSeconds,
  wait: lastMs,
  waitaof: lastMs,
  xread: blockOptionMs,
  xreadgroup: blockOptionMs,
};
