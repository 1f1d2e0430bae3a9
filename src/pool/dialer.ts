import type { Backoff, Schedule } from "../backoff/index.ts";
import type { DialPermits, LinkClass } from "../link/index.ts";
import type { CoarseTimers, Timer, World } from "../time/index.ts";
import type { Connector } from "./connector.ts";
import type { Watch } from "./dial-one.ts";
import { dialPermitted, type PermittedDial } from "./dial-permitted.ts";

export interface DialerOptions<C> {
  readonly connector: Connector<C>;
  readonly timers: CoarseTimers;
  readonly world: World;
  readonly permits: DialPermits;
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly dialConcurrency: number;
  readonly backoff: Backoff;
  readonly authBackoff: Backoff;
  readonly stableAfterMs: number;
  readonly opened: (connection: C, watch: Watch) => void;
  readonly drop: (connection: C) => void;
  readonly failed: (failure: DialFailure) => void;
  /** The wait is over: say again how many dials are wanted. */
  readonly ready: () => void;
}

export interface DialFailure {
  readonly error: unknown;
  readonly linkClass: LinkClass;
  /** Failures in a row, this one included. */
  readonly attempt: number;
  /** Until the next dial, at the earliest. */
  readonly delayMs: number;
  /** The backoff's limit was reached. */
  readonly exhausted: boolean;
}

/**
 * Dials for a whole pool: at most a window of them at once, and after a failure one at a time, each after a delay of
 * the one schedule. The number of waiting callers changes nothing in that. (generic-pool: 124,000 dials a second.)
 */
export class Dialer<C> {
  readonly #options: DialerOptions<C>;
  readonly #dials: Set<PermittedDial> = new Set();
  #window: number;
  #failures = 0;
  #schedule: { readonly kind: "auth" | "other"; rest: Schedule; draws: number; sinceMs: number } | undefined;
  #succeededAtMs = Number.NEGATIVE_INFINITY;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #retry: Timer | undefined;
  #retryHolds = false;
  /** Dials under way, those that wait for a permit included. */
  dialing = 0;
  /** The last failure, until a dial succeeds. */
  lastFailure: DialFailure | undefined = undefined;

  constructor(options: DialerOptions<C>) {
    this.#options = options;
    this.#window = options.dialConcurrency;
  }

  /** A retry is planned. */
  get pending(): boolean {
    return this.#retry !== undefined;
  }

