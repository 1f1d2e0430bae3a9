import { HoldfastError } from "../../call/index.ts";

/** Publishes that waited and will never be sent (closed, dropped, too old, too large): told together, as one error. */
export class NeverSent {
  readonly #say: (error: HoldfastError) => void;
  #waiting = 0;
  #waitingBytes = 0;
  #count = 0;
  #bytes = 0;
  #over = false;

  constructor(say: (error: HoldfastError) => void) {
    this.#say = say;
  }

  /** One more waits. */
  waits(bytes: number): void {
    this.#waiting++;
    this.#waitingBytes += bytes;
  }

  /** One that waited went out. */
  sent(bytes: number): void {
    this.#waiting--;
    this.#waitingBytes -= bytes;
  }

  /** One that waited won't go out. */
  tell(bytes: number, cause: unknown): void {
    if (this.#over) return;
    this.sent(bytes);
    this.#count++;
    this.#bytes += bytes;
    if (this.#count === 1) queueMicrotask(() => this.#tellAll(cause));
  }

  /** Nothing goes out any more. Told at once: whoever listens to a connection hears nothing after its end. */
  end(cause: unknown): void {
    this.#over = true;
    this.#count += this.#waiting;
    this.#bytes += this.#waitingBytes;
    this.#tellAll(cause);
  }

  #tellAll(cause: unknown): void {
    if (this.#count === 0) return;
    const details = { count: this.#count, bytes: this.#bytes };
    this.#count = 0;
    this.#bytes = 0;
    const message = `${details.count} publishes with ${details.bytes} bytes were waiting and are not sent`;
    this.#say(new HoldfastError("HF_LOST", message, { cause, details, outcome: "not-applied" }));
  }
}

/** The error of a publish for which there is no room to wait. */
export function bufferFull(bytes: number, held: number, limit: number): HoldfastError {
  const message = `the publish of ${bytes} bytes can't wait for a connection: ${held} of ${limit} bytes are waiting`;
  return new HoldfastError("HF_OUTBOX_FULL", message, { outcome: "not-applied", step: "waiting" });
}
