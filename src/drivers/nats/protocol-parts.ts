/** Small parts of the protocol handler that need none of its state. */
import { type deferred, type ProtocolHandler, TE } from "@nats-io/transport-node";
import { HoldfastError } from "../../call/index.ts";

export type Deferred = ReturnType<typeof deferred<void>>;

/** The library's own, private to TypeScript only; checked at start by `checkInternals`. */
export function flushPending(protocol: ProtocolHandler): void {
  (protocol as unknown as { flushPending(): void }).flushPending();
}

/** What a protocol handler collects of its commands until they are sent; checked at start by `checkOutbound`. */
interface Outgoing {
  readonly outbound: {
    length(): number;
    size(): number;
    fill(first: Uint8Array, ...more: readonly Uint8Array[]): void;
  };
  readonly pendingLimit: number;
  flushPending(): void;
}

/** As the library's own `sendCommand` does it, without the lists that it makes for each command. */
export function enqueue(
  protocol: ProtocolHandler,
  cmd: string | Uint8Array,
  a: Uint8Array,
  b: Uint8Array,
  c: Uint8Array | undefined,
): void {
  const { outbound, pendingLimit } = protocol as unknown as Outgoing;
  const first = outbound.length() === 0;
  const bytes = typeof cmd === "string" ? TE.encode(cmd) : cmd;
  if (c === undefined) outbound.fill(bytes, a, b);
  else outbound.fill(bytes, a, b, c);
  if (first) queueMicrotask(() => flushPending(protocol));
  else if (outbound.size() >= pendingLimit) flushPending(protocol);
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

export const none: readonly Uint8Array[] = [];

/** Those of a command's pieces that are there. */
export function present(...pieces: (Uint8Array | undefined)[]): Uint8Array[] {
  return pieces.filter((piece) => piece !== undefined);
}
