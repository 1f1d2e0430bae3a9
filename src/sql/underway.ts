/**
 * What is under way on one connection, and who hears how it ends. Nearly always that is one statement: it has a place of
 * its own, because a map that is filled and emptied with every statement makes a new table each time, and each of them
 * holds on to the next.
 */
export class Underway<K extends object, V> {
  #key: K | undefined = undefined;
  #value: V | undefined = undefined;
  /** All but the one. */
  readonly #more: Map<K, V> = new Map();

  get size(): number {
    return this.#more.size + (this.#key === undefined ? 0 : 1);
  }

  has(key: K): boolean {
    return key === this.#key || this.#more.has(key);
  }

  set(key: K, value: V): void {
    if (this.#key === undefined && !this.#more.has(key)) this.#key = key;
    if (this.#key === key) this.#value = value;
    else this.#more.set(key, value);
  }

  /** Its value, removed; `undefined` when it is not here. */
  take(key: K): V | undefined {
    if (key !== this.#key) return this.#takeMore(key);
    const value = this.#value;
    this.#key = undefined;
    this.#value = undefined;
    return value;
  }

  #takeMore(key: K): V | undefined {
    const value = this.#more.get(key);
    this.#more.delete(key);
    return value;
  }

  /** As they are now, in no order. */
  keys(): K[] {
    const keys = [...this.#more.keys()];
    if (this.#key !== undefined) keys.push(this.#key);
    return keys;
  }
}
