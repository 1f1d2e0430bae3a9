import type { CoarseTimers } from "../time/index.ts";

/** Work under a time limit that can be given up. */
export interface Limited {
  /** Rejects at once with `reason` and aborts the signal; harmless when it has settled. */
  abort(reason: unknown): void;
}

export interface LimitedOptions<T> {
  readonly timers: CoarseTimers;
  readonly limitMs: number;
  readonly timeoutError: () => unknown;
  readonly work: (signal: AbortSignal) => Promise<T> | undefined;
  readonly done: (value: T) => void;
  readonly failed: (error: unknown) => void;
  /** Gets a value that came after the work was given up. */
  readonly late?: (value: T) => void;
}

/**
 * Runs `work`; exactly one of `done` and `failed` is called, never before this returns, and at most `limitMs` (and
 * one tick) later, whether or not the work listens to its signal.
 */
export function limited<T>(options: LimitedOptions<T>): Limited {
  const controller = new AbortController();
  let settled = false;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    stop();
    return true;
  };
  const abort = (reason: unknown): void => {
    if (!settle()) return;
    controller.abort(reason);
    options.failed(reason);
  };
  const stop = options.timers.after(options.limitMs, () => abort(options.timeoutError()));
  start(options.work, controller.signal).then(
    (value) => {
      if (settle()) options.done(value);
      else options.late?.(value);
    },
    (error) => {
      if (settle()) options.failed(error);
    },
  );
  return { abort };
}

/** A function that throws instead of rejecting is a failure like any other. */
async function start<T>(
  work: (signal: AbortSignal) => Promise<T> | undefined,
  signal: AbortSignal,
): Promise<T> {
  return (await work(signal)) as T;
}