  /** The last dial failed in a way that another try would not mend, and it is too soon to ask again. */
  refusing(nowMs: number): DialFailure | undefined {
    const last = this.lastFailure;
    if (last === undefined || nowMs >= this.#notBeforeMs) return undefined;
    return isPermanent(last) ? last : undefined;
  }

  /**
   * Sees to it that `wanted` dials are under way, as far as `room`, the window and the schedule allow. With nothing
   * wanted a pending retry is called off; dials under way are left to finish, because the server has paid for them.
   * `holds`: somebody waits, so the process must not end meanwhile.
   */
  want(wanted: number, room: number, holds: boolean): void {
    if (wanted <= 0) {
      this.#window = Math.min(this.#window, this.#options.dialConcurrency);
      this.#withdraw(0);
      return this.#callOff();
    }
    const delayMs = this.#notBeforeMs - this.#options.world.clock.nowMs();
    if (delayMs > 0) return this.#waitFor(delayMs, holds);
    this.#callOff();
    this.#withdraw(wanted);
    for (let free = room; free > 0 && this.#dials.size < Math.min(wanted, this.#window); free--) this.#dial();
  }

  /** A connection died too young: its dial did not really succeed. */
  unstable(error: unknown): void {
    this.#backOff(error, this.#classify(error));
  }

  /** Gives up every dial and never starts another. */
  stop(reason: unknown): void {
    this.#callOff();
    this.#window = 0;
    for (const dial of [...this.#dials]) dial.abort(reason);
  }

  #dial(): void {
    const { connector, timers, world, connectTimeoutMs, drop, permits, name } = this.#options;
    const dial = dialPermitted({
      ...{ connector, timers, world, connectTimeoutMs, drop, attempt: this.#failures + 1 },
      ...{ permits, endpointId: name },
      opened: (connection, watch) => {
        this.#ended(dial);
        this.#succeeded();
        this.#options.opened(connection, watch);
      },
      failed: (error) => {
        this.#ended(dial);
        if (this.#window > 0) this.#options.failed(this.#backOff(error, this.#classify(error)));
      },
    });
    this.#dials.add(dial);
    this.dialing = this.#dials.size;
  }

  #ended(dial: PermittedDial): void {
    this.#dials.delete(dial);
    this.dialing = this.#dials.size;
  }

  /** Of those that wait for a permit, leaves no more than are wanted in all. */
  #withdraw(wanted: number): void {
    for (const dial of this.#dials) {
      if (this.#dials.size <= wanted) return;
      if (dial.withdraw()) this.#ended(dial);
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#succeededAtMs = this.#options.world.clock.nowMs();
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    this.lastFailure = undefined;
    if (this.#window > 0) this.#window = Math.max(this.#window, this.#options.dialConcurrency) + 1;
  }

  #classify(error: unknown): LinkClass {
    return this.#options.connector.classify(error);
  }

  #backOff(error: unknown, linkClass: LinkClass): DialFailure {
    const nowMs = this.#options.world.clock.nowMs();
    this.#failures++;
    if (this.#window > 0) this.#window = 1;
    this.#withdraw(0); // what has not begun waits for the schedule like all others
    let exhausted = false;
    // Several dials of one moment that fail together are one step of the schedule.
    if (nowMs >= this.#notBeforeMs) {
      const delayMs = this.#draw(nowMs, linkClass, error);
      exhausted = delayMs === undefined;
      this.#notBeforeMs = nowMs + (delayMs ?? 0);
    }
    const delayMs = Math.max(0, this.#notBeforeMs - nowMs);
    this.lastFailure = { error, linkClass, attempt: this.#failures, delayMs, exhausted };
    return this.lastFailure;
  }

  /** The next delay; `undefined` when the backoff has come to its end, which the next demand begins anew. */
  #draw(nowMs: number, linkClass: LinkClass, cause: unknown): number | undefined {
    const kind = linkClass === "auth" ? "auth" : "other";
    const { authBackoff, backoff, stableAfterMs } = this.#options;
    // Compared at the loss, so that a server which accepts and drops is not dialled ever anew.
    const stable =
      this.#succeededAtMs > (this.#schedule?.sinceMs ?? 0) && nowMs - this.#succeededAtMs >= stableAfterMs;
    if (this.#schedule === undefined || this.#schedule.kind !== kind || stable) {
      const chosen = kind === "auth" ? authBackoff : backoff;
      this.#schedule = { kind, rest: chosen.start(), draws: 0, sinceMs: nowMs };
    }
    const schedule = this.#schedule;
    const context = { attempt: schedule.draws++, elapsedMs: nowMs - schedule.sinceMs, cause };
    const step = schedule.rest.next(this.#options.world.random, context);
    if ("exhausted" in step) {
      this.#schedule = undefined;
      return undefined;
    }
    schedule.rest = step.schedule;
    return step.delayMs;
  }

  #waitFor(delayMs: number, holds: boolean): void {
    if (this.#retry !== undefined && (this.#retryHolds || !holds)) return;
    this.#callOff();
    this.#retryHolds = holds;
    this.#retry = this.#options.world.clock.setTimer(
      delayMs,
      () => {
        this.#retry = undefined;
        this.#options.ready();
      },
      { unref: !holds },
    );
  }

  #callOff(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }
}

export function isPermanent(failure: DialFailure): boolean {
  return failure.linkClass === "auth" || failure.linkClass === "fatal" || failure.exhausted;
}
