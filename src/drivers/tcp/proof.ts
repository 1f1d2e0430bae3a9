/** What was sent in one go, in messages and bytes. */
export interface Sent {
  readonly count: number;
  readonly bytes: number;
}

/**
 * How much of what the kernel took is known to have reached the peer's application. TCP keeps order, so the reply to
 * a heartbeat proves everything written before that heartbeat; nothing else that the transport sees does.
 */
export class Proof {
  #submitted: Sent = { count: 0, bytes: 0 };
  #taken: Sent = { count: 0, bytes: 0 };
  #proven: Sent = { count: 0, bytes: 0 };
  /** What had been submitted when each unanswered heartbeat was; oldest first. */
  readonly #marks: Sent[] = [];

  /** The application wrote a message. */
  submitted(bytes: number): void {
    this.#submitted = { count: this.#submitted.count + 1, bytes: this.#submitted.bytes + bytes };
  }

  /** The kernel took that much of it. */
  taken(count: number, bytes: number): void {
    this.#taken = { count: this.#taken.count + count, bytes: this.#taken.bytes + bytes };
  }

  heartbeatSent(): void {
    this.#marks.push(this.#submitted);
  }

  /** A reply is taken for that of the oldest heartbeat: it may prove more, never less. */
  heartbeatAnswered(): void {
    const mark = this.#marks.shift();
    if (mark !== undefined && mark.count > this.#proven.count) this.#proven = mark;
  }

  /** The application knows: everything sent so far has arrived. */
  confirmed(): void {
    this.#proven = this.#taken;
  }

  /** Taken by the kernel, and nobody knows what became of it. */
  get unconfirmed(): Sent {
    return {
      count: this.#taken.count - this.#proven.count,
      bytes: this.#taken.bytes - this.#proven.bytes,
    };
  }
}
