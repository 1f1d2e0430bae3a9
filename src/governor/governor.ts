import type { DialEvidence, DialPermits, Permit } from "../link/index.ts";

export interface GovernorOptions {
  /** Dials under way at once in this process. Default 64. */
  readonly maxConcurrentDials?: number;
}

interface Waiting {
  readonly grant: () => void;
}

/**
 * Who may dial when, for the whole process: a cap on simultaneous dials, first come first served. Ten thousand links
 * that lose one server together dial 64 at a time instead of all at once.
 */
export class Governor implements DialPermits {
  readonly #max: number;
  readonly #queue: Set<Waiting> = new Set();
  #dialing = 0;

  constructor(options: GovernorOptions = {}) {
    const max = options.maxConcurrentDials ?? 64;
    if (!(max >= 1)) throw new RangeError(`maxConcurrentDials is ${max}, but must be at least 1`);
    this.#max = max;
  }

  /** Dials under way. */
  get dialing(): number {
    return this.#dialing;
  }

  /** Links that wait for a permit. */
  get parked(): number {
    return this.#queue.size;
  }

  request(_endpointId: string, grant: () => void): Permit {
    const waiting: Waiting = { grant };
    let redeemed = false;
    this.#queue.add(waiting);
    this.#grantNext();
    return {
      yield: (_evidence: DialEvidence) => {
        if (redeemed) return; // exactly once, whoever calls
        redeemed = true;
        if (this.#queue.delete(waiting)) return;
        this.#dialing--;
        this.#grantNext();
      },
    };
  }

  #grantNext(): void {
    while (this.#dialing < this.#max) {
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#queue.delete(next);
      this.#dialing++;
      next.grant();
    }
  }
}

/** The governor that links share unless they are given another. */
export const processGovernor: Governor = new Governor();
