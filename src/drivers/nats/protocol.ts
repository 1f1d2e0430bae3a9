/**
 * The library's protocol handler, without its own reconnecting: the engine decides each dial. It outlives the sockets,
 * so that everything built on the connection (JetStream, KV, services) stays valid.
 */
import {
  type ConnectionOptions,
  deferred,
  errors,
  ProtocolHandler,
  type Publisher,
  Servers,
  type Status,
  TE,
} from "@nats-io/transport-node";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { HoldfastError } from "../../call/index.ts";
import { endpointId } from "../../endpoint/index.ts";
import type { Dial } from "../../link/index.ts";
import { type Deferred, orAborted, rejectAll } from "./deferred.ts";
import { checkInternals, checkOutbound } from "./internals.ts";
import { flushPending } from "./outbound.ts";
import { Physical } from "./physical.ts";
import { type PublishingHost, PublishingProtocol } from "./publishing.ts";
import { isAuthError, isOperationError, isUnknownServerError } from "./server-errors.ts";
import { SlowConsumer } from "./slow-consumer.ts";
import type { MakeWire } from "./wire.ts";

/** What the protocol asks of the connection it belongs to. */
export interface ProtocolHost extends PublishingHost {
  /** Makes the way to the server of one attempt. */
  readonly wire: MakeWire;
  /** Gets what the attempt logs in with, where that takes a moment. */
  credentials(dial: Dial): Promise<void> | undefined;
  /** A -ERR of no known meaning ends the connection for good. */
  readonly closeOnUnknownError: boolean;
  /** The server told about itself (INFO). */
  info(physical: Physical): void;
  reconnectNow(): void;
}

const PING: Uint8Array = TE.encode("PING\r\n");

export class RegulatedProtocol extends PublishingProtocol {
  readonly #host: ProtocolHost;
  /** The connection that is being made or in use. */
  #physical: Physical | undefined;
  #handshake: Deferred | undefined;
  #readingInfo = false;

  constructor(options: ConnectionOptions, publisher: Publisher, host: ProtocolHost) {
    checkInternals(ProtocolHandler.prototype);
    super(options, publisher, host);
    checkOutbound(this);
    this.#host = host;
    this.transport = new NodeTransport(); // never connected; the library expects one to close
  }

  /** One attempt: TCP or WebSocket, TLS, INFO, CONNECT, PONG. Aborted, it leaves nothing behind. */
  async open(dial: Dial): Promise<Physical> {
    const asked = this.#host.credentials(dial);
    if (asked !== undefined) {
      dial.step("credentials");
      await orAborted(asked, dial.signal);
    }
    const transport = this.#host.wire(dial);
    const physical = new Physical(dial, transport);
    const pong = this.#begin(physical);
    const abort = (): void => {
      pong.reject(dial.signal.reason);
      transport.discard();
    };
    dial.signal.addEventListener("abort", abort, { once: true });
    void transport.closed().then((error) => this.#gone(physical, error ?? undefined));
    try {
      if (dial.signal.aborted) abort();
      const connecting = transport.start(this.options);
      connecting.catch(() => {}); // after an abort nobody else listens
      await Promise.race([connecting, pong]);
      void this.#read(physical);
      await pong;
      return physical;
    } catch (error) {
      physical.lostCause ??= error; // what the discarded transport then says is no news
      transport.discard();
      throw error;
    } finally {
      dial.signal.removeEventListener("abort", abort);
      if (this.#physical === physical) {
        this.#handshake = undefined;
        this.connectError = undefined as never;
      }
    }
  }

  #begin(physical: Physical): Deferred {
    const pool = new Servers({ randomize: false });
    pool.setServers([endpointId(physical.dial.endpoint)]);
    this.servers = pool;
    this.server = pool.getCurrentServer();
    this.transport = physical.transport;
    this.#physical = physical;
    this.resetOutbound();
    this.forgetRoom();
    const pong = deferred<void>();
    pong.catch(() => {});
    this.pongs = [pong];
    this.#handshake = pong;
    return pong;
  }

  async #read(physical: Physical): Promise<void> {
    try {
      for await (const chunk of physical.transport) {
        if (this.#physical !== physical) return;
        physical.dial.sink.alive();
        this.parser.parse(chunk);
      }
    } catch (cause) {
      const error = new HoldfastError("HF_PROTOCOL", "the server sent what is not NATS", { cause });
      this.#gone(physical, error);
    }
  }

