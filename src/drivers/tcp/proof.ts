/** What was sent in one go, in messages and bytes. */
export interface Sent {
  readonly count: number;
  readonly bytes: number;
}

const nothing: Sent = { count: 0, bytes: 0 };

/**
 * How much of what the kernel took is known to have reached the peer's application. TCP keeps order, so the reply to
 * a heartbeat proves everything written before that heartbeat; nothing else that the transport sees does.
 */
export class Proof {
  #submittedCount = 0;
  #submittedBytes = 0;
  #takenCount = 0;
  #takenBytes = 0;
  #proven: Sent = nothing;
  /** What had been submitted when each unanswered heartbeat was; oldest first. */
  #marks: Sent[] | undefined;

  /** The application wrote a message. */
  submitted(bytes: number): void {
    this.#submittedCount++;
    this.#submittedBytes += bytes;
  }

  /** The kernel took that much of it. */
  taken(count: number, bytes: number): void {
    this.#takenCount += count;
    this.#takenBytes += bytes;
  }

  heartbeatSent(): void {
    this.#marks ??= [];
    this.#marks.push({ count: this.#submittedCount, bytes: this.#submittedBytes });
  }

  /** A reply is taken for that of the oldest heartbeat: it may prove more, never less. */
  heartbeatAnswered(): void {
    const mark = this.#marks?.shift();
    if (mark !== undefined && mark.count > this.#proven.count) this.#proven = mark;
  }

  /** The application knows: everything sent so far has arrived. */
  confirmed(): void {
    this.#proven = { count: this.#takenCount, bytes: this.#takenBytes };
  }

  /** Taken by the kernel, and nobody knows what became of it. */
  get unconfirmed(): Sent {
    const { count, bytes } = this.#proven;
    return { count: this.#takenCount - count, bytes: this.#takenBytes - bytes };
  }
}
