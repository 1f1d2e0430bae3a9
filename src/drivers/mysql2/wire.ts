/** The library's connection, with two places to listen: before it gives up its commands, and at every end of rows. */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type Command, type LibraryConfig, library, type Packet } from "./library.ts";

export interface WireOwner {
  /** About to reject every command with this. */
  broken(error: unknown): void;
  /** The end of columns or rows, with the server's status flags. */
  eof(packet: Packet): void;
}

const eofMarker = 0xfe;
/** A row may begin with the same byte when its first value is huge; such a packet is longer. */
const eofBelow = 9;

export class Wire extends library.Connection {
  /** The command of which the kernel took nothing, although the library has begun it. */
  unwritten: Command | null = null;
  #owner: WireOwner | undefined;
  #writing: Command | null = null;

  constructor(options: { config: LibraryConfig }, owner: WireOwner) {
    super(options);
    this.#owner = owner;
  }

  override handlePacket(packet?: Packet): void {
    if (
      packet !== undefined &&
      packet.buffer[packet.offset] === eofMarker &&
      packet.end - packet.offset < eofBelow &&
      this.authorized
    ) {
      this.#owner?.eof(packet);
    }
    super.handlePacket(packet);
  }

  override _notifyError(error: unknown): void {
    this.#owner?.broken(error);
    super._notifyError(error);
  }

  /** A write that fails at once, or into a socket that is closed, has left no byte in the kernel. */
  override write(buffer: Buffer): void {
    const first = this.#writing !== this._command;
    this.#writing = this._command;
    const plain = this.stream instanceof Socket && !(this.stream instanceof TLSSocket);
    super.write(buffer);
    const failed = this.stream.destroyed || (this.stream.errored ?? null) !== null;
    if (first && plain && failed) this.unwritten = this._command;
  }
}
