import type { Backoff, Schedule } from "../backoff/index.ts";
import type { Timer, World } from "../time/index.ts";

export interface ReconnectionOptions {
  readonly world: World;
  readonly backoff: Backoff;
  /** Whether everything is well now. A rejection, or a throw, is a failure. */
  readonly attempt: (number: number) => Promise<boolean>;
  readonly started: () => void;
  /** Before each wait. */
  readonly waiting: (delayMs: number, nextAttempt: number) => void;
  /** Everything is well, `stop` was called, or the backoff came to its end (and why). */
  readonly stopped: (exhausted: string | undefined) => void;
}

/**
 * Attempts until all is well, each after a delay. An episode has a schedule of its own, begun anew by the next one;
 * asking for what is under way changes nothing. The states and transitions are those of the DataStax Java driver's
 * `Reconnection`, with three of its defects left out: a rejected attempt does not end in silence, a forced start is
 * told like any other, and `reconnectNow` starts the schedule again, as its documentation says.
 */
export class Reconnection {
  readonly #options: ReconnectionOptions;
  #state: "stopped" | "scheduled" | "attempting" | "stopping" = "stopped";
  #schedule: Schedule | undefined;
  #draws = 0;
  #attempts = 0;
  #startedAtMs = 0;
  #timer: Timer | undefined;

  constructor(options: ReconnectionOptions) {
    this.#options = options;
  }

  /** An episode is under way; also while the attempt that is to be its last one goes on. */
  get running(): boolean {
    return this.#state !== "stopped";
  }

  get attempting(): boolean {
    return this.#state === "attempting" || this.#state === "stopping";
  }

  /**
   * Begins an episode: the first attempt comes after the first delay. `relapse`: the last success did not last, so that
   * the schedule goes on where it was.
   */
  start(relapse: boolean = false): void {
    if (this.#state === "stopping") this.#state = "attempting";
    if (this.#state !== "stopped") return;
    const schedule = this.#schedule;
    this.#begin();
    if (relapse) this.#schedule = schedule;
    this.#plan();
  }

  /** Attempts at once, unless an attempt is under way. When stopped it does so only if forced. */
  reconnectNow(force: boolean): void {
    if (this.#state === "stopping") this.#state = "attempting";
    if (this.attempting || (this.#state === "stopped" && !force)) return;
    if (this.#state === "stopped") this.#begin();
    this.#timer?.cancel();
    this.#schedule = undefined;
    this.#try();
  }

  /** Ends the episode; an attempt under way is awaited first. */
  stop(): void {
    if (this.#state === "attempting") this.#state = "stopping";
    if (this.#state === "scheduled") this.#end(undefined);
  }

  #begin(): void {
    this.#state = "scheduled";
    this.#schedule = undefined;
    this.#attempts = 0;
    this.#startedAtMs = this.#options.world.clock.nowMs();
    this.#options.started();
  }

  #plan(): void {
    const { world, backoff, waiting } = this.#options;
    if (this.#schedule === undefined) {
      this.#schedule = backoff.start();
      this.#draws = 0;
    }
    const elapsedMs = world.clock.nowMs() - this.#startedAtMs;
    const step = this.#schedule.next(world.random, { attempt: this.#draws++, elapsedMs });
    if ("exhausted" in step) return this.#end(step.exhausted);
    this.#schedule = step.schedule;
    this.#state = "scheduled";
    waiting(step.delayMs, this.#attempts + 1);
    this.#timer = world.clock.setTimer(step.delayMs, () => this.#try());
  }

  #try(): void {
    this.#state = "attempting";
    const run = async (): Promise<boolean> => this.#options.attempt(++this.#attempts);
    run().then(
      (well) => this.#tried(well),
      () => this.#tried(false),
    );
  }

  #tried(well: boolean): void {
    if (well || this.#state === "stopping") this.#end(undefined);
    else this.#plan();
  }

  #end(exhausted: string | undefined): void {
    this.#timer?.cancel();
    this.#state = "stopped";
    if (exhausted !== undefined) this.#schedule = undefined;
    this.#options.stopped(exhausted);
  }
}
