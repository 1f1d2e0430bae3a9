/** A pool's way back to the server it prefers, a few connections at a time. */
import type { Endpoint } from "../endpoint/index.ts";
import type { Timer } from "../time/index.ts";
import type { PoolEndpoints } from "./endpoints.ts";
import { type LookOptions, lookAt, type Placed } from "./look.ts";

/** While the preferred server can't be used, looks at it grow rarer, up to this many times the usual wait. */
const rarestLook = 10;
/** At most this part of the connections moves at once, and at least one. */
const partAtOnce = 0.1;

export interface FailBackOptions<C extends Placed> extends LookOptions<C> {
  readonly endpoints: PoolEndpoints;
  /** Between two looks, ms, ±50 %; `false`: connections stay where they are. */
  readonly everyMs: number | false;
}

/**
 * While connections are on a server that is not the preferred one, looks now and then whether a better one can be used,
 * with a connection of its own, so that no caller waits for the answer. When it can, a tenth of the connections is asked
 * to leave: idle ones at once, those in use when they come back. What the pool then needs it dials there. A server that
 * refused a write of this pool has to be primary again.
 *
 * A pool that fails back as a whole would dial all its connections in one moment, and so would every other pool of a
 * fleet, at a server that has just come up.
 */
export class FailBack<C extends Placed> {
  readonly #options: FailBackOptions<C>;
  /** Connections on a server that is not the preferred one, oldest first, and how to ask them to leave. */
  readonly #away: Map<C, () => void> = new Map();
  #open = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #look: AbortController | undefined;

  constructor(options: FailBackOptions<C>) {
    this.#options = options;
  }

  /** A connection is in use by the pool from now on. */
  joined(connection: C, leave: () => void): void {
    this.#open++;
    const { everyMs, endpoints } = this.#options;
    if (everyMs === false || endpoints.rank(connection.endpoint) === 0) return;
    this.#away.set(connection, leave);
    this.#plan();
  }

  /** A connection is closed. */
  left(connection: C): void {
    this.#open--;
    this.#away.delete(connection);
    if (this.#away.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#failures = 0;
    this.#look?.abort(new Error("no connection is left to move"));
  }

  #plan(): void {
    const { everyMs, world } = this.#options;
    if (everyMs === false || this.#timer !== undefined || this.#look !== undefined) return;
    if (this.#away.size === 0) return;
    const usualMs = everyMs * (0.5 + world.random.next());
    const delayMs = usualMs * Math.min(2 ** this.#failures, rarestLook);
    const fire = (): void => {
      this.#timer = undefined;
      void world.detach(() => this.#turn());
    };
    this.#timer = world.clock.setTimer(delayMs, fire, { unref: true });
  }

  async #turn(): Promise<void> {
    const { endpoints, world } = this.#options;
    const look = new AbortController();
    this.#look = look;
    const worst = Math.max(...[...this.#away.keys()].map(({ endpoint }) => endpoints.rank(endpoint)));
    let found: Endpoint | undefined;
    for (const endpoint of endpoints.before(worst, world.clock.nowMs())) {
      const asPrimary = endpoints.hasRefused(endpoint);
      const works = await lookAt(endpoint, look.signal, asPrimary, this.#options);
      if (look.signal.aborted) break;
      if (works) {
        endpoints.worked(endpoint, asPrimary);
        found = endpoint;
        break;
      }
      endpoints.failed(endpoint, world.clock.nowMs());
    }
    this.#look = undefined;
    if (found === undefined) this.#failures++;
    else {
      this.#failures = 0;
      this.#move(endpoints.rank(found));
    }
    this.#plan();
  }

  #move(rank: number): void {
    let left = Math.max(1, Math.ceil(this.#open * partAtOnce));
    for (const [connection, leave] of [...this.#away]) {
      if (this.#options.endpoints.rank(connection.endpoint) <= rank) continue;
      if (left-- <= 0) return;
      this.#away.delete(connection);
      leave();
    }
  }
}
