/** Typed events. `on` returns what removes the listener; a listener that throws unwinds nothing. */
export class Emitter<Events extends object> {
  /** Made when somebody listens: most links of a large fleet are heard only through `tap`. */
  #listeners: Map<keyof Events, Set<(event: never) => void>> | undefined;
  #tap: ((name: keyof Events, event: Events[keyof Events]) => void) | undefined;
  readonly #failed: (error: unknown, event: keyof Events) => void;

  /** @param failed told when a listener throws; by default its error is dropped */
  constructor(failed: (error: unknown, event: keyof Events) => void = () => {}) {
    this.#failed = failed;
  }

  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    this.#listeners ??= new Map();
    const listeners = this.#listeners;
    const own = ((event: Events[K]): void => listener(event)) as (event: never) => void; // one added twice is two
    const set = listeners.get(name);
    if (set === undefined) listeners.set(name, new Set([own]));
    else set.add(own);
    return () => {
      const now = listeners.get(name);
      if (now?.delete(own) && now.size === 0) listeners.delete(name);
      if (listeners.size === 0 && this.#listeners === listeners) this.#listeners = undefined;
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
    const set = this.#listeners?.get(name);
    if (set === undefined) return;
    for (const listener of [...set]) {
      try {
        (listener as (event: Events[K]) => void)(event);
      } catch (error) {
        this.#failed(error, name);
      }
    }
  }

  get listenerCount(): number {
    let count = 0;
    for (const set of this.#listeners?.values() ?? []) count += set.size;
    return count;
  }
}
