/**
 * Time as a value that is passed in. Nothing outside `system.ts` reads the machine's clock, so that every
 * rule about time can be tested in virtual time, without a sleep.
 */

/** A handle on one pending timer. */
export interface Timer {
  /** Stops the timer; harmless when it has fired or was cancelled before. */
  cancel(): void;
}

export interface TimerOptions {
  /** Let the process end while this timer is pending. Default `false`. */
  readonly unref?: boolean;
}

export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. The only reading to compute intervals with. */
  nowMs(): number;
  /**
   * `nowMs` as this run of microtasks asked for it first: for work that comes in bursts, where each reading of the
   * machine's clock would cost more than the work. Absent where time moves only when told to.
   */
  readonly turnMs?: () => number;
  /** Milliseconds since the Unix epoch; may leap. For display only. */
  wallMs(): number;
  /**
   * Calls `fire` once, `delayMs` from now. Any finite delay is safe, also above 2^31 ms (where Node's own
   * `setTimeout` fires after 1 ms). `Infinity` never fires; a negative or NaN delay is treated as 0. A timer that is late
   * because the process was busy fires after what came in meanwhile was read, so that no deadline passes on an answer
   * that is there.
   */
  setTimer(delayMs: number, fire: () => void, options?: TimerOptions): Timer;
}
