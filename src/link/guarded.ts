/** The driver's judgements, with what is true when one of them throws. */
import type { CallDescription } from "../call/index.ts";
import type { CallVerdict, Driver, LinkClass, LinkPhaseName } from "./driver.ts";

export class GuardedDriver<C> {
  readonly #driver: Driver<C>;
  readonly #threw: (error: unknown) => void;

  constructor(driver: Driver<C>, threw: (error: unknown) => void) {
    this.#driver = driver;
    this.#threw = threw;
  }

  /** Whether `bufferedBytes` means anything; asked for every call. */
  get tellsBuffered(): boolean {
    return this.#driver.bufferedBytes !== undefined;
  }

  /** Evidence is lost, calls are not: they are settled as "may have been applied". */
  takeBack(connection: C): void {
    try {
      this.#driver.takeBack?.(connection);
    } catch (error) {
      this.#threw(error);
    }
  }

  bufferedBytes(connection: C): number {
    try {
      return this.#driver.bufferedBytes?.(connection) ?? 0;
    } catch (error) {
      this.#threw(error);
      return 0;
    }
  }

  /** Nothing is known then. */
  classifyCall(error: unknown, lost: boolean, call: CallDescription): CallVerdict {
    try {
      return this.#driver.classifyCall(error, { unsent: false, lost }, call);
    } catch (thrown) {
      this.#threw(thrown);
      return { outcome: "maybe-applied" };
    }
  }

  classifyLink(error: unknown, phase: LinkPhaseName): LinkClass {
    try {
      return this.#driver.classifyLink(error, phase);
    } catch (thrown) {
      this.#threw(thrown);
      return "transient";
    }
  }
}
