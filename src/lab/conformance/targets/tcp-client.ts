/** A request-and-reply client for the lab's TCP service, as an application would write one on `holdfast/tcp`. */
import { HoldfastError } from "../../../call/index.ts";
import { type Channel, TcpClient, type TcpClientOptions } from "../../../drivers/tcp/index.ts";
import { systemClock, type Timer } from "../../../time/index.ts";
import { ackedId, encodeMessage, encodePing, encodeWrite, isPong } from "../../tcp-service/wire.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The connection whose kernel took it; undefined while it waits for one. */
  takenBy: number | undefined;
  timer: Timer | undefined;
}

export interface ServiceClientOptions {
  readonly options: TcpClientOptions;
  readonly deadlineMs: number | undefined;
  /** Ping before the connection is used, so that one that is only accepted does not count. */
  readonly greets: boolean;
}

/** TCP itself acknowledges nothing: what was taken by a kernel and not answered is `maybe-applied`. */
export class ServiceClient {
  readonly tcp: TcpClient;
  readonly #deadlineMs: number | undefined;
  readonly #waiters: Map<string, Waiter> = new Map();
  #pings = 0;

  constructor({ options, deadlineMs, greets }: ServiceClientOptions) {
    this.tcp = new TcpClient({ ...options, framing: { mode: "lengthField" } });
    this.#deadlineMs = deadlineMs;
    this.tcp.onMessage = (_channel, frame) => this.#take(frame);
    if (greets) this.tcp.onConnection = (channel) => this.#greet(channel);
    this.tcp.resilience.on("disconnected", ({ cause }) => this.#lost(cause));
    this.tcp.resilience.on("closed", ({ cause }) => this.#lost(cause));
  }

  write(id: number): Promise<void> {
    return this.#ask(`ack ${id}`, encodeWrite(id));
  }

  ping(): Promise<void> {
    const body = Buffer.from(String(++this.#pings));
    return this.#ask(`pong ${this.#pings}`, encodeMessage(3, body));
  }

  #ask(key: string, request: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, takenBy: undefined, timer: undefined };
      this.#waiters.set(key, waiter);
      const deadlineMs = this.#deadlineMs;
      const sent = this.tcp.send(request, deadlineMs === undefined ? {} : { deadlineMs });
      sent.then(
        () => {
          waiter.takenBy = this.tcp.channel?.id;
        },
        (error) => this.#settle(key, (one) => one.reject(error)),
      );
      if (deadlineMs === undefined) return;
      // A moment after the driver's own deadline, which knows more about a message that was never sent.
      waiter.timer = systemClock.setTimer(deadlineMs + 50, () => {
        if (waiter.takenBy === undefined) return;
        this.#settle(key, (one) => one.reject(unanswered("HF_DEADLINE", "no reply in time")));
      });
    });
  }

  #take(frame: Buffer): void {
    const id = ackedId(frame);
    if (id !== undefined) this.#settle(`ack ${id}`, (one) => one.resolve());
    else if (isPong(frame) && frame.length > 5)
      this.#settle(`pong ${frame.subarray(5)}`, (one) => one.resolve());
    else if (!isPong(frame)) this.tcp.channel?.close();
  }

  #greet(channel: Channel): Promise<void> | undefined {
    if (!channel.isConnected()) return undefined;
    return new Promise((resolve, reject) => {
      const key = `pong greeting ${channel.id}`;
      const waiter = { resolve, reject, takenBy: channel.id, timer: undefined };
      this.#waiters.set(key, waiter);
      channel.write(encodeMessage(3, Buffer.from(key.slice("pong ".length)))).catch((error) => {
        this.#settle(key, (one) => one.reject(error));
      });
    });
  }

  /** In the next turn: what this connection's kernel took is known by then. */
  #lost(cause: unknown): void {
    const lostId = this.tcp.channel?.id ?? 0;
    setImmediate(() => {
      for (const [key, { takenBy }] of [...this.#waiters]) {
        if (takenBy === undefined || takenBy > lostId) continue;
        this.#settle(key, (one) =>
          one.reject(unanswered("HF_LOST", "the connection ended before the reply", cause)),
        );
      }
    });
  }

  #settle(key: string, settle: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.get(key);
    if (waiter === undefined) return;
    this.#waiters.delete(key);
    waiter.timer?.cancel();
    settle(waiter);
  }
}

function unanswered(code: "HF_LOST" | "HF_DEADLINE", message: string, cause?: unknown): HoldfastError {
  return new HoldfastError(code, message, { outcome: "maybe-applied", step: "reply", cause });
}

/** The service answers a ping with the ping's body: an empty one is a heartbeat's. */
export const heartbeatPayload: Buffer = encodePing();
export const isHeartbeatReply = (frame: Buffer): boolean => isPong(frame) && frame.length === 5;
