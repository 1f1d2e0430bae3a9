/** NATS through a WebSocket: one that its owner supplies, or the platform's. */
import { type ConnectionOptions, deferred, errors } from "@nats-io/transport-node";
import { VERSION } from "@nats-io/transport-node/lib/node_transport.js";
import { reasonOf } from "../../call/index.ts";
import type { Dial } from "../../link/index.ts";
import { refusedOptionError } from "../../options/index.ts";
import type { Wire } from "./wire.ts";

/** As much of the W3C's WebSocket as is used; the package `ws` and every browser have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: Uint8Array): void;
  close(): void;
  /** Ends it without a goodbye (package `ws`). */
  terminate?(): void;
}

/** nats-core's own shape of `wsFactory`: called for each attempt with the server's URL. */
export type WebSocketFactory = (
  url: string,
  options: ConnectionOptions,
) => Promise<{ readonly socket: WebSocketLike; readonly encrypted: boolean }>;

/**
 * The owner's factory, or one over the platform's WebSocket.
 * @throws `HF_OPTION` when there is neither: Node.js before 22 has none
 */
export function webSocketFactory(given: WebSocketFactory | undefined): WebSocketFactory {
  if (given !== undefined) return given;
  const Platform = (globalThis as { WebSocket?: new (url: string) => unknown }).WebSocket;
  if (Platform === undefined) {
    const why =
      "this Node.js has no WebSocket of its own (22 and newer do); with the package ws: " +
      'wsFactory: async (url) => ({ socket: new WebSocket(url), encrypted: url.startsWith("wss:") })';
    throw refusedOptionError("servers", `WebSocket servers need the option wsFactory, because ${why}`);
  }
  return async (url) => ({
    socket: new Platform(url) as WebSocketLike,
    encrypted: url.startsWith("wss:"),
  });
}

const CLOSED = 3;

/** A factory may take its time; when the attempt is given up meanwhile, what it makes is ended at once. */
export class WebSocketWire implements Wire {
  readonly version: string = VERSION;
  readonly lang: string = "nats.ws";
  closeError?: Error;
  #socket: WebSocketLike | undefined;
  #encrypted = false;
  #over = false;
  #chunks: Uint8Array[] = [];
  #wake: () => void = () => {};
  #written = 0;
  readonly #dial: Dial;
  readonly #url: string;
  readonly #factory: WebSocketFactory;
  readonly #closed: ReturnType<typeof deferred<Error | undefined>> = deferred<Error | undefined>();
  readonly #opened: ReturnType<typeof deferred<void>> = deferred<void>();

  constructor(dial: Dial, url: string, factory: WebSocketFactory) {
    this.#dial = dial;
    this.#url = url;
    this.#factory = factory;
    this.#opened.catch(() => {}); // heard through `start`
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  get writtenBytes(): number {
    return this.#written;
  }

  get isClosed(): boolean {
    return this.#over;
  }

  async start(options: ConnectionOptions): Promise<void> {
    this.#dial.step("websocket");
    const { socket, encrypted } = await this.#factory(this.#url, options);
    this.#socket = socket;
    this.#encrypted = encrypted;
    const wire = this;
    this.#dial.tap({
      destroy: () => end(socket),
      get destroyed() {
        return socket.readyState === CLOSED || wire.#over;
      },
    });
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }: { data: ArrayBuffer }) => this.#received(data);
    socket.onerror = (event: { error?: unknown; message?: string }) => {
      const said = event.error === undefined ? event.message : reasonOf(event.error);
      const message = said === undefined || said === "" ? "the WebSocket failed" : said;
      this.closeError ??= new errors.ConnectionError(message, { cause: event.error });
      // Some implementations say no more after an error.
      this.#end();
    };
    socket.onclose = ({ code, reason }: { code?: number; reason?: string }) => {
      if (reason) this.closeError ??= new errors.ConnectionError(`the server closed: ${reason} (${code})`);
      this.#end();
    };
    socket.onopen = () => this.#opened.resolve();
    if (this.#over) end(socket);
    await this.#opened;
    this.#dial.step("handshake");
  }

  connect(): Promise<void> {
    return Promise.reject(new Error("the engine starts a wire with `start`"));
  }

  #received(data: ArrayBuffer): void {
    this.#chunks.push(new Uint8Array(data));
    this.#wake();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    const { closeError } = this;
    this.#opened.reject(closeError ?? new errors.ConnectionError("the server closed the WebSocket"));
    this.#closed.resolve(closeError);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    while (!this.#over || this.#chunks.length > 0) {
      const chunks = this.#chunks;
      this.#chunks = [];
      yield* chunks;
      if (this.#chunks.length > 0 || this.#over) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  isEncrypted(): boolean {
    return this.#encrypted;
  }

  /** The bytes of this frame only: the view may be a part of a larger buffer. */
  send(frame: Uint8Array): void {
    if (this.#over || this.#socket === undefined) return;
    this.#written += frame.length;
    try {
      this.#socket.send(frame);
    } catch (error) {
      this.closeError ??= error as Error;
      this.discard();
    }
  }

  close(error?: Error): Promise<void> {
    if (error !== undefined) this.closeError ??= error;
    this.discard();
    return Promise.resolve();
  }

  disconnect(): void {
    this.discard();
  }

  closed(): Promise<Error | undefined> {
    return this.#closed;
  }

  discard(): void {
    this.#end();
    if (this.#socket !== undefined) end(this.#socket);
  }
}

/** The goodbye of WebSocket waits for the peer's; a peer that is gone never sends it. */
function end(socket: WebSocketLike): void {
  socket.onmessage = null;
  socket.onopen = null;
  try {
    if (socket.terminate !== undefined) socket.terminate();
    else socket.close();
  } catch {
    // It never was.
  }
}
