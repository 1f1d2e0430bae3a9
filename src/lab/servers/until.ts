import { reasonOf } from "../../call/index.ts";
import { systemClock } from "../../time/index.ts";

/** How often a condition that nothing announces is looked at. */
const LOOK_EVERY_MS = 10;

/** Resolves `delayMs` from now. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimer(delayMs, resolve);
  });
}

/**
 * Calls `condition` until it returns something other than `undefined` or `false`, and returns that. A rejection
 * counts as "not yet" and is told when the deadline passes. The deadline counts the time that `condition` takes and the
 * pauses as asked for, not as they came out: a machine that has no time for this process does not make it late.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  let leftMs = deadlineMs;
  for (;;) {
    let why: unknown;
    const startMs = systemClock.nowMs();
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      if (error instanceof Fatal) throw error.cause;
      why = error;
    }
    leftMs -= systemClock.nowMs() - startMs;
    if (leftMs <= 0) {
      const reason = why === undefined ? "" : `: ${reasonOf(why)}`;
      throw new Error(`${what} did not happen within ${deadlineMs} ms${reason}`, { cause: why });
    }
    await pause(LOOK_EVERY_MS);
    leftMs -= LOOK_EVERY_MS;
  }
}

/** Thrown by a condition that can no longer come true: `until` stops at once and throws the cause. */
export class Fatal extends Error {
  constructor(cause: unknown) {
    super("the condition can't come true", { cause });
  }
}
