/** One line that says how the waiting goes, redrawn in place and gone when it is over; only on a terminal. */
import type { Resilience } from "../../observe/index.ts";
import type { Clock, Timer } from "../../time/index.ts";

const everyMs = 250;
/** Shorter waits are not worth a line. */
const afterMs = 500;
const clear = "\r\u001b[2K";

export class WaitingLine {
  readonly #clock: Clock;
  readonly #resilience: Resilience;
  readonly #output: { write(text: string): unknown; readonly columns?: number };
  #timer: Timer | undefined;
  #shown = false;

  constructor(
    clock: Clock,
    resilience: Resilience,
    output: { write(text: string): unknown; readonly columns?: number },
  ) {
    this.#clock = clock;
    this.#resilience = resilience;
    this.#output = output;
  }

  start(): void {
    this.#arm(afterMs);
  }

  /** Takes the line away; the next tick draws it again. */
  hide(): void {
    if (this.#shown) this.#output.write(clear);
    this.#shown = false;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.hide();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#draw();
      this.#arm(everyMs);
    });
  }

  #draw(): void {
    if (this.#resilience.snapshot().phase === "ready") return this.hide();
    const text = `  (Ctrl-C stops) ${this.#resilience.explain()}`;
    const columns = this.#output.columns || 80;
    this.#output.write(`${clear}${text.length < columns ? text : `${text.slice(0, columns - 2)}…`}`);
    this.#shown = true;
  }
}
