/** One connection from several servers, of which any may be dead, silent or the wrong one. */
import type { Endpoint } from "../endpoint/index.ts";
import type { Clock, Timer } from "../time/index.ts";

export interface Servers<C> {
  /** In the order in which they are to be tried; at least one. */
  readonly endpoints: readonly Endpoint[];
  /** How long a server may keep silent before the next one is dialled beside it, ms. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  dial(endpoint: Endpoint, signal: AbortSignal): Promise<C>;
  /** Whether another server may do what this error forbids here. */
  elsewhere(error: unknown): boolean;
  worked(endpoint: Endpoint): void;
  failed(endpoint: Endpoint): void;
  /** Gets a connection that came too late. */
  drop(connection: C): void;
}

/**
 * Dials one server after the other until one works. A server that is silent is not given up, so that a slow one is still
 * found; it only loses its lead: of a host that is gone without a word the others must not wait for.
 *
 * @throws what the only one failed with, the first error that no other server could mend, or an AggregateError of all
 */
export function firstThatWorks<C>(servers: Servers<C>): Promise<C> {
  return new Promise((resolve, reject) => new Race(servers, resolve, reject).next());
}

class Race<C> {
  readonly #servers: Servers<C>;
  readonly #resolve: (connection: C) => void;
  readonly #reject: (error: unknown) => void;
  /** Under way, in the order of their start. */
  readonly #dials: Map<AbortController, Endpoint> = new Map();
  readonly #failures: unknown[] = [];
  #started = 0;
  #over = false;
  #patience: Timer | undefined;

  constructor(servers: Servers<C>, resolve: (connection: C) => void, reject: (error: unknown) => void) {
    this.#servers = servers;
    this.#resolve = resolve;
    this.#reject = reject;
    servers.signal.addEventListener("abort", this.#aborted, { once: true });
  }

  /** Dials the next server; nothing when all are being dialled. */
  next(): void {
    const { endpoints, clock, patienceMs, signal } = this.#servers;
    this.#patience?.cancel();
    this.#patience = undefined;
    const endpoint = endpoints[this.#started];
    if (this.#over || signal.aborted || endpoint === undefined) return;
    this.#started++;
    if (this.#started < endpoints.length && patienceMs < Number.POSITIVE_INFINITY) {
      this.#patience = clock.setTimer(patienceMs, () => this.next());
    }
    const dial = new AbortController();
    this.#dials.set(dial, endpoint);
    this.#servers.dial(endpoint, dial.signal).then(
      (connection) => {
        this.#dials.delete(dial);
        this.#worked(endpoint, connection);
      },
      (error: unknown) => {
        this.#dials.delete(dial);
        this.#failed(endpoint, error);
      },
    );
  }

  readonly #aborted = (): void => this.#abort(this.#servers.signal.reason);

  #abort(reason: unknown): void {
    this.#patience?.cancel();
    for (const dial of this.#dials.keys()) dial.abort(reason);
  }

  #worked(endpoint: Endpoint, connection: C): void {
    if (this.#over) return this.#servers.drop(connection);
    const { endpoints, worked, failed } = this.#servers;
    worked(endpoint);
    // Those that had the lead and lost it: the next dial does not begin with them.
    const start = endpoints.indexOf(endpoint);
    for (const slower of this.#dials.values()) if (endpoints.indexOf(slower) < start) failed(slower);
    this.#end();
    this.#resolve(connection);
    this.#abort(new Error("another server was faster"));
  }

  #failed(endpoint: Endpoint, error: unknown): void {
    if (this.#over) return;
    const { endpoints, signal, elsewhere } = this.#servers;
    this.#servers.failed(endpoint);
    this.#failures.push(error);
    const given = signal.aborted ? this.#started : endpoints.length;
    if (!signal.aborted && !elsewhere(error)) this.#giveUp(error);
    else if (this.#failures.length === given) this.#giveUp(this.#all());
    else this.next();
  }

  #all(): unknown {
    if (this.#failures.length === 1 || this.#servers.signal.aborted) return this.#failures[0];
    return new AggregateError(
      this.#failures,
      `none of ${this.#servers.endpoints.length} servers can be used`,
    );
  }

  #giveUp(error: unknown): void {
    this.#end();
    this.#reject(error);
    this.#abort(error);
  }

  #end(): void {
    this.#over = true;
    this.#patience?.cancel();
    this.#servers.signal.removeEventListener("abort", this.#aborted);
  }
}
