import type { Clock, Timer } from "../../time/index.ts";
import type { Physical } from "./physical.ts";

/**
 * Finds a server that does not take what is written (nats.go's FlusherTimeout): bytes wait in the socket, and for
 * `afterMs` the kernel took none. One timer, only while something is published.
 */
export class WriteStall {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #stalled: (physical: Physical, waitingBytes: number) => void;
  #timer: Timer | undefined;

  /** @param afterMs `Infinity` = never looks */
  constructor(clock: Clock, afterMs: number, stalled: (physical: Physical, waitingBytes: number) => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#stalled = stalled;
  }

  published(physical: Physical): void {
    if (this.#timer !== undefined || this.#afterMs === Number.POSITIVE_INFINITY) return;
    this.#watch(physical);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(physical: Physical): void {
    const takenBefore = taken(physical);
    this.#timer = this.#clock.setTimer(this.#afterMs, () => {
      this.#timer = undefined;
      const waiting = physical.transport.bufferedBytes;
      if (waiting === 0) return;
      if (taken(physical) === takenBefore) this.#stalled(physical, waiting);
      this.#watch(physical);
    });
  }
}

function taken({ transport }: Physical): number {
  return transport.writtenBytes - transport.bufferedBytes;
}
