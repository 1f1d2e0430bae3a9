/** One physical connection: a client of the library that connects once, never queues and never reconnects. */
import { connect as connectSocket, type NetConnectOpts, type Socket } from "node:net";
import { HoldfastError, reasonOf } from "../../call/index.ts";
import { type Dial, takenBack } from "../../link/index.ts";
import type { Clock } from "../../time/index.ts";
import type {
  AnyRedisClientOptions,
  CommandOptions,
  LibraryClass,
  LibraryClient,
  LibraryQueue,
  QueueItem,
  RedisArgument,
} from "./library.ts";
import { socketsMadeBy } from "./socket-tap.ts";
import { WriteStall, type WriteStallOwner } from "./write-stall.ts";
import { isTraced, Writer, type WriterOwner } from "./writer.ts";

/** What happens on a connection beside replies. */
export interface ConnectionOwner {
  /** The TCP (and TLS) connection stands; the handshake follows. */
  connected(): void;
  /** A key that this connection read was changed. */
  invalidated(key: unknown): void;
  shardMoved(channel: string): void;
  /** The process may end while connected. */
  readonly unrefed: boolean;
  /** A connection whose writes make no progress for that long is lost; Infinity: nobody looks. */
  readonly writeTimeoutMs: number;
  readonly clock: Clock;
}

/** Which uses of the library's inside have passed their check. */
export interface Trust {
  /** What was not written can be taken back. */
  readonly evidence: boolean;
  /** We may write to its socket. */
  readonly writing: boolean;
}

export class RedisConnection implements WriterOwner, WriteStallOwner {
  readonly client: LibraryClient;
  readonly dial: Dial;
  /** Restored items and their values, so that a second round of restoring sends only what is new. */
  restored: Map<string, unknown> | undefined;
  monitoring = false;
  readonly #queue: LibraryQueue;
  readonly #trust: Trust;
  readonly #sockets: readonly Socket[];
  #ready = false;
  #failOpen: (error: unknown) => void = () => {};
  #submitted = 0;
  #writtenBefore = 0;
  #writer: Writer | undefined;
  /** Made when a write timeout is set: by default nothing is watched. */
  #stall: WriteStall | undefined;
  readonly #writeTimeoutMs: number;

  private constructor(
    client: LibraryClient,
    dial: Dial,
    trust: Trust,
    sockets: readonly Socket[],
    owner: ConnectionOwner,
  ) {
    this.client = client;
    this.dial = dial;
    this.#trust = trust;
    this.#queue = client._getQueue();
    this.#sockets = sockets;
    this.#writeTimeoutMs = owner.writeTimeoutMs;
    client.on("error", (error: unknown) => this.broken(error));
    client.on("connect", () => {
      dial.step("handshake");
      owner.connected();
    });
    client.on("invalidate", (key: unknown) => owner.invalidated(key));
    client.on("sharded-channel-moved", (channel: string) => owner.shardMoved(channel));
    if (owner.unrefed) client.unref();
    this.#watchBytes();
  }

  /**
   * @param trust which checks the library has passed; without evidence nothing is ever taken back
   * @throws what the dial or the handshake failed with; nothing is left open then
   */
  static async open(
    Client: LibraryClass,
    options: AnyRedisClientOptions,
    dial: Dial,
    trust: Trust,
    owner: ConnectionOwner,
  ): Promise<RedisConnection> {
    dial.step("tcp");
    const under = options.socket?.tls === true ? underTls(options, dial, owner.unrefed) : undefined;
    const client = new Client(under === undefined ? options : withSocket(options, under));
    const sockets: Socket[] = under === undefined ? [] : [under];
    const connection = new RedisConnection(client, dial, trust, sockets, owner);
    try {
      await connection.#connect(sockets, owner.clock);
      return connection;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  async #connect(sockets: Socket[], clock: Clock): Promise<void> {
    const { signal } = this.dial;
    const failed = new Promise<never>((_, reject) => {
      this.#failOpen = reject;
    });
    const { result, sockets: made } = socketsMadeBy(() => this.client.connect());
    for (const socket of made) {
      sockets.push(socket);
      this.dial.tap(socket);
    }
    const onAbort = (): void => this.#failOpen(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    for (const socket of sockets) socket.once("error", this.#failOpen);
    try {
      await Promise.race([result, failed]);
      this.#ready = true;
      const socket = this.#socket;
      // Over TLS the library writes: its TLS socket is hidden from us.
      if (this.#trust.writing && socket !== undefined && socket === made[0]) {
        this.#writer = new Writer(this.#queue, socket, this);
      }
      if (this.#writeTimeoutMs < Infinity && socket !== undefined) {
        this.#stall = new WriteStall(socket, clock, this.#writeTimeoutMs, this);
      }
    } finally {
      failed.catch(() => {});
      result.catch(() => {});
      signal.removeEventListener("abort", onAbort);
    }
  }

  get #socket(): Socket | undefined {
    return this.#sockets[0];
  }

