import type { Clock, Timer } from "./clock.ts";
import { type Due, DueHeap } from "./heap.ts";

interface Pending extends Due {
  fire: (() => void) | undefined;
}

/** A clock that stands still until it is told to move; timers fire in order, at their own time. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #pending = 0;
  readonly #wallStartMs: number;
  readonly #heap: DueHeap<Pending> = new DueHeap<Pending>();

  constructor(options: { startMs?: number; wallStartMs?: number } = {}) {
    this.#now = options.startMs ?? 0;
    this.#wallStartMs = options.wallStartMs ?? Date.UTC(2026, 0, 1);
  }

  nowMs(): number {
    return this.#now;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#now;
  }

  /** Timers that have neither fired nor been cancelled: what a leak check counts. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /** When the next timer is due, or `undefined` when none is. */
  get nextDueMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap.peek()?.atMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const entry: Pending = { atMs: this.#now + (delayMs > 0 ? delayMs : 0), order: this.#order++, fire };
    this.#pending++;
    if (entry.atMs !== Number.POSITIVE_INFINITY) this.#heap.push(entry);
    return {
      cancel: () => {
        if (entry.fire === undefined) return;
        entry.fire = undefined;
        this.#pending--;
      },
    };
  }

  /** Moves to `now + durationMs`, firing what falls due on the way. Promise reactions do not run in between. */
  advance(durationMs: number): void {
    const untilMs = this.#now + durationMs;
    while (this.#fireNext(untilMs));
    this.#now = untilMs;
  }

  /** Like `advance`, but lets every pending promise reaction run after each timer (and once before the first). */
  async advanceAsync(durationMs: number): Promise<void> {
    const untilMs = this.#now + durationMs;
    await settle();
    while (this.#fireNext(untilMs)) await settle();
    this.#now = untilMs;
  }

  #fireNext(untilMs: number): boolean {
    this.#dropCancelled();
    const next = this.#heap.peek();
    if (next === undefined || next.atMs > untilMs) return false;
    this.#heap.pop();
    this.#now = Math.max(this.#now, next.atMs);
    const fire = next.fire;
    next.fire = undefined;
    this.#pending--;
    fire?.();
    return true;
  }

  #dropCancelled(): void {
    while (this.#heap.peek() !== undefined && this.#heap.peek()?.fire === undefined) this.#heap.pop();
  }
}

/** Lets chains of already-settled promises run out; 20 turns cover the deepest chain in this package's own code. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
