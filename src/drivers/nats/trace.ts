/**
 * Where a request was made, for the stack of its error. The library captures two stacks for each request; from inside
 * the engine both are deeper, dearer, and full of our frames. One at the caller's door serves every error.
 */
export class CallerTrace {
  declare stack: string;

  /** @param door the function whose caller is meant */
  constructor(door: (...args: never[]) => unknown) {
    Error.captureStackTrace(this, door);
  }

  /** Gives the error the caller's frames. */
  mark(error: Error): void {
    const frames = this.stack.slice(this.stack.indexOf("\n") + 1);
    error.stack = `${error.name}: ${error.message}\n${frames}`;
  }
}

/** Calls the library without its own captures. */
export function withoutTraces<T>(options: { noAsyncTraces?: boolean }, work: () => T): T {
  const before = options.noAsyncTraces;
  options.noAsyncTraces = true;
  try {
    return work();
  } finally {
    if (before === undefined) delete options.noAsyncTraces;
    else options.noAsyncTraces = before;
  }
}
