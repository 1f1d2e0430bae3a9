/** A steady stream of numbered writes, entered in a ledger. */
import { systemClock, type Timer } from "../../time/index.ts";
import type { Ledger } from "./ledger.ts";
import { type Told, toldBy } from "./told.ts";

export interface WorkloadOptions {
  readonly ledger: Ledger;
  /** Applies the write of this id once. */
  readonly write: (id: number) => Promise<unknown>;
  /** Writes begun per second, whatever happens to them. Default 200. */
  readonly perSecond?: number;
  /** No more than this many open at once; a write beyond it is begun later. Default 5,000. */
  readonly maxOpen?: number;
  /** Recognises the server's own "no". */
  readonly isAnswer?: (error: unknown) => boolean;
  readonly onSettled?: (id: number, told: Told, error?: unknown) => void;
}

/** How often a batch of writes that are due is begun. */
const BEAT_MS = 5;
/** A beat ends after this, and more than a second's backlog is forgone: a busy machine must still hear its answers. */
const BEAT_MOST_MS = 20;

/** Begins writes at an even pace until stopped: late beats are made up for, so that the rate does not sag by itself. */
export class Workload {
  readonly #options: WorkloadOptions;
  #startMs: number = systemClock.nowMs();
  readonly #waiters: Set<() => void> = new Set();
  #timer: Timer | undefined;
  #begun = 0;
  #stopped = false;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#beat();
  }

  /** No further writes; those open go on. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Resolves once nothing is open, or at the deadline; returns how many writes are still open. */
  async settled(deadlineMs: number): Promise<number> {
    const { ledger } = this.#options;
    const endMs = systemClock.nowMs() + deadlineMs;
    while (ledger.open > 0 && systemClock.nowMs() < endMs) await this.#nextSettled(endMs);
    return ledger.open;
  }

  /** Resolves when a write begun after this call is acknowledged; rejects at the deadline. */
  async nextAcknowledged(deadlineMs: number): Promise<void> {
    const after = this.#options.ledger.sent;
    const endMs = systemClock.nowMs() + deadlineMs;
    while (this.#lastAcknowledged <= after) {
      if (systemClock.nowMs() >= endMs) {
        throw new Error(`no write begun after the heal was acknowledged within ${deadlineMs} ms`);
      }
      await this.#nextSettled(endMs);
    }
  }

  #lastAcknowledged = 0;

  #beat(): void {
    const { ledger, perSecond = 200, maxOpen = 5_000 } = this.#options;
    const nowMs = systemClock.nowMs();
    const due = Math.floor(((nowMs - this.#startMs) * perSecond) / 1_000);
    while (this.#begun < due && ledger.open < maxOpen) {
      this.#begun++;
      void this.#one();
      if (this.#begun % 16 === 0 && systemClock.nowMs() - nowMs > BEAT_MOST_MS) break;
    }
    const backlog = due - this.#begun;
    if (backlog > perSecond) this.#startMs += ((backlog - perSecond) * 1_000) / perSecond;
    if (!this.#stopped) this.#timer = systemClock.setTimer(BEAT_MS, () => this.#beat());
  }

  async #one(): Promise<void> {
    const { ledger, write, isAnswer, onSettled } = this.#options;
    const id = ledger.begin();
    let told: Told = "acknowledged";
    let failure: unknown;
    try {
      await write(id);
      this.#lastAcknowledged = Math.max(this.#lastAcknowledged, id);
    } catch (error) {
      failure = error;
      told = toldBy(error, isAnswer);
    }
    ledger.settle(id, told, failure);
    onSettled?.(id, told, failure);
    for (const waiter of [...this.#waiters]) waiter();
  }

  #nextSettled(endMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiters.delete(done);
        resolve();
      };
      const timer = systemClock.setTimer(endMs - systemClock.nowMs(), done);
      this.#waiters.add(done);
    });
  }
}
