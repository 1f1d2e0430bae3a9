/** Does the heap grow with each round? Told from many samples: between any two, collections and compiled code weigh more. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The heap in use after a full collection, once what ended in this turn has gone. */
async function heapBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  // What was only weakly held is finalized in turns of its own, and collected by the next.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return getHeapStatistics().used_heap_size;
}

/** Samples of something over rounds, and its growth per round. */
export class Growth {
  readonly #rounds: number[] = [];
  readonly #values: number[] = [];

  add(round: number, value: number): void {
    this.#rounds.push(round);
    this.#values.push(value);
  }

  /** Adds the heap as it is now, in bytes. */
  async addHeap(round: number): Promise<void> {
    this.add(round, await heapBytes());
  }

  /**
   * The median of the slopes between all pairs of samples (Theil and Sen): a step or a few outliers, however high,
   * leave it alone; what is kept in every round is in every slope. Needs two samples of different rounds.
   */
  perRound(): number {
    const slopes: number[] = [];
    for (let a = 0; a < this.#rounds.length; a++) {
      for (let b = a + 1; b < this.#rounds.length; b++) {
        const rounds = (this.#rounds[b] as number) - (this.#rounds[a] as number);
        slopes.push(((this.#values[b] as number) - (this.#values[a] as number)) / rounds);
      }
    }
    slopes.sort((a, b) => a - b);
    const middle = slopes.length / 2;
    if (middle === 0) throw new RangeError("growth needs two samples");
    return ((slopes[Math.ceil(middle) - 1] as number) + (slopes[Math.floor(middle)] as number)) / 2;
  }

  toString(): string {
    return this.#rounds
      .map((round, i) => `${round}: ${Math.round((this.#values[i] as number) / 1024)} kB`)
      .join(", ");
  }
}