  /** Every chunk is a sign of life; bytes that are no RESP end the connection, since the stream has lost its place. */
  #watchBytes(): void {
    const { decoder } = this.#queue;
    const { sink } = this.dial;
    const write = decoder.write.bind(decoder);
    decoder.write = (chunk): void => {
      sink.alive();
      try {
        write(chunk);
      } catch (error) {
        const message = `the server sent what is not the Redis protocol: ${reasonOf(error)}`;
        this.broken(new HoldfastError("HF_PROTOCOL", message, { cause: error }));
        throw error;
      }
    };
  }

  /** The library tells before it rejects what was in flight: the evidence is still there. */
  broken(error: unknown): void {
    if (this.#ready) this.dial.sink.lost(error);
    else this.#failOpen(error);
  }

  /** @param bytes of the command on the wire */
  send(args: readonly RedisArgument[], bytes: number, options: CommandOptions | undefined): Promise<unknown> {
    this.stage(bytes);
    return this.client.sendCommand(args, options);
  }

  /** One command without a promise of its own; `false`: it must go by `send`. */
  post(item: QueueItem): boolean {
    if (this.#writer === undefined || isTraced()) return false;
    this.#writer.post(item);
    return true;
  }

  /** To be called before so many bytes are sent other than by `post`: the order is kept, and they are counted. */
  stage(bytes: number): void {
    this.#writer?.stage();
    this.entering(bytes);
  }

  /**
   * Bytes handed over and not yet taken by the kernel, whether in our queue, in the library's or in Node's. Over TLS the
   * records' own bytes count as written too: under a load that never pauses this is then a little too few.
   */
  get bufferedBytes(): number {
    const socket = this.#socket;
    if (socket === undefined) return 0;
    const waiting = this.#writer?.waitingBytes ?? 0;
    if (this.#submitted > 0 && this.#allWritten()) this.#submitted = 0;
    const inLibrary =
      this.#submitted === 0 ? 0 : Math.max(0, this.#submitted - (socket.bytesWritten - this.#writtenBefore));
    return waiting + inLibrary + socket.writableLength;
  }

  /** No command is on its way, not even one whose caller has left. */
  get quiet(): boolean {
    return this.#queue.isEmpty() && (this.#writer?.waitingBytes ?? 0) === 0;
  }

  /** Nothing waits in the library's queue. Of a TLS socket's own buffer we only know that answered commands left it. */
  #allWritten(): boolean {
    return this.#writer === undefined ? this.#queue.isEmpty() : !this.#queue.isWaitingToWrite();
  }

  /** So many bytes enter the library's queue. */
  entering(bytes: number): void {
    if (this.#submitted === 0 || this.#allWritten()) {
      this.#submitted = 0;
      this.#writtenBefore = this.#socket?.bytesWritten ?? 0;
    }
    this.#submitted += bytes;
    this.#stall?.entering();
  }

  /** Something waits for its turn at the socket, or (where the library writes) may do so. */
  get isWriting(): boolean {
    return !this.#allWritten() || (this.#writer?.waitingBytes ?? 0) > 0;
  }

  stalled(): void {
    const silentMs = this.#writeTimeoutMs;
    const message = `no write progress for ${silentMs} ms: the server takes nothing of what is written (writeTimeoutMs)`;
    this.broken(new HoldfastError("HF_HALF_OPEN", message, { step: "write", details: { silentMs } }));
  }

  /** What the library has not written yet was never seen by anybody. */
  takeBack(): void {
    if (!this.#trust.evidence) return;
    this.#queue.rejectCommands(this.#queue.extractAllCommands(), takenBack);
    this.#writer?.takeBack(takenBack);
  }

  destroy(): void {
    this.#stall?.stop();
    this.client.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Resolves when the kernel has let go of the sockets. */
  async gone(): Promise<void> {
    await Promise.all(
      this.#sockets.map((socket) =>
        socket.closed ? undefined : new Promise<void>((resolve) => socket.once("close", () => resolve())),
      ),
    );
  }
}

/** TLS runs over a socket of our own, because Node announces none that it makes for TLS. */
function underTls(options: AnyRedisClientOptions, dial: Dial, unrefed: boolean): Socket {
  const raw = connectSocket({ noDelay: true, ...options.socket } as NetConnectOpts);
  dial.tap(raw);
  raw.once("connect", () => dial.step("tls"));
  if (unrefed) raw.unref();
  raw.on("error", () => {}); // told to the waiting dial, or by the TLS socket above it
  return raw;
}

function withSocket(options: AnyRedisClientOptions, socket: Socket): AnyRedisClientOptions {
  return {
    ...options,
    socket: { ...options.socket, socket } as NonNullable<AnyRedisClientOptions["socket"]>,
  };
}
