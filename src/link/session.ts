/**
 * What the server holds for us. Items are *restorable* (rebuilt on every new connection, in order) or *poison*
 * (gone with the connection; the next dependent call must fail once, with the reason).
 */
export interface SessionItem {
  readonly key: string;
  /** Lower comes first: credentials and database before subscriptions. */
  readonly order: number;
  readonly value: unknown;
}

const nothing: ReadonlyMap<string, string> = new Map();

export class Session {
  /** Made when there is something to hold. */
  #items: Map<string, SessionItem> | undefined;
  #poison: Map<string, string> | undefined;
  #lost: Map<string, string> | undefined;
  readonly #changed: (version: number) => void;
  #version = 0;

  constructor(changed: (version: number) => void = () => {}) {
    this.#changed = changed;
  }

  /** Grows with every change of the restorable items; a restore is complete only at the current version. */
  get version(): number {
    return this.#version;
  }

  /** Restorable items in the order in which they must be rebuilt. */
  get items(): readonly SessionItem[] {
    return [...(this.#items?.values() ?? [])].sort((a, b) => a.order - b.order);
  }

  get(key: string): unknown {
    return this.#items?.get(key)?.value;
  }

  set(key: string, value: unknown, order = 100): void {
    this.#items ??= new Map();
    this.#items.set(key, { key, order, value });
    this.#changed(++this.#version);
  }

  delete(key: string): boolean {
    if (!this.#items?.delete(key)) return false;
    this.#changed(++this.#version);
    return true;
  }

  /** Notes state that can't be rebuilt, and why a dependent call must then fail. */
  poison(key: string, reason: string): void {
    this.#poison ??= new Map();
    this.#poison.set(key, reason);
  }

  /** The state ended in good order (EXEC, ROLLBACK). */
  cure(key: string): void {
    this.#poison?.delete(key);
    this.#lost?.delete(key);
  }

  get poisons(): ReadonlyMap<string, string> {
    return this.#poison ?? nothing;
  }

  /** The connection is gone: what was poison is now lost. Called by the engine. */
  connectionLost(): void {
    if (this.#poison === undefined) return;
    this.#lost = new Map([...(this.#lost ?? nothing), ...this.#poison]);
    this.#poison = undefined;
  }

  /** Why state under this key was lost; told once. */
  takeLost(key: string): string | undefined {
    const reason = this.#lost?.get(key);
    this.#lost?.delete(key);
    return reason;
  }
}
