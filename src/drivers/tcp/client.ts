/** libhv's TcpClient: one supervised TCP or TLS connection. */
import { processGovernor } from "../../governor/index.ts";
import { type CloseReason, type EmitEffect, Link, type LinkPolicy } from "../../link/index.ts";
import { publish, type Resilience } from "../../observe/index.ts";
import { number } from "../../options/index.ts";
import { bytesOf, Channel, type HeartbeatReply, readTimeoutMs, type TcpData } from "./channel.ts";
import type { ConnectionSettings, TcpConnection } from "./connection.ts";
import { TcpDriver, type TcpDriverOwner } from "./driver.ts";
import { LastingHandle } from "./handle.ts";
import { createHeartbeat, type HeartbeatPayload } from "./heartbeat.ts";
import { Message } from "./message.ts";
import { type ResolvedTcpOptions, resolveTcpOptions, type TcpClientOptions } from "./options.ts";
import { type GivenReconnectSetting, policyFor, snakeSetting } from "./policy.ts";
import type { ReconnectSetting } from "./reconnect-setting.ts";

export interface SendOptions {
  /** Time for waiting and for the kernel to take it, in milliseconds. Default: none; the outbox has its own limit. */
  readonly deadlineMs?: number;
  /** The caller's way out; rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/**
 * A TCP connection that is kept: dialled, watched, lost, dialled again, until closed. Semantics: libhv's TcpClient,
 * with its defects mended (docs/tcp.md lists them).
 *
 * ```ts
 * const client = new TcpClient({ port: 1234, framing: { mode: "delimiter", delimiter: "\n" } });
 * client.onConnection = (channel) => {
 *   if (channel.isConnected()) channel.setKeepaliveTimeout(5 * 1000);
 * };
 * client.onMessage = (_channel, frame) => console.log(frame.toString());
 * client.setReconnect({ min_delay: 1000, max_delay: 10_000, delay_policy: 2 });
 * await client.start();
 * await client.send("hello\n");
 * ```
 */
export class TcpClient {
  /**
   * Called for every new connection, every loss and every failed attempt: `channel.isConnected()` tells them apart,
   * `channel.error` says why. A new connection's promise is awaited before anything that waits is sent; within it
   * write to the channel. If it fails, so has the attempt.
   */
  onConnection: ((channel: Channel) => void | Promise<void>) | undefined;
  /** Called with each whole frame. What it throws is told as `asyncError`. */
  onMessage: ((channel: Channel, frame: Buffer) => void) | undefined;
  /** Called when the kernel took a batch of messages; `channel.isWriteComplete()` when nothing waits any more. */
  onWriteComplete: ((channel: Channel, bytes: number) => void) | undefined;
  /** Called once per `start`: closed by its owner, or given up (libhv never tells), and why. */
  onClosed: ((why: CloseReason, cause: unknown) => void) | undefined;
  readonly #options: ResolvedTcpOptions;
  /** Made when somebody asks for it: an idle client without it weighs a kilobyte less. */
  #handle: LastingHandle | undefined;
  #settings: ConnectionSettings;
  #setting: ReconnectSetting | null | undefined;
  #connectTimeoutMs: number | undefined;
  #link: Link<TcpConnection>;
  #channel: Channel | undefined;
  #connection: TcpConnection | undefined;
  /** Connected, and its `onConnection` still runs. */
  #greeting: TcpConnection | undefined;

  /** Validates every option (`HF_OPTION`); dials nothing. */
  constructor(options: TcpClientOptions) {
    this.#options = resolveTcpOptions(options);
    this.#settings = this.#options.connection;
    this.#setting = this.#options.reconnect;
    this.#connectTimeoutMs = this.#options.connectTimeoutMs;
    this.#link = this.#makeLink();
  }

  /** Events, snapshot, explain, health; the same for the client's whole life. */
  get resilience(): Resilience {
    this.#handle ??= new LastingHandle(this.#link);
    return this.#handle.resilience;
  }

