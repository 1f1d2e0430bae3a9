/** The events of one link, kept and waited for. */
import type { LinkEvents } from "../../link/index.ts";
import type { Resilience } from "../../observe/index.ts";
import { systemClock } from "../../time/index.ts";

type Name = keyof LinkEvents;

export type LoggedEvent = {
  [K in Name]: { readonly name: K; readonly data: LinkEvents[K]; readonly atMs: number };
}[Name];

const names: readonly Name[] = [
  ...(["state", "attempt", "attemptFailed", "connected", "disconnected", "reconnected"] as const),
  ...(["closed", "restoreRefused", "asyncError", "unconfirmed", "gap", "halfOpen"] as const),
];

export class EventLog {
  readonly all: LoggedEvent[] = [];
  readonly #waiters: Set<() => void> = new Set();

  constructor(resilience: Resilience) {
    for (const name of names) {
      resilience.on(name, (data) => {
        this.all.push({ name, data, atMs: systemClock.nowMs() } as LoggedEvent);
        for (const waiter of [...this.#waiters]) waiter();
      });
    }
  }

  /** The events of that name so far. */
  of<K extends Name>(name: K): (LoggedEvent & { readonly name: K })[] {
    return this.all.filter((event) => event.name === name) as (LoggedEvent & { readonly name: K })[];
  }

  /** The names in order, without changes of state. */
  get names(): Name[] {
    return this.all.map(({ name }) => name).filter((name) => name !== "state");
  }

  /** Resolves once there are `count` events of that name; rejects at the deadline, telling what there was instead. */
  until(name: Name, count = 1, deadlineMs = 10_000): Promise<void> {
    const enough = (): boolean => this.of(name).length >= count;
    if (enough()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        this.#waiters.delete(look);
        settle();
      };
      const look = (): void => {
        if (enough()) end(resolve);
      };
      const timer = systemClock.setTimer(deadlineMs, () =>
        end(() =>
          reject(
            new Error(`no ${count} × "${name}" within ${deadlineMs} ms; there was ${this.names.join(", ")}`),
          ),
        ),
      );
      this.#waiters.add(look);
    });
  }
}
