/** A part of the terminal that is drawn again and again, in place, and left as it was found. */
import type { WriteStream } from "node:tty";

const ALTERNATE = "\u001b[?1049h\u001b[?25l";
const ORIGINAL = "\u001b[?25h\u001b[?1049l";
/** What comes between the two is shown at once, by terminals that know it; others ignore it. */
const BEGIN = "\u001b[?2026h\u001b[H";
const END = "\u001b[J\u001b[?2026l";
const REST_OF_LINE = "\u001b[K";

export class Screen {
  readonly #out: WriteStream;
  readonly #restore: () => void;
  #last = "";
  #open = true;

  constructor(out: WriteStream) {
    this.#out = out;
    this.#restore = () => this.close();
    process.on("exit", this.#restore); // also after an exception
    out.write(ALTERNATE);
  }

  /** Some terminals don't tell their size. */
  get columns(): number {
    return this.#out.columns || 80;
  }

  get rows(): number {
    return this.#out.rows || 24;
  }

  /** Nothing is cleared before it is overwritten, so nothing flickers. */
  draw(lines: readonly string[]): void {
    const frame = lines.map((line) => line + REST_OF_LINE).join("\r\n");
    if (frame === this.#last || !this.#open) return;
    this.#last = frame;
    this.#out.write(BEGIN + frame + END);
  }

  /** Gives back the screen and the cursor. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#restore);
    this.#out.write(ORIGINAL);
  }
}
