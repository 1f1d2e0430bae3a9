/** What the library collects of its commands until a turn's are sent together. */
import { type ProtocolHandler, TE } from "@nats-io/transport-node";

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

export const none: readonly Uint8Array[] = [];

/** Those of a command's pieces that are there. */
export function present(...pieces: (Uint8Array | undefined)[]): Uint8Array[] {
  return pieces.filter((piece) => piece !== undefined);
}