  /**
   * Starts to dial; also again after a close, with the same settings. Resolves at the first connection.
   * @throws (as rejection) why it closed; `signal.reason` when aborted, which closes the client. A rejection that
   * nobody looks at does not end the process.
   */
  start(signal?: AbortSignal): Promise<void> {
    const { phase } = this.#link;
    if (phase === "closed" || phase === "closing") {
      this.#link = this.#makeLink();
      this.#handle?.attach(this.#link);
    }
    const ready = this.#link.connect(signal);
    ready.catch(() => {});
    return ready;
  }

  /**
   * When to dial again, in libhv's terms; from the next failure on. `null` or nothing: never again, which also ends
   * a back-off under way. Throws `HF_OPTION` for wrong fields.
   */
  setReconnect(setting?: GivenReconnectSetting | null): void {
    this.#setting = setting === undefined || setting === null ? null : snakeSetting(setting, "reconnect");
    this.#link.setPolicy(this.#policy());
  }

  /** Time for resolving, TCP and TLS together, from the next attempt on. */
  setConnectTimeout(ms: number): void {
    this.#connectTimeoutMs = readTimeoutMs(ms, "connect_timeout");
    this.#link.setPolicy(this.#policy());
  }

  /** For this and every later connection. See `Channel.setKeepaliveTimeout`. */
  setKeepaliveTimeout(ms: number): void {
    this.#settings = { ...this.#settings, keepaliveTimeoutMs: readTimeoutMs(ms, "keepaliveTimeoutMs") };
    this.#channel?.setKeepaliveTimeout(ms);
  }

  /** For this and every later connection. See `Channel.setReadTimeout`. */
  setReadTimeout(ms: number): void {
    this.#settings = { ...this.#settings, readTimeoutMs: readTimeoutMs(ms, "readTimeoutMs") };
    this.#channel?.setReadTimeout(ms);
  }

  /** For this and every later connection. See `Channel.setWriteTimeout`. */
  setWriteTimeout(ms: number): void {
    this.#settings = { ...this.#settings, writeTimeoutMs: readTimeoutMs(ms, "writeTimeoutMs") };
    this.#channel?.setWriteTimeout(ms);
  }

  /** For this and every later connection. See `Channel.setCloseTimeout`. */
  setCloseTimeout(ms: number): void {
    this.#settings = { ...this.#settings, closeTimeoutMs: readTimeoutMs(ms, "closeTimeoutMs") };
    this.#channel?.setCloseTimeout(ms);
  }

  /** For this and every later connection. See `Channel.setHeartbeat`. */
  setHeartbeat(
    intervalMs: number,
    payload: HeartbeatPayload | (() => HeartbeatPayload),
    reply: HeartbeatReply = {},
  ): void {
    const heartbeat = { ...reply, intervalMs, payload };
    createHeartbeat(heartbeat, 0); // throws for wrong settings
    this.#settings = { ...this.#settings, heartbeat };
    this.#channel?.setHeartbeat(intervalMs, payload, reply);
  }

  /**
   * Sends one message: now, or when the connection is back. Resolves when the kernel took it, which is not yet the
   * peer: should the connection then die, an `unconfirmed` event counts it. Awaiting it is the back-pressure.
   *
   * A message that never reached the kernel is sent on the next connection, in its old place.
   * @throws (as rejection) `HoldfastError` with `outcome`: `not-applied` (refused, waited too long, closed) or
   * `maybe-applied` (the connection died with it in the socket). A rejection nobody looks at does not end the process.
   */
  send(data: TcpData, options?: SendOptions): Promise<void> {
    const bytes = bytesOf(data, "data");
    const deadlineMs = options?.deadlineMs;
    const signal = options?.signal;
    if (deadlineMs !== undefined) sendDeadline.read(deadlineMs, "deadlineMs");
    const message = new Message(bytes, deadlineMs, signal);
    const sent = this.#link.pass(message) as Promise<void>;
    // A message whose caller has left is not sent any more.
    if (options === undefined) sent.catch(ignored);
    else sent.catch(() => message.withdraw());
    return sent;
  }

  /** The same as `send`. */
  write(data: TcpData, options?: SendOptions): Promise<void> {
    return this.send(data, options);
  }

  /** The newest connection's channel; `undefined` before the first. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Bytes given to the connection that its kernel has not taken. Messages that wait for a connection don't count. */
  get bufferedBytes(): number {
    return this.#connection?.isOpen === true ? this.#connection.bufferedBytes : 0;
  }

