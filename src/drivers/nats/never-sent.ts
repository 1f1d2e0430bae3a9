import { HoldfastError } from "../../call/index.ts";

/** Publishes that waited and will never be sent (closed, dropped, too old): told together, as one error. */
export class NeverSent {
  readonly #say: (error: HoldfastError) => void;
  #count = 0;
  #bytes = 0;

  constructor(say: (error: HoldfastError) => void) {
    this.#say = say;
  }

  tell(bytes: number, cause: unknown): void {
    this.#count++;
    this.#bytes += bytes;
    if (this.#count > 1) return;
    queueMicrotask(() => {
      const details = { count: this.#count, bytes: this.#bytes };
      this.#count = 0;
      this.#bytes = 0;
      const message = `${details.count} publishes with ${details.bytes} bytes were waiting and are not sent`;
      this.#say(new HoldfastError("HF_LOST", message, { cause, details, outcome: "not-applied" }));
    });
  }
}

/** The error of a publish for which there is no room to wait. */
export function bufferFull(bytes: number, held: number, limit: number): HoldfastError {
  const message = `the publish of ${bytes} bytes can't wait for a connection: ${held} of ${limit} bytes are waiting`;
  return new HoldfastError("HF_OUTBOX_FULL", message, { outcome: "not-applied", step: "waiting" });
}
