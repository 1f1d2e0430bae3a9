import type { Link, LinkEvents } from "../../link/index.ts";
import { handleOf, type Resilience } from "../../observe/index.ts";
import type { TcpConnection } from "./connection.ts";

type EventName = keyof LinkEvents;

interface Listening {
  readonly name: EventName;
  readonly hear: (event: never) => void;
  readonly listenTo: (link: Link<TcpConnection>) => () => void;
  off: () => void;
}

/**
 * A handle that outlives its link: a client that is closed and started again has a new link, and its listeners hear
 * that one too.
 */
export class LastingHandle {
  readonly #listening: Set<Listening> = new Set();
  #link: Link<TcpConnection>;
  #current: Resilience;
  readonly resilience: Resilience;

  constructor(link: Link<TcpConnection>) {
    this.#link = link;
    this.#current = handleOf(link);
    this.resilience = {
      on: (name, listener) => this.#on(name, listener),
      snapshot: () => this.#current.snapshot(),
      explain: () => this.#current.explain(),
      health: () => this.#current.health(),
      whenReady: (signal) => this.#current.whenReady(signal),
      reconnectNow: () => this.#current.reconnectNow(),
      failover: () => this.#current.failover(),
      drain: (deadlineMs) => this.#current.drain(deadlineMs),
      close: () => this.#current.close(),
    };
  }

  /** From now on the handle is that link's. */
  attach(link: Link<TcpConnection>): void {
    this.#link = link;
    this.#current = handleOf(link);
    // The old link may still have its last word to say, so its listeners stay; they go with it.
    for (const one of this.#listening) {
      const before = one.off;
      const now = one.listenTo(link);
      one.off = () => {
        before();
        now();
      };
    }
  }

  /** Tells the `asyncError` listeners of a failure in the application's own asynchronous callback. */
  tell(error: unknown): void {
    for (const { name, hear } of this.#listening) if (name === "asyncError") hear({ error } as never);
  }

  #on<K extends EventName>(name: K, listener: (event: LinkEvents[K]) => void): () => void {
    const listenTo = (link: Link<TcpConnection>): (() => void) => link.on(name, listener);
    const one: Listening = { name, hear: listener, listenTo, off: listenTo(this.#link) };
    this.#listening.add(one);
    return () => {
      one.off();
      this.#listening.delete(one);
    };
  }
}
