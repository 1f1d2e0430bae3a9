import type { CoarseTimers } from "../time/index.ts";
import type { Connector } from "./connector.ts";

/** A server may never answer a polite goodbye; after this it is not waited for any longer. */
const GRACEFUL_CLOSE_MS = 5_000;

/** Closes connections: politely first, abruptly when that takes too long. Failures are of no consequence. */
export class Closer<C> {
  readonly #connector: Connector<C>;
  readonly #timers: CoarseTimers;
  readonly #gone: () => void;
  /** What turns each polite close under way into an abrupt one. */
  readonly #polite: Set<() => void> = new Set();
  /** Closes that have not settled. */
  pending = 0;

  /** @param gone called after each close has settled */
  constructor(connector: Connector<C>, timers: CoarseTimers, gone: () => void) {
    this.#connector = connector;
    this.#timers = timers;
    this.#gone = gone;
  }

  close(connection: C, how: "graceful" | "abrupt"): void {
    this.pending++;
    let settled = false;
    const settle = (): void => {
      if (settled) return;
      settled = true;
      this.pending--;
      this.#gone();
    };
    if (how === "abrupt") return this.#start(connection, how, settle);
    const done = (): void => {
      stop();
      this.#polite.delete(insist);
      settle();
    };
    const insist = (): void => {
      if (!this.#polite.delete(insist)) return;
      stop();
      this.#start(connection, "abrupt", () => {});
      settle();
    };
    this.#polite.add(insist);
    const stop = this.#timers.after(GRACEFUL_CLOSE_MS, insist);
    this.#start(connection, how, done);
  }

  /** The time is up: polite closes that are still under way become abrupt ones. */
  force(): void {
    for (const insist of [...this.#polite]) insist();
  }

  #start(connection: C, how: "graceful" | "abrupt", then: () => void): void {
    const run = async (): Promise<void> => this.#connector.close(connection, how);
    run().then(then, then);
  }
}
