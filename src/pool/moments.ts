import type { Clock, CoarseTimers } from "../time/index.ts";

/** How long a reading counts as recent: a tick of the coarse timers. */
const RECENT_MS = 25;

/**
 * What time it is, as exactly as the question needs. A reading of the clock costs as much as all else that a pool does
 * to hand out a connection, so a pool under load does not ask for it again and again.
 */
export class Moments {
  readonly #clock: Clock;
  readonly #timers: CoarseTimers;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isRecent = false;
  #isStopped = false;
  #forget: () => void = () => {};

  constructor(clock: Clock, timers: CoarseTimers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Now. */
  now(): number {
    this.#lastMs = this.#clock.nowMs();
    return this.#lastMs;
  }

  /** Now, or when this run of microtasks asked first: for callers who queue up and are served in bursts. */
  turn(): number {
    const { turnMs } = this.#clock;
    return turnMs === undefined ? this.#clock.nowMs() : turnMs();
  }

  /**
   * Now, or up to a tick ago, never later: to stamp an idle connection. An early stamp makes it age and be validated
   * sooner, never later, also when the event loop was blocked meanwhile.
   */
  recent(): number {
    if (this.#isRecent) return this.#lastMs;
    if (this.#isStopped) return this.now();
    this.#isRecent = true;
    this.#forget = this.#timers.after(RECENT_MS, () => {
      this.#isRecent = false;
    });
    return this.now();
  }

  /** No timer is left, and none will be made. */
  stop(): void {
    this.#isStopped = true;
    this.#forget();
    this.#isRecent = false;
  }
}
