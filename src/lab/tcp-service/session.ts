import type { Duplex } from "node:stream";
import type { ServiceLedger } from "./ledger.ts";
import { encodeAck, encodeMessage, WireReader, writtenId } from "./wire.ts";

/**
 * What follows an applied write: its acknowledgement; nothing, so that the client never learns of it; or a reset of
 * the connection, so that it learns only that.
 */
export type AfterApply = "ack" | "silence" | "reset";

/** What one connection of the ledger needs of its service. */
export interface SessionHost {
  readonly ledger: ServiceLedger;
  afterApply(id: number, count: number): AfterApply;
  applied(): void;
}

/** Sends every byte back, and ends when the client does. */
export function serveEcho(stream: Duplex): void {
  stream.pipe(stream);
}

/** Applies and acknowledges numbered writes, answers pings; resets a client that speaks something else. */
export function serveLedger(stream: Duplex, reset: () => void, host: SessionHost): void {
  const reader = new WireReader();
  stream.on("data", (chunk: Buffer) => {
    try {
      for (const { kind, body } of reader.read(chunk)) {
        const answer =
          kind === 3 ? encodeMessage(4, body) : kind === 1 ? write(writtenId(body), host) : "reset";
        if (answer === "reset") return reset();
        if (answer !== "silence" && !stream.write(answer)) holdUntilDrained(stream);
      }
    } catch {
      reset(); // not our protocol: nothing to say to such a client
    }
  });
  stream.on("end", () => stream.end());
}

function write(id: number, host: SessionHost): Buffer | "silence" | "reset" {
  const after = host.afterApply(id, host.ledger.apply(id));
  host.applied();
  return after === "ack" ? encodeAck(id) : after;
}

/** A client that does not read its acknowledgements must not fill our memory with them. */
function holdUntilDrained(stream: Duplex): void {
  if (stream.isPaused()) return;
  stream.pause();
  stream.once("drain", () => stream.resume());
}
