import type { Clock, Timer } from "./clock.ts";

/**
 * Shared low-resolution timers for deadlines and probes: many owners, one real timer. A deadline costs an array
 * push instead of a timer (and no AbortController), which is what keeps a call with a deadline under half a
 * microsecond. Fires never early and at most one tick late.
 */
export class CoarseTimers {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #buckets: Map<number, Set<() => void>> = new Map();
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /** @param tickMs resolution, default 25 ms */
  constructor(clock: Clock, tickMs = 25) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Owners still waiting; zero when nothing is left. */
  get size(): number {
    let count = 0;
    for (const bucket of this.#buckets.values()) count += bucket.size;
    return count;
  }

  /** Calls `fire` once, `delayMs` from now or up to one tick later. Returns what cancels it. */
  after(delayMs: number, fire: () => void): () => void {
    if (!(delayMs < Number.POSITIVE_INFINITY)) return () => {};
    const tick = Math.ceil((this.#clock.nowMs() + Math.max(0, delayMs)) / this.#tickMs);
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(tick, bucket);
      if (tick < this.#armedFor) this.#arm(tick);
    }
    const entry = (): void => fire();
    bucket.add(entry);
    return () => {
      bucket.delete(entry);
      if (bucket.size > 0 || this.#buckets.get(tick) !== bucket) return;
      this.#buckets.delete(tick);
      if (this.#buckets.size === 0) this.#disarm();
    };
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#armedFor = tick;
    // Unref'd: a pending call is kept alive by its socket; a deadline alone must not hold the process.
    this.#timer = this.#clock.setTimer(tick * this.#tickMs - this.#clock.nowMs(), () => this.#run(), {
      unref: true,
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #run(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const nowTick = Math.floor(this.#clock.nowMs() / this.#tickMs);
    const due = [...this.#buckets.keys()].filter((tick) => tick <= nowTick).sort((a, b) => a - b);
    for (const tick of due) {
      const bucket = this.#buckets.get(tick);
      this.#buckets.delete(tick);
      for (const fire of bucket ?? []) fire();
    }
    const next = Math.min(...this.#buckets.keys());
    if (next !== Number.POSITIVE_INFINITY && next < this.#armedFor) this.#arm(next);
    else if (this.#buckets.size === 0) this.#disarm();
  }
}