  /** Resolves when the connection holds no untaken bytes: at once, when drained, or when it ends. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connection?.isOpen === true) this.#connection.whenEmpty(resolve);
      else resolve();
    });
  }

  isConnected(): boolean {
    return this.#channel?.isConnected() === true;
  }

  /** True when the connection, or the attempt under way, is not the first since `start`. */
  isReconnect(): boolean {
    return this.#link.epoch > 1;
  }

  /** Closes now, in any state, also in back-off; resolves when no socket or timer is left. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** libhv's name for `close`. */
  closesocket(): Promise<void> {
    return this.close();
  }

  /** libhv's name for `close`. */
  stop(): Promise<void> {
    return this.close();
  }

  /** Takes no new messages, sends what waits, then closes; at the deadline it closes anyway. */
  drain(deadlineMs?: number): Promise<void> {
    return this.#link.drain(deadlineMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  /** What the driver tells, with access to what the client keeps to itself. */
  static readonly #Owner = class implements TcpDriverOwner {
    readonly #client: TcpClient;

    constructor(client: TcpClient) {
      this.#client = client;
    }

    settings(): ConnectionSettings {
      return this.#client.#settings;
    }

    connected(connection: TcpConnection): Promise<void> {
      return this.#client.#connected(connection);
    }

    message(connection: TcpConnection, frame: Buffer): void {
      const client = this.#client;
      client.#guard(client.onMessage?.(client.#channelOf(connection), frame));
    }

    written(connection: TcpConnection, bytes: number): void {
      const client = this.#client;
      client.onWriteComplete?.(client.#channelOf(connection), bytes);
    }
  };

  #policy(): LinkPolicy {
    const { resilience, given } = this.#options;
    return policyFor(resilience.policy, given, this.#setting, this.#connectTimeoutMs);
  }

  #makeLink(): Link<TcpConnection> {
    const { endpoints, resilience } = this.#options;
    const { permits, name, ...config } = resilience;
    const driver = new TcpDriver(this.#options, new TcpClient.#Owner(this));
    const link = new Link<TcpConnection>({
      ...config,
      name: name ?? "tcp",
      driver,
      endpoints,
      policy: this.#policy(),
      permits: permits ?? processGovernor,
    });
    // One tap for all of them, because listeners weigh; heard before anybody else's.
    link.tap((name, data) => {
      publish(link.name, name, data);
      this.#heard({ name, data } as EmitEffect);
    });
    return link;
  }

  #heard(event: EmitEffect): void {
    if (event.name === "attemptFailed") {
      // The failed attempt may have come as far as onConnection.
      const greeted = this.#greeting;
      this.#greeting = undefined;
      this.#notConnected(new Channel(greeted, event.data.cause, 0));
    } else if (event.name === "disconnected") {
      if (this.#channel !== undefined) this.#notConnected(this.#channel);
    } else if (event.name === "closed") this.onClosed?.(event.data.why, event.data.cause);
  }

  async #connected(connection: TcpConnection): Promise<void> {
    this.#connection = connection;
    this.#greeting = connection;
    this.#channel = new Channel(connection, undefined, this.#options.resilience.writeBufferBytes);
    await this.onConnection?.(this.#channel);
    this.#greeting = undefined;
  }

  #notConnected(channel: Channel): void {
    this.#guard(this.onConnection?.(channel));
  }

  /** Nobody waits for this promise: its failure goes where a throw goes, instead of ending the process. */
  #guard(done: unknown): void {
    if (done instanceof Promise) done.catch((error: unknown) => this.#handle?.tell(error));
  }

  #channelOf(connection: TcpConnection): Channel {
    if (this.#connection === connection && this.#channel !== undefined) return this.#channel;
    return new Channel(connection, undefined, this.#options.resilience.writeBufferBytes);
  }
}

const ignored = (): void => {};
const sendDeadline = number({ min: 1, max: Infinity });

/** The same as `new TcpClient(options)`. */
export function createTcpClient(options: TcpClientOptions): TcpClient {
  return new TcpClient(options);
}
