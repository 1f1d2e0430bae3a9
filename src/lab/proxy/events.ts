/** What the proxy tells: typed events, a bounded log of them, and waiting for one. */
import { HoldfastError } from "../../call/index.ts";
import type { Clock } from "../../time/index.ts";
import type { Direction, Ending, FaultKind } from "./fault.ts";

/** Facts of each event. */
export interface ProxyEvents {
  /** A client was accepted. */
  accepted: { readonly connection: number; readonly client: string };
  /** Its upstream connection stands. */
  opened: { readonly connection: number; readonly upstream: string };
  /** The upstream could not be reached; the client is reset. */
  upstreamFailed: { readonly connection: number; readonly upstream: string; readonly reason: string };
  /** Both sides of a connection are closed. */
  closed: { readonly connection: number; readonly up: number; readonly down: number };
  /** A fault took force. */
  faultOn: { readonly fault: string; readonly kind: FaultKind };
  /** A fault was undone; `connections` and `bytes` say what it did altogether. */
  faultOff: {
    readonly fault: string;
    readonly kind: FaultKind;
    readonly connections: number;
    readonly bytes: number;
  };
  /** A fault changed something for a connection for the first time. `up`/`down`: bytes delivered until then. */
  hit: Hit;
  /** `cut()` ended a connection. */
  cut: { readonly connection: number; readonly how: Ending; readonly up: number; readonly down: number };
  /** A client went on although the TLS certificate was bad: it does not check. */
  badCertificateAccepted: { readonly connection: number; readonly fault: string };
  /** The port could not be listened on again. */
  listenFailed: { readonly reason: string };
}

export interface Hit {
  readonly fault: string;
  readonly kind: FaultKind;
  readonly connection: number;
  /** Absent for faults that have no direction. */
  readonly direction?: Direction;
  readonly up: number;
  readonly down: number;
}

export type ProxyEventName = keyof ProxyEvents;

/** One line of the log: which event, when (milliseconds since the proxy started), and its facts. */
export type ProxyLogEntry = {
  [Name in ProxyEventName]: { readonly event: Name; readonly atMs: number } & ProxyEvents[Name];
}[ProxyEventName];

/** Stops what it was returned for; also by `using`. */
export type Disposer = (() => void) & Disposable;

type Listener<Name extends ProxyEventName> = (facts: ProxyEvents[Name]) => void;

/** The log keeps this many entries; the oldest go first. */
const logEntries = 10_000;

export class ProxyTeller {
  readonly log: ProxyLogEntry[] = [];
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #listeners = new Map<ProxyEventName, Set<Listener<never>>>();
  readonly #waits = new Set<(error: HoldfastError) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
  }

  on<Name extends ProxyEventName>(event: Name, listener: Listener<Name>): Disposer {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(listener);
    const off = (): void => void set.delete(listener);
    return Object.assign(off, { [Symbol.dispose]: off });
  }

  /** The next event of that name that `accepts` likes; rejects after `timeoutMs`. */
  next<Name extends ProxyEventName>(
    event: Name,
    accepts: (facts: ProxyEvents[Name]) => boolean,
    timeoutMs: number,
  ): Promise<ProxyEvents[Name]> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        off();
        timer.cancel();
        this.#waits.delete(fail);
      };
      const fail = (error: HoldfastError): void => {
        stop();
        reject(error);
      };
      const off = this.on(event, (facts) => {
        if (!accepts(facts)) return;
        stop();
        resolve(facts);
      });
      const timer = this.#clock.setTimer(timeoutMs, () =>
        fail(new HoldfastError("HF_DEADLINE", `the proxy had no matching "${event}" within ${timeoutMs} ms`)),
      );
      this.#waits.add(fail);
    });
  }

  /** Ends every wait: nothing more will happen. */
  close(): void {
    for (const fail of [...this.#waits]) fail(new HoldfastError("HF_CLOSED", "the proxy was closed"));
  }

  tell<Name extends ProxyEventName>(event: Name, facts: ProxyEvents[Name]): void {
    const entry = { event, atMs: this.#clock.nowMs() - this.#startMs, ...facts } as unknown as ProxyLogEntry;
    this.log.push(entry);
    if (this.log.length > logEntries) this.log.shift();
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as Listener<Name>)(facts);
      } catch (error) {
        // Thrown on its own, so that a bad listener is seen but unwinds nothing of the proxy.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
