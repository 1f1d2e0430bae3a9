/** `client.resilience`: stays the same when the client is closed and connected again, which takes a new link. */
import type { Link, LinkEvents, LinkSnapshot } from "../../link/index.ts";
import { type Health, type Resilience, resilienceOf } from "../../observe/index.ts";

interface Listening {
  off: () => void;
  on(handle: Resilience): () => void;
}

export class Handle implements Resilience {
  #listening: Set<Listening> | undefined;
  #current: Resilience | undefined;

  follow<C>(link: Link<C>): void {
    const handle = resilienceOf(link);
    this.#current = handle;
    for (const listening of this.#listening ?? []) listening.off = listening.on(handle);
  }

  get #handle(): Resilience {
    return this.#current as Resilience;
  }

  on<K extends keyof LinkEvents>(name: K, listener: (event: LinkEvents[K]) => void): () => void {
    const on = (handle: Resilience): (() => void) => handle.on(name, listener);
    const listening: Listening = { on, off: on(this.#handle) };
    this.#listening ??= new Set();
    this.#listening.add(listening);
    return () => {
      this.#listening?.delete(listening);
      listening.off();
    };
  }

  snapshot(): LinkSnapshot {
    return this.#handle.snapshot();
  }

  explain(): string {
    return this.#handle.explain();
  }

  health(): Health {
    return this.#handle.health();
  }

  whenReady(signal?: AbortSignal): Promise<void> {
    return this.#handle.whenReady(signal);
  }

  reconnectNow(): void {
    this.#handle.reconnectNow();
  }

  failover(): void {
    this.#handle.failover();
  }

  drain(deadlineMs?: number): Promise<void> {
    return this.#handle.drain(deadlineMs);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
