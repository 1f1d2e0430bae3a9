import type { Clock, Timer } from "../time/index.ts";

export interface ShutdownOwner {
  /** Connections that are still open or closing. */
  readonly remaining: () => number;
  /** The deadline passed: destroy what is left. */
  readonly force: () => void;
  readonly finished: () => void;
}

/** The end of a pool: over when nothing remains, or at the deadline. */
export class Shutdown {
  readonly #clock: Clock;
  readonly #owner: ShutdownOwner;
  #over: Promise<void> | undefined;
  #resolve: () => void = () => {};
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, owner: ShutdownOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  begin(deadlineMs: number): Promise<void> {
    this.#over ??= new Promise((resolve) => {
      this.#resolve = () => {
        this.#owner.finished();
        resolve();
      };
    });
    const dueMs = this.#clock.nowMs() + deadlineMs;
    if (dueMs < this.#dueMs) {
      this.#dueMs = dueMs;
      this.#timer?.cancel();
      this.#timer = this.#clock.setTimer(deadlineMs, () => this.#force());
    }
    this.check();
    return this.#over;
  }

  /** Something went: was it the last? */
  check(): void {
    if (this.#over === undefined || this.#owner.remaining() > 0) return;
    this.#finish();
  }

  #force(): void {
    this.#owner.force();
    this.#finish();
  }

  #finish(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Number.NEGATIVE_INFINITY;
    const resolve = this.#resolve;
    this.#resolve = () => {};
    resolve();
  }
}
