import type { Link, LinkEvents, LinkSnapshot } from "../link/index.ts";
import { explain } from "./explain.ts";
import { type Health, health } from "./health.ts";
import { trace } from "./tracing.ts";

/** What a user of a driver sees of its link: `client.resilience`. */
export interface Resilience {
  /** Listens to an event; returns what removes the listener. */
  on<K extends keyof LinkEvents>(name: K, listener: (event: LinkEvents[K]) => void): () => void;
  /** Plain data, safe to log. */
  snapshot(): LinkSnapshot;
  /** One sentence: state, reason, next step. */
  explain(): string;
  health(): Health;
  /** Resolves at the next `ready`; rejects when the link closes first. */
  whenReady(signal?: AbortSignal): Promise<void>;
  /** Dials now, also in back-off; safe in a loop. Throws when closed. */
  reconnectNow(): void;
  /** Leaves the current endpoint for the next one. Throws when closed. */
  failover(): void;
  /** Finishes what is waiting and in flight, then closes. */
  drain(deadlineMs?: number): Promise<void>;
  /** Closes now; every wait ends at once. */
  close(): Promise<void>;
}

/** The user's handle on a link; also publishes its events on diagnostics channels. */
export function resilienceOf<C>(link: Link<C>): Resilience {
  trace(link);
  return handleOf(link);
}

/** The same for a link whose owner hears and publishes its events itself. */
export function handleOf<C>(link: Link<C>): Resilience {
  return new LinkHandle(link);
}

/** A class, because every link has one: as nine closures it weighed 650 bytes. */
class LinkHandle<C> implements Resilience {
  readonly #link: Link<C>;

  constructor(link: Link<C>) {
    this.#link = link;
  }

  on<K extends keyof LinkEvents>(name: K, listener: (event: LinkEvents[K]) => void): () => void {
    return this.#link.on(name, listener);
  }

  snapshot(): LinkSnapshot {
    return this.#link.snapshot();
  }

  explain(): string {
    return explain(this.#link.snapshot());
  }

  health(): Health {
    return health(this.#link.snapshot());
  }

  whenReady(signal?: AbortSignal): Promise<void> {
    return this.#link.whenReady(signal);
  }

  reconnectNow(): void {
    this.#link.reconnectNow();
  }

  failover(): void {
    this.#link.failover();
  }

  drain(deadlineMs?: number): Promise<void> {
    return this.#link.drain(deadlineMs);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
