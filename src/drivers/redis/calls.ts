/** Library commands as the gate's calls. */
import { AbortError } from "redis";
import type { CallDescription, Effect } from "../../call/index.ts";
import { type CommandDescription, describeCommand } from "./commands/index.ts";
import type { CommandOptions, QueuedCommand } from "./library.ts";

/** MULTI and EXEC on the wire. */
const multiBytes = 15 + 14;

/** As the library says it. */
export function notArguments(): TypeError {
  return new TypeError('arguments of a command must be of type "string | Buffer"');
}

/** The library's `timeout`, which covers waiting and, unlike the library's, the reply too; 0 is none. */
export function deadlineOf(options: CommandOptions | undefined): number | undefined {
  return options?.timeout || undefined;
}

/** A blocking command gets its own time on top of the deadline; one that may block for ever has none. */
export function deadlineWith(
  blockingMs: number | undefined,
  timeoutMs: number | undefined,
): number | undefined {
  if (blockingMs === undefined || timeoutMs === undefined) return timeoutMs;
  return Number.isFinite(blockingMs) ? blockingMs + timeoutMs : undefined;
}

export function callOf(described: CommandDescription, options: CommandOptions | undefined): CallDescription {
  const { bytes, effect, kind, name, blockingMs } = described;
  const deadlineMs = deadlineWith(blockingMs, deadlineOf(options));
  return { bytes, effect, kind, name, deadlineMs, signal: options?.abortSignal };
}

/** A transaction may be sent twice only if all of it only reads, or all of it only overwrites. */
export function together(
  commands: readonly QueuedCommand[],
  options: CommandOptions | undefined,
): CallDescription {
  let bytes = multiBytes;
  let effect: Effect | undefined;
  for (const { args } of commands) {
    const described = describeCommand(args);
    bytes += described.bytes;
    effect = effect === undefined || effect === described.effect ? described.effect : "once";
  }
  return {
    name: "MULTI",
    bytes,
    effect: effect ?? "read",
    kind: "unary",
    deadlineMs: deadlineOf(options),
    signal: options?.abortSignal,
  };
}

/** A caller who leaves gets the library's own error; the signal's reason is its cause. */
export async function abortable<T>(sent: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    throw Object.assign(new AbortError(), { cause: error });
  }
}
