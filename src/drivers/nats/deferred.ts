/** Promises that others settle: a PONG that is awaited, work that may be given up. */
import type { deferred } from "@nats-io/transport-node";

export type Deferred = ReturnType<typeof deferred<void>>;

/** Whoever waits for one of these is told by the engine what the loss means for a call. */
export function rejectAll(pongs: readonly Deferred[], cause: unknown): void {
  for (const pong of pongs) {
    pong.catch(() => {});
    pong.reject(cause as Error);
  }
}

/** Settles with the work, or rejects with the signal's reason; late work is dropped. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
