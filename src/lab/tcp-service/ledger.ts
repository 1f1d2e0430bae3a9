/** What a service has applied: every id, with how often. The truth that a client's belief is compared with. */
export class ServiceLedger {
  readonly #counts: Map<number, number> = new Map();
  #total = 0;

  /** Applies an id; returns how often it has been applied by now. */
  apply(id: number): number {
    const count = this.count(id) + 1;
    this.#counts.set(id, count);
    this.#total += 1;
    return count;
  }

  /** How often the id was applied; 0 when it never was. */
  count(id: number): number {
    return this.#counts.get(id) ?? 0;
  }

  /** All applications, repeated ones included. */
  get total(): number {
    return this.#total;
  }

  /** Every id that was applied, in the order of its first application. */
  get ids(): readonly number[] {
    return [...this.#counts.keys()];
  }

  /** Every id that was applied more than once. */
  get repeated(): readonly number[] {
    return this.ids.filter((id) => this.count(id) > 1);
  }
}
