/** One listener; an object of its own, so that one added twice is two. */
interface Listening<Events> {
  readonly name: keyof Events;
  readonly listener: (event: never) => void;
}

/** Typed events. `on` returns what removes the listener; a listener that throws unwinds nothing. */
export class Emitter<Events extends object> {
  /** One short list, made when somebody listens: a map of sets weighed more than the link's gate. */
  #listeners: readonly Listening<Events>[] | undefined;
  #tap: ((name: keyof Events, event: Events[keyof Events]) => void) | undefined;
  readonly #failed: (error: unknown, event: keyof Events) => void;

  /** @param failed told when a listener throws; by default its error is dropped */
  constructor(failed: (error: unknown, event: keyof Events) => void = () => {}) {
    this.#failed = failed;
  }

  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const own: Listening<Events> = { name, listener };
    this.#listeners = this.#listeners === undefined ? [own] : [...this.#listeners, own];
    return () => {
      const left = this.#listeners?.filter((one) => one !== own);
      this.#listeners = left?.length === 0 ? undefined : left;
    };
  }

  once<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const off = this.on(name, (event) => {
      off();
      listener(event);
    });
    return off;
  }

  /** One listener for every event, heard before the others; costs a field where a listener each costs a map. */
  tap(listener: (name: keyof Events, event: Events[keyof Events]) => void): void {
    this.#tap = listener;
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    try {
      this.#tap?.(name, event);
    } catch (error) {
      this.#failed(error, name);
    }
    // Never changed in place: who is added or removed by a listener does not change this round.
    for (const one of this.#listeners ?? []) {
      if (one.name !== name) continue;
      try {
        (one.listener as (event: Events[K]) => void)(event);
      } catch (error) {
        this.#failed(error, name);
      }
    }
  }

  get listenerCount(): number {
    return this.#listeners?.length ?? 0;
  }
}
