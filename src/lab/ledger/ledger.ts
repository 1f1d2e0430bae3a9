/**
 * What a client was told about each numbered write, compared at the end with what the server has. Pure accounting: no
 * clock, no socket. Four figures must be zero: acknowledged but absent, applied twice, told `not-applied` but applied,
 * never settled. And "unknown" is no excuse: only a write that was on a connection when a fault hit it may be unknown.
 */
import { reasonOf } from "../../call/index.ts";
import type { Told } from "./told.ts";
import { type Calm, type Cut, type Entry, judge, type Verdict } from "./verdict.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The book of one link's writes.
 *
 * ```ts
 * const id = ledger.begin();
 * write(id).then(() => ledger.settle(id, "acknowledged"), (error) => ledger.settle(id, toldBy(error)));
 * …
 * ledger.audit(appliedAtTheServer).ok
 * ```
 */
export class Ledger {
  /** By id, from 1 on. */
  readonly #entries: Entry[] = [];
  readonly #open: Set<Entry> = new Set();
  readonly #cuts: Writable<Cut>[] = [];
  #cutOpen = false;
  #ready = false;
  #calm: Writable<Calm> | undefined;
  #calmTakes = false;
  readonly #told: Record<Told, number> = {
    acknowledged: 0,
    "not-applied": 0,
    "maybe-applied": 0,
    answered: 0,
    untold: 0,
  };

  /** Writes begun. */
  get sent(): number {
    return this.#entries.length;
  }

  /** Writes begun and not settled. */
  get open(): number {
    return this.#open.size;
  }

  /** How many writes were told what. */
  get told(): Readonly<Record<Told, number>> {
    return this.#told;
  }

  /** The next write's id: 1, 2, 3, … */
  begin(): number {
    const id = this.#entries.length + 1;
    const calm = this.#calmTakes ? this.#calm : undefined;
    const entry: Entry = { id, told: undefined, exposedTo: undefined, calm, why: undefined };
    if (calm !== undefined) calm.begun++;
    this.#entries.push(entry);
    this.#open.add(entry);
    if (this.#ready) this.#expose(entry);
    return entry.id;
  }

  /**
   * What the client was told. Only the first word on a write counts; a second is a defect of the caller and throws.
   *
   * @param error kept of a write that may not be unknown, for the verdict's explanation
   */
  settle(id: number, told: Told, error?: unknown): void {
    const entry = this.#entries[id - 1];
    if (entry === undefined) throw new RangeError(`write ${id} was never begun`);
    if (entry.told !== undefined) throw new RangeError(`write ${id} was settled before, as ${entry.told}`);
    entry.told = told;
    if (entry.calm === this.#calm && this.#calm !== undefined) {
      this.#calm.settled++;
      if (told === "acknowledged") this.#calm.acknowledged++;
    }
    this.#open.delete(entry);
    this.#told[told]++;
    if (told !== "maybe-applied") return;
    if (entry.exposedTo !== undefined) this.#cuts[entry.exposedTo]!.unknown++;
    else entry.why = `${this.#scene()}: ${reasonOf(error)}`;
  }

  /** The link passes calls from now on: what waited is on the wire. */
  linkReady(): void {
    this.#ready = true;
    for (const entry of this.#open) this.#expose(entry);
  }

  /** The link passes no calls: what begins now waits, and can't have been applied. */
  linkLost(): void {
    this.#ready = false;
  }

  /** A fault begins. Writes on the wire from now until `healed` are in flight at this cut. */
  cut(label: string): void {
    this.calmEnds();
    this.#cuts.push({ label, inFlight: 0, unknown: 0 });
    this.#cutOpen = true;
    if (this.#ready) for (const entry of this.#open) this.#expose(entry);
  }

  /** The fault is over and a write begun after it was acknowledged: from now on nothing may become unknown. */
  healed(): void {
    this.#cutOpen = false;
  }

  /** A stretch without faults begins: its writes are counted apart. `cut` and `calmEnds` end it. */
  calmBegins(): void {
    this.#calm = { begun: 0, settled: 0, acknowledged: 0 };
    this.#calmTakes = true;
  }

  /** What begins from now on does not belong to the stretch; what it began may still be acknowledged in it. */
  calmCloses(): void {
    this.#calmTakes = false;
  }

  /** Writes of the stretch that are still on their way. */
  get calmOpen(): number {
    return this.#calm === undefined ? 0 : this.#calm.begun - this.#calm.settled;
  }

  /** Ends the stretch; returns what was begun and acknowledged within it. */
  calmEnds(): Calm {
    const calm = this.#calm ?? { begun: 0, settled: 0, acknowledged: 0 };
    this.#calm = undefined;
    this.#calmTakes = false;
    return calm;
  }

  /** Compares with what the server has: id → how often it was applied. */
  audit(applied: ReadonlyMap<number, number>): Verdict {
    return judge(this.#entries, applied, this.#cuts);
  }

  /** Where the storm is, in words. */
  #scene(): string {
    const last = this.#cuts.at(-1)?.label;
    const when = last === undefined ? "before any fault" : `${this.#cutOpen ? "during" : "after"} ${last}`;
    return `${when}, link ${this.#ready ? "ready" : "down"}`;
  }

  #expose(entry: Entry): void {
    const newest = this.#cuts.length - 1;
    if (!this.#cutOpen || entry.exposedTo === newest) return;
    entry.exposedTo = newest;
    this.#cuts[newest]!.inFlight++;
  }
}
