import type { Clock, CoarseTimers } from "../time/index.ts";

export interface LivenessOptions {
  /** Silence on an idle connection after which it is probed; `Infinity` = never. */
  readonly idleProbeMs: number;
  /** How long the answer to a probe may take. */
  readonly probeTimeoutMs: number;
}

export interface LivenessOwner {
  inFlight(): number;
  /** Asks the peer for a sign of life; rejects when it has none. `undefined` = this driver can't. */
  probe(): Promise<void> | undefined;
  suspect(silentMs: number, cause: unknown): void;
}

/**
 * A wall clock that ran this much further than the monotonic one means: the machine slept. It is looked at when this
 * link next looks at its connection, so a dead one is found at most `idleProbeMs` after the wake (then the probe's
 * `probeTimeoutMs`, and a coarse tick for each): no sooner, because a timer of our own to find it sooner would wake
 * every machine that does not sleep. With calls in flight their deadlines decide, as ever.
 */
const CLOCK_LEAP_MS = 5_000;

/**
 * Finds a peer that is silently gone. Probes only when nothing is in flight, so that a BLPOP or a query of a minute
 * survives; with calls in flight, a deadline that passes without a single byte received makes the peer suspect.
 */
export class Liveness {
  readonly #clock: Clock;
  readonly #coarse: CoarseTimers;
  readonly #options: LivenessOptions;
  readonly #owner: LivenessOwner;
  #aliveMs = 0;
  #wallOffsetMs = 0;
  #cancel: (() => void) | undefined;
  #round = 0;
  #watching = false;

  constructor(
    world: { readonly clock: Clock; readonly coarse: CoarseTimers },
    options: LivenessOptions,
    owner: LivenessOwner,
  ) {
    this.#clock = world.clock;
    this.#coarse = world.coarse;
    this.#options = options;
    this.#owner = owner;
  }

  /** When the peer was last heard. */
  get aliveMs(): number {
    return this.#aliveMs;
  }

  start(): void {
    this.stop();
    this.#watching = true;
    this.#aliveMs = this.#clock.nowMs();
    this.#wallOffsetMs = this.#clock.wallMs() - this.#aliveMs;
    this.#arm(this.#options.idleProbeMs);
  }

  stop(): void {
    this.#round++;
    this.#watching = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A byte came in. */
  alive(): void {
    this.#aliveMs = this.#clock.nowMs();
  }

  /** A call's deadline passed: if nothing at all was received since it was sent, the peer is suspect. */
  overdue(sentMs: number): void {
    if (!this.#watching || this.#aliveMs > sentMs) return;
    const silentMs = this.#clock.nowMs() - this.#aliveMs;
    this.#owner.suspect(
      silentMs,
      new Error(`nothing received for ${Math.round(silentMs)} ms with a call in flight`),
    );
  }

  #arm(delayMs: number): void {
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#coarse.after(delayMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    const offsetMs = this.#clock.wallMs() - nowMs;
    const slept = offsetMs - this.#wallOffsetMs > CLOCK_LEAP_MS;
    this.#wallOffsetMs = offsetMs;
    const quietMs = nowMs - this.#aliveMs;
    const { idleProbeMs } = this.#options;
    // A long BLPOP makes a quiet, busy connection: look again after a whole interval, not at every tick.
    if (this.#owner.inFlight() > 0) return this.#arm(idleProbeMs);
    if (quietMs < idleProbeMs && !slept) return this.#arm(idleProbeMs - quietMs);
    this.#probe();
  }

  #probe(): void {
    const round = this.#round;
    const probe = this.#ask();
    if (probe === undefined) return this.#arm(this.#options.idleProbeMs);
    let over = false;
    const finish = (cause: unknown): void => {
      if (over || round !== this.#round) return;
      over = true;
      this.#cancel?.();
      if (cause === undefined) {
        this.alive();
        return this.#arm(this.#options.idleProbeMs);
      }
      this.#owner.suspect(this.#clock.nowMs() - this.#aliveMs, cause);
    };
    this.#cancel = this.#coarse.after(this.#options.probeTimeoutMs, () => {
      // Bytes that came meanwhile are a sign of life too: a big reply may delay the probe's own.
      const heard = this.#clock.nowMs() - this.#aliveMs < this.#options.probeTimeoutMs;
      finish(heard ? undefined : new Error(`no answer to a probe within ${this.#options.probeTimeoutMs} ms`));
    });
    probe.then(
      () => finish(undefined),
      (error: unknown) => finish(error ?? new Error("the probe failed")),
    );
  }

  /** A probe that throws is one that failed; the timer it runs in is shared. */
  #ask(): Promise<void> | undefined {
    try {
      return this.#owner.probe();
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
