/** Small parts of the protocol handler that need none of its state. */
import type { deferred, ProtocolHandler } from "@nats-io/transport-node";
import { HoldfastError } from "../../call/index.ts";

export type Deferred = ReturnType<typeof deferred<void>>;

/** The library's own, private to TypeScript only; checked at start by `checkInternals`. */
export function flushPending(protocol: ProtocolHandler): void {
  (protocol as unknown as { flushPending(): void }).flushPending();
}

/** Whoever waits for one of these is told by the engine what the loss means for a call. */
export function rejectAll(pongs: readonly Deferred[], cause: unknown): void {
  for (const pong of pongs) {
    pong.catch(() => {});
    pong.reject(cause as Error);
  }
}

export function cancelRequest(request: unknown, cause: Error): void {
  (request as { cancel(error: Error): void }).cancel(cause);
}

export function writeBufferFull(buffered: number, bytes: number, limit: number): HoldfastError {
  const message = `the publish of ${bytes} bytes was refused: the server has not taken ${buffered} bytes (at most ${limit})`;
  return new HoldfastError("HF_WRITE_BUFFER_FULL", message, { outcome: "not-applied", step: "write" });
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

/** Those of a command's pieces that are there. */
export function present(...pieces: (Uint8Array | undefined)[]): Uint8Array[] {
  return pieces.filter((piece) => piece !== undefined);
}
