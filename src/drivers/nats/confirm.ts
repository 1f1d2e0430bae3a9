import type { Clock, Timer } from "../../time/index.ts";
import type { Physical } from "./physical.ts";

/** Asks for a confirmation some time after a publish: at most one question under way, none when nothing is published. */
export class ConfirmTimer {
  readonly #clock: Clock;
  readonly #withinMs: number;
  readonly #ask: (physical: Physical) => Promise<void>;
  #timer: Timer | undefined;

  /** @param withinMs 0 = never asks */
  constructor(clock: Clock, withinMs: number, ask: (physical: Physical) => Promise<void>) {
    this.#clock = clock;
    this.#withinMs = withinMs;
    this.#ask = ask;
  }

  published(physical: Physical): void {
    if (this.#timer !== undefined || this.#withinMs === 0) return;
    this.#timer = this.#clock.setTimer(this.#withinMs, () => {
      this.#timer = undefined;
      this.#ask(physical).catch(() => {}); // a loss is told by the engine
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
