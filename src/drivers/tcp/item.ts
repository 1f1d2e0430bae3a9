/** What stands in a connection's write queue. */

/** One write. The writer tells it, once, how it ended. */
export interface Item {
  readonly data: Uint8Array;
  /** The application's, not a heartbeat. */
  readonly application: boolean;
  /** The kernel took all of it. */
  taken(): void;
  /** With `takenBack` when the kernel provably took nothing of it. */
  failed(error: unknown): void;
}

/** A write whose end is a promise's. */
export class PromisedItem implements Item {
  readonly data: Uint8Array;
  readonly application: boolean = true;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(data: Uint8Array, resolve: () => void, reject: (error: unknown) => void) {
    this.data = data;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  taken(): void {
    this.#resolve();
  }

  failed(error: unknown): void {
    this.#reject(error);
  }
}

/** Nobody waits for a heartbeat: its loss shows as the missing reply. */
export class Beat implements Item {
  readonly data: Uint8Array;
  readonly application: boolean = false;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  taken(): void {}

  failed(): void {}
}
