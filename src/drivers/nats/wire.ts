import type { ConnectionOptions, Transport } from "@nats-io/transport-node";
import type { Dial } from "../../link/index.ts";

/** One attempt's way to a server: the library's transport, whose socket the engine can see and destroy. */
export interface Wire extends Transport {
  /** Bytes written that the kernel has not taken. */
  readonly bufferedBytes: number;
  /** Bytes handed to the socket so far, whether or not the kernel has taken them; with `bufferedBytes` it tells progress. */
  readonly writtenBytes: number;
  /** Resolves when the server's bytes can be read. Settles also when discarded. */
  start(options: ConnectionOptions): Promise<void>;
}

/** Makes the wire of an attempt. */
export type MakeWire = (dial: Dial) => Wire;
