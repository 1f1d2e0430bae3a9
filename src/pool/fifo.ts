/** First in, first out, in one ring that doubles when it is full: no memory and no links for an item. */
export class Fifo<T> {
  size = 0;
  #ring: (T | undefined)[] = new Array(16).fill(undefined);
  #first = 0;

  push(item: T): void {
    if (this.size === this.#ring.length) this.#resize(this.#ring.length * 2);
    this.#ring[(this.#first + this.size) & (this.#ring.length - 1)] = item;
    this.size++;
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const first = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.size--;
    return first;
  }

  each(visit: (item: T) => void): void {
    const mask = this.#ring.length - 1;
    for (let i = 0; i < this.size; i++) visit(this.#ring[(this.#first + i) & mask] as T);
  }

  /** Drops all others, in order, and memory that is no longer needed. */
  keep(wanted: (item: T) => boolean): void {
    const kept: T[] = [];
    this.each((item) => {
      if (wanted(item)) kept.push(item);
    });
    let length = 16;
    while (length < kept.length) length *= 2;
    this.#ring = new Array(length).fill(undefined);
    this.#first = 0;
    this.size = 0;
    for (const item of kept) this.push(item);
  }

  #resize(length: number): void {
    const ring: (T | undefined)[] = new Array(length).fill(undefined);
    let at = 0;
    this.each((item) => {
      ring[at++] = item;
    });
    this.#ring = ring;
    this.#first = 0;
  }
}
