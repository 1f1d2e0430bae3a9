import type { Clock } from "../time/index.ts";

export interface RetryBudgetOptions {
  /** Retries earned by each call, 0.2 = one retry for five calls. Default 0.2. */
  readonly ratio?: number;
  /** Retries a second that are always allowed, so that an idle client can retry at all. Default 10. */
  readonly minPerSecond?: number;
  /** How long an earned retry stays valid. Default 10,000 ms. */
  readonly ttlMs?: number;
}

/**
 * Bounds retries by recent traffic, so that retries can't become the load that keeps a server down (the idea of
 * Finagle's RetryBudget: deposits from calls, a floor for idle clients).
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #ratio: number;
  readonly #ttlMs: number;
  readonly #floor: number;
  #balance = 0;
  #seenMs: number;

  constructor(clock: Clock, options: RetryBudgetOptions = {}) {
    this.#clock = clock;
    this.#ratio = options.ratio ?? 0.2;
    this.#ttlMs = options.ttlMs ?? 10_000;
    this.#floor = ((options.minPerSecond ?? 10) * this.#ttlMs) / 1000;
    this.#balance = this.#floor;
    this.#seenMs = clock.nowMs();
  }

  /** Counts a call. */
  deposit(): void {
    this.#decay();
    this.#balance += this.#ratio;
  }

  /** Takes one retry; `false` when none is left. */
  withdraw(): boolean {
    this.#decay();
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }

  /** Pulls the balance towards the floor by the share of the ttl that has passed. */
  #decay(): void {
    const nowMs = this.#clock.nowMs();
    const share = Math.min(1, (nowMs - this.#seenMs) / this.#ttlMs);
    this.#seenMs = nowMs;
    this.#balance += (this.#floor - this.#balance) * share;
  }
}
