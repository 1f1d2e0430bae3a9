import type { DialEvidence, DialPermits, Permit } from "../link/index.ts";
import { type Clock, systemClock, type Timer } from "../time/index.ts";

/** What a governor does unless told otherwise; docs/defaults.md gives the reasons. */
export const governorDefaults: Required<Omit<GovernorOptions, "clock">> = {
  maxConcurrentDials: 64,
  minDialGapMs: 0,
};

export interface GovernorOptions {
  /** Dials under way at once in this process. Default 64. */
  readonly maxConcurrentDials?: number;
  /**
   * Least time between the beginnings of two dials to one endpoint, whichever links they belong to, in milliseconds.
   * Default 0: only each link's own `minDialGapMs` holds.
   */
  readonly minDialGapMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

interface Waiting {
  readonly endpointId: string;
  readonly grant: () => void;
}

/**
 * Who may dial when, for the whole process: a cap on simultaneous dials and a gap between dials to one endpoint, first
 * come first served. Ten thousand links that lose one server together dial 64 at a time instead of all at once.
 *
 * @throws RangeError for a cap below 1 or a gap below 0
 */
export class Governor implements DialPermits {
  readonly #max: number;
  readonly #minGapMs: number;
  readonly #clock: Clock;
  readonly #queue: Set<Waiting> = new Set();
  /** When each endpoint may be dialled again; only those whose time has not come. */
  readonly #notBeforeMs: Map<string, number> = new Map();
  #dialing = 0;
  #timer: Timer | undefined;

  constructor(options: GovernorOptions = {}) {
    const max = options.maxConcurrentDials ?? governorDefaults.maxConcurrentDials;
    const gapMs = options.minDialGapMs ?? governorDefaults.minDialGapMs;
    if (!(max >= 1)) throw new RangeError(`maxConcurrentDials is ${max}, but must be at least 1`);
    if (!(gapMs >= 0 && gapMs < Infinity)) {
      throw new RangeError(`minDialGapMs is ${gapMs}, but must be a number of milliseconds, 0 or more`);
    }
    this.#max = max;
    this.#minGapMs = gapMs;
    this.#clock = options.clock ?? systemClock;
  }

  /** Dials under way. */
  get dialing(): number {
    return this.#dialing;
  }

  /** Links that wait for a permit. */
  get parked(): number {
    return this.#queue.size;
  }

  request(endpointId: string, grant: () => void): Permit {
    const waiting: Waiting = { endpointId, grant };
    let redeemed = false;
    this.#queue.add(waiting);
    this.#grantNext();
    return {
      yield: (_evidence: DialEvidence) => {
        if (redeemed) return; // exactly once, whoever calls
        redeemed = true;
        if (this.#queue.delete(waiting)) return this.#restIfIdle();
        this.#dialing--;
        this.#grantNext();
      },
    };
  }

  #grantNext(): void {
    if (this.#minGapMs > 0) return this.#grantInTime();
    while (this.#dialing < this.#max) {
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#grant(next);
    }
  }

  /** Grants those whose endpoint's time has come, in order; one timer waits for the next of the others. */
  #grantInTime(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    for (const [id, atMs] of this.#notBeforeMs) if (atMs <= nowMs) this.#notBeforeMs.delete(id);
    let nextMs = Infinity;
    for (const waiting of this.#queue) {
      if (this.#dialing >= this.#max) return; // who gives a permit back looks again
      const atMs = this.#notBeforeMs.get(waiting.endpointId);
      if (atMs !== undefined) {
        nextMs = Math.min(nextMs, atMs);
        continue;
      }
      this.#notBeforeMs.set(waiting.endpointId, nowMs + this.#minGapMs);
      this.#grant(waiting);
    }
    // A grant may have led back in here, and armed it already.
    if (nextMs < Infinity && this.#timer === undefined) {
      this.#timer = this.#clock.setTimer(nextMs - nowMs, () => this.#grantInTime());
    }
  }

  /** A timer with nobody waiting for it would hold the process. */
  #restIfIdle(): void {
    if (this.#queue.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #grant(waiting: Waiting): void {
    this.#queue.delete(waiting);
    this.#dialing++;
    waiting.grant();
  }
}

/** The governor that links share unless they are given another. */
export const processGovernor: Governor = new Governor();
