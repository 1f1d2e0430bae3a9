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
  return {
    on: (name, listener) => link.on(name, listener),
    snapshot: () => link.snapshot(),
    explain: () => explain(link.snapshot()),
    health: () => health(link.snapshot()),
    whenReady: (signal) => link.whenReady(signal),
    reconnectNow: () => link.reconnectNow(),
    failover: () => link.failover(),
    drain: (deadlineMs) => link.drain(deadlineMs),
    close: () => link.close(),
  };
}