  /** The connection is of no use any more: a failed handshake, or a loss. */
  #gone(physical: Physical, error: Error | undefined): void {
    if (this.#physical !== physical || physical.lostCause !== undefined) return;
    const closed = new errors.ConnectionError("the server closed the connection");
    physical.lostCause = physical.serverError ?? error ?? closed;
    // The report may begin the next attempt before it returns: that one's PONG must not be taken for one of these.
    const pongs = this.pongs.splice(0);
    if (this.#handshake !== undefined) this.#handshake.reject(physical.lostCause as Error);
    else physical.dial.sink.lost(physical.lostCause);
    rejectAll(pongs, physical.lostCause);
  }

  /** Sends what the server must hold for us. From here on commands pass. */
  resume(physical: Physical): readonly string[] {
    if (this.#physical !== physical || physical.lostCause !== undefined)
      throw physical.lostCause ?? new errors.ConnectionError("the connection was lost");
    this.connected = true;
    this.connectedOnce = true;
    this.sendSubscriptions();
    return this.subscriptions.all().map((sub) => sub.subject);
  }

  /** Exact across reconnects: what a subscription with a maximum has had counts; what drains or is full stays gone. */
  override sendSubscriptions(): void {
    const lines: string[] = [];
    for (const sub of this.subscriptions.all()) {
      const left = sub.max === undefined ? undefined : sub.max - sub.getReceived();
      if (sub.isDraining() || (left !== undefined && left <= 0)) {
        this.subscriptions.cancel(sub);
        continue;
      }
      lines.push(`SUB ${sub.subject} ${sub.queue ? `${sub.queue} ` : ""}${sub.sid}\r\n`);
      if (left !== undefined) lines.push(`UNSUB ${sub.sid} ${left}\r\n`);
    }
    if (lines.length > 0) this.transport.send(TE.encode(lines.join("")));
  }

  /** Everything written so far goes to the socket; from here on nothing passes. */
  suspend(physical: Physical): void {
    if (this.#physical !== physical) return;
    flushPending(this);
    this.connected = false;
    const cause = physical.lostCause ?? new errors.ConnectionError("the connection ended");
    for (const request of this.muxSubscriptions.all()) cancelRequest(request, cause as Error);
  }

  /** Asks the server to confirm what it has read; within a graceful end also while nothing passes. */
  confirm(physical: Physical): Promise<void> {
    if (this.#physical !== physical || physical.lostCause !== undefined)
      return Promise.reject(physical.lostCause ?? new errors.ConnectionError("the connection ended"));
    const pong = deferred<void>();
    const mark = physical.mark();
    this.pongs.push(pong);
    if (this.connected) flushPending(this);
    this.transport.send(PING);
    this.sentBytes += PING.length;
    return pong.then(() => physical.confirmed(mark));
  }

  /** Nothing of this connection is used again. */
  end(physical: Physical): void {
    physical.lostCause ??= new errors.ConnectionError("the connection was closed");
    physical.transport.discard();
    if (this.#physical !== physical) return;
    this.#physical = undefined;
    this.connected = false;
    rejectAll(this.pongs.splice(0), physical.lostCause);
    this.resetOutbound();
  }

  override flush(pong: Deferred = deferred<void>()): Promise<void> {
    const physical = this.#physical;
    if (physical === undefined || !this.connected) {
      pong.reject(new errors.RequestError("connection disconnected"));
      return pong;
    }
    const mark = physical.mark();
    pong.then(
      () => physical.confirmed(mark),
      () => {},
    );
    this.sentBytes += PING.length;
    return super.flush(pong);
  }

  /** A rejection in the handshake ends the attempt at once, whatever it says. */
  override handleError(error: Error): void {
    const physical = this.#physical;
    if (physical === undefined) return;
    physical.dial.sink.asyncError(error);
    if (isOperationError(error)) return;
    this.lastError = error;
    physical.serverError = error;
    if (this.#handshake !== undefined || isAuthError(error)) this.#gone(physical, error);
    else if (this.#host.closeOnUnknownError && isUnknownServerError(error)) {
      physical.lostCause = error;
      physical.dial.sink.lost(error, "fatal");
    }
  }

  /** A throwing authenticator makes the library close for good; here it fails the attempt. */
  override processInfo(message: Uint8Array): void {
    this.#readingInfo = true;
    try {
      super.processInfo(message);
    } finally {
      this.#readingInfo = false;
    }
    if (this.#physical !== undefined && this.info !== undefined) this.#host.info(this.#physical);
  }

  override async close(error?: Error): Promise<void> {
    if (!this.#readingInfo) return super.close(error);
    if (this.#physical !== undefined) this.#gone(this.#physical, error);
  }

  /** A slow consumer is an error nobody's call can carry. */
  override dispatchStatus(status: Status): void {
    if (status.type === "slowConsumer")
      this.#physical?.dial.sink.asyncError(new SlowConsumer(status.sub, status.pending));
    super.dispatchStatus(status);
  }

  override reconnect(): Promise<void> {
    this.#host.reconnectNow();
    return Promise.resolve();
  }

  override disconnect(): void {
    if (this.#physical !== undefined) this.#gone(this.#physical, undefined);
  }

  override disconnected(): Promise<void> {
    return Promise.resolve(); // the engine heard it from the transport
  }
}

/** The library's own, which its types don't show. */
function cancelRequest(request: unknown, cause: Error): void {
  (request as { cancel(error: Error): void }).cancel(cause);
}
