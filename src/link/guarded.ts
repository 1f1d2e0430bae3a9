/** The driver's judgements, with what is true when one of them throws. */
import type { CallDescription } from "../call/index.ts";
import type { CallVerdict, Driver, LinkClass, LinkPhaseName } from "./driver.ts";
import type { GateOwner } from "./gate-owner.ts";

export class GuardedDriver<C> {
  readonly #driver: Driver<C>;
  readonly #owner: Pick<GateOwner, "driverThrew">;

  constructor(driver: Driver<C>, owner: Pick<GateOwner, "driverThrew">) {
    this.#driver = driver;
    this.#owner = owner;
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
      this.#owner.driverThrew(error);
    }
  }

  bufferedBytes(connection: C): number {
    try {
      return this.#driver.bufferedBytes?.(connection) ?? 0;
    } catch (error) {
      this.#owner.driverThrew(error);
      return 0;
    }
  }

  /** Nothing is known then. */
  classifyCall(error: unknown, lost: boolean, call: CallDescription): CallVerdict {
    try {
      return this.#driver.classifyCall(error, { unsent: false, lost }, call);
    } catch (thrown) {
      this.#owner.driverThrew(thrown);
      return { outcome: "maybe-applied" };
    }
  }

  classifyLink(error: unknown, phase: LinkPhaseName): LinkClass {
    try {
      return this.#driver.classifyLink(error, phase);
    } catch (thrown) {
      this.#owner.driverThrew(thrown);
      return "transient";
    }
  }
}
