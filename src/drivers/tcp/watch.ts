import type { Clock, Timer } from "../../time/index.ts";
import type { Heartbeat } from "./heartbeat.ts";

/** What ran out on a connection. */
export type Expired = "keepalive" | "read" | "write" | "heartbeat";

export interface WatchOwner {
  /** The connection has to end. Said once. */
  expired(what: Expired, silentMs: number): void;
  sendHeartbeat(payload: Buffer): void;
  /** The application's heartbeat function failed. */
  heartbeatFailed(error: unknown): void;
}

/**
 * The timeouts of one connection, and its heartbeat, on one timer. Traffic only notes the time; the timer looks, when
 * it fires, whether anything is really due, so that a busy connection re-arms nothing; and a timeout that is off does not
 * even read the clock.
 */
export class Watch {
  /** No application data either way for that long ends the connection. Heartbeats and their replies don't count. */
  keepaliveMs: number = Infinity;
  /** Nothing received for that long ends the connection. */
  readMs: number = Infinity;
  /** The kernel took nothing of what waits for that long: ends the connection. */
  writeMs: number = Infinity;
  heartbeat: Heartbeat | undefined;
  readonly #clock: Clock;
  readonly #owner: WatchOwner;
  #applicationMs: number;
  #readMs: number;
  #writing = false;
  /** Since when a batch is with the socket; Infinity when none is, or nobody asks. */
  #writingMs = Infinity;
  #timer: Timer | undefined;
  #armedForMs = Infinity;
  #over = false;

  constructor(clock: Clock, owner: WatchOwner) {
    this.#clock = clock;
    this.#owner = owner;
    this.#applicationMs = clock.nowMs();
    this.#readMs = this.#applicationMs;
  }

  /** Bytes came in. */
  received(): void {
    if (this.readMs !== Infinity) this.#readMs = this.#clock.nowMs();
    this.heartbeat?.onRead();
  }

  /** The application wrote, or bytes of its own came in. */
  exchanged(): void {
    if (this.keepaliveMs !== Infinity) this.#applicationMs = this.#clock.nowMs();
  }

  /** A batch is with the socket (true), or none is. */
  writing(begun: boolean): void {
    this.#writing = begun;
    if (this.writeMs === Infinity) return;
    this.#writingMs = begun ? this.#clock.nowMs() : Infinity;
    if (begun) this.#arm();
  }

  /** Begins the idle time anew; to be called after a setting has changed. */
  restart(): void {
    const nowMs = this.#clock.nowMs();
    this.#applicationMs = nowMs;
    this.#readMs = nowMs;
    this.#writingMs = this.#writing ? nowMs : Infinity;
    this.#arm();
  }

  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #dueMs(): number {
    return Math.min(
      this.#applicationMs + this.keepaliveMs,
      this.#readMs + this.readMs,
      this.#writingMs + this.writeMs,
      this.heartbeat?.dueMs ?? Infinity,
    );
  }

  /** Sees to it that the timer fires by the next due time; one that fires too early is harmless. */
  #arm(): void {
    const dueMs = this.#dueMs();
    if (this.#over || dueMs >= this.#armedForMs) return;
    this.#timer?.cancel();
    this.#armedForMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.nowMs(), () => this.#tick(), { unref: true });
  }

  #tick(): void {
    this.#timer = undefined;
    this.#armedForMs = Infinity;
    const nowMs = this.#clock.nowMs();
    const silent = (sinceMs: number, limitMs: number): boolean => nowMs - sinceMs >= limitMs;
    if (silent(this.#applicationMs, this.keepaliveMs))
      return this.#expire("keepalive", nowMs - this.#applicationMs);
    if (silent(this.#readMs, this.readMs)) return this.#expire("read", nowMs - this.#readMs);
    if (silent(this.#writingMs, this.writeMs)) return this.#expire("write", nowMs - this.#writingMs);
    if (this.heartbeat !== undefined && this.heartbeat.dueMs <= nowMs && !this.#beat(this.heartbeat, nowMs))
      return;
    this.#arm();
  }

  /** False when the connection has to end. */
  #beat(heartbeat: Heartbeat, nowMs: number): boolean {
    try {
      const action = heartbeat.onTick(nowMs);
      if (action.do === "send") this.#owner.sendHeartbeat(action.payload);
      if (action.do !== "suspect") return true;
      this.#expire("heartbeat", action.unansweredMs);
    } catch (error) {
      this.stop();
      this.#owner.heartbeatFailed(error);
    }
    return false;
  }

  #expire(what: Expired, silentMs: number): void {
    this.stop();
    this.#owner.expired(what, silentMs);
  }
}
