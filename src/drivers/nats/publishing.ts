/** What becomes of a publish: sent at once, kept as the bytes it will be, or refused where there is no room. */
import {
  type ConnectionOptions,
  errors,
  type Payload,
  ProtocolHandler,
  type Publisher,
  type PublishOptions,
  TD,
  TE,
} from "@nats-io/transport-node";
import { HoldfastError } from "../../call/index.ts";
import { enqueue, none, present } from "./outbound.ts";
import type { Physical } from "./physical.ts";

/** What publishing asks of the connection it belongs to. */
export interface PublishingHost {
  /** The connection calls pass to; `undefined` while there is none. */
  connection(): Physical | undefined;
  /** Keeps the bytes of a publish for the next connection. Throws when it can't. */
  hold(wire: Uint8Array): void;
  /** The live write buffer's bound. */
  readonly writeBufferBytes: number;
  published(physical: Physical): void;
  /** Whether `published` has anything to do: asked for every publish. */
  readonly watchesPublishes: boolean;
}

const CARRIAGE_RETURN = 13;

export class PublishingProtocol extends ProtocolHandler {
  readonly #host: PublishingHost;
  /** Bytes of commands handed on so far, over all connections. */
  protected sentBytes: number = 0;
  /** Set while a publish is written down instead of sent. */
  #written: Uint8Array[] | undefined;
  /** Up to this count of sent bytes the live write buffer has room, whatever the kernel does. */
  #roomUntil = 0;

  constructor(options: ConnectionOptions, publisher: Publisher, host: PublishingHost) {
    super(options, publisher);
    this.#host = host;
  }

  /** A new connection has a write buffer of its own. */
  protected forgetRoom(): void {
    this.#roomUntil = 0;
  }

  override publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    const physical = this.#host.connection();
    if (physical === undefined) return this.#host.hold(this.#write(subject, payload, options));
    this.#checkRoom(physical, subject, payload, options);
    const before = this.sentBytes;
    super.publish(subject, payload, options);
    physical.published(1, this.sentBytes - before);
    if (this.#host.watchesPublishes) this.#host.published(physical);
  }

  /**
   * The live bound holds for what this publish adds, too. The socket is asked only when what was sent since it was last
   * asked could have used up the room there was.
   */
  #checkRoom(physical: Physical, subject: string, payload?: Payload, options?: PublishOptions): void {
    // A character is at most three bytes; headers and payload together are at most what the server takes.
    const { writeBufferBytes: limit } = this.#host;
    const body =
      options?.headers === undefined ? (payload?.length ?? 0) * 3 : (this.info?.max_payload ?? limit);
    const most = body + (subject.length + (options?.reply?.length ?? 0)) * 3 + 64;
    if (this.sentBytes + most <= this.#roomUntil) return;
    const buffered = physical.transport.bufferedBytes + this.outbound.size();
    this.#roomUntil = this.sentBytes + limit - buffered;
    if (buffered + most <= limit) return;
    const { outBytes, outMsgs } = this;
    const bytes = this.#write(subject, payload, options).length;
    Object.assign(this, { outBytes, outMsgs }); // it is not sent by being counted
    if (buffered + bytes > limit) throw writeBufferFull(buffered, bytes, limit);
  }

  /**
   * A held publish goes out.
   * @throws the library's error when this server takes none of its size: it would answer by ending the connection
   */
  sendHeld(physical: Physical, wire: Uint8Array): void {
    const most = this.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (wire.length > most && payloadBytes(wire) > most)
      throw errors.InvalidArgumentError.format("payload", "max_payload size exceeded");
    this.sendCommand(wire);
    physical.published(1, wire.length);
    this.#host.published(physical);
  }

  /** The exact bytes of a publish, as the library would send them. The caller may change its payload afterwards. */
  #write(subject: string, payload?: Payload, options?: PublishOptions): Uint8Array {
    const parts: Uint8Array[] = [];
    this.#written = parts;
    try {
      super.publish(subject, payload, options);
    } finally {
      this.#written = undefined;
    }
    return Buffer.concat(parts);
  }

  /** Headers, payload and line end by name: handed on as a list, each publish would cost two arrays more. */
  override sendCommand(cmd: string | Uint8Array, a?: Uint8Array, b?: Uint8Array, c?: Uint8Array): void {
    // A rest parameter would make an array for every publish, which never has more.
    // biome-ignore lint/complexity/noArguments: read only where there is more
    const more = arguments.length > 4 ? (Array.prototype.slice.call(arguments, 4) as Uint8Array[]) : none;
    if (this.#written !== undefined) {
      this.#written.push(typeof cmd === "string" ? TE.encode(cmd) : cmd, ...present(a, b, c, ...more));
      return;
    }
    // Only SUB and UNSUB come here without a connection, and the next one is told all subscriptions anyway.
    if (!this.connected) return;
    this.sentBytes += cmd.length + (a?.length ?? 0) + (b?.length ?? 0) + (c?.length ?? 0);
    for (let i = 0; i < more.length; i++) this.sentBytes += (more[i] as Uint8Array).length;
    if (a === undefined || b === undefined || more.length > 0)
      super.sendCommand(cmd, ...present(a, b, c, ...more));
    else enqueue(this, cmd, a, b, c);
  }
}

/** The size that a written publish names: the last word of its first line. */
function payloadBytes(wire: Uint8Array): number {
  const line = TD.decode(wire.subarray(0, wire.indexOf(CARRIAGE_RETURN)));
  return Number(line.slice(line.lastIndexOf(" ") + 1));
}

function writeBufferFull(buffered: number, bytes: number, limit: number): HoldfastError {
  const message = `the publish of ${bytes} bytes was refused: the server has not taken ${buffered} bytes (at most ${limit})`;
  return new HoldfastError("HF_WRITE_BUFFER_FULL", message, { outcome: "not-applied", step: "write" });
}
