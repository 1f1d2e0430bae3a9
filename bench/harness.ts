/** Measurements side by side: A B A B …, so that whatever else the machine does hits both alike. */
import { seededRandom } from "../src/time/index.ts";

/** One way to do the work. `run` does `ops` operations and is timed as a whole. */
export interface Side {
  readonly name: string;
  run(ops: number): Promise<unknown> | unknown;
}

export interface Rounds {
  /** Operations in one measurement of one side. */
  readonly ops: number;
  /** Measurements of each side. */
  readonly rounds: number;
  /** Unmeasured rounds first, for the compiler. */
  readonly warmups: number;
  /**
   * Collect garbage before each measurement; default true. It also throws compiled code away (V8's optimized code
   * holds on to objects weakly): short work is then measured while it is compiled anew, so it must say false.
   */
  readonly collects?: boolean;
}

/** The draws of every bootstrap: fixed, so that the same measurements give the same interval. */
export const bootstrapRandom = () => seededRandom(7);

/** What happens meanwhile; standard output is kept for results. */
export function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

/** Runs the sides in turn and returns, for each side, the nanoseconds per operation of every round. */
export async function interleave(label: string, sides: readonly Side[], how: Rounds): Promise<number[][]> {
  const nsPerOp: number[][] = sides.map(() => []);
  for (let round = -how.warmups; round < how.rounds; round++) {
    if (round === 0 || (round > 0 && round % 10 === 0)) progress(`${label}: round ${round} of ${how.rounds}`);
    const turns = [...sides.entries()];
    if (round % 2 !== 0) turns.reverse(); // nobody always comes behind the same one
    for (const [i, side] of turns) {
      if (how.collects !== false) collectGarbage(); // one side does not pay for the other's
      const startNs = process.hrtime.bigint();
      await side.run(how.ops);
      const tookNs = Number(process.hrtime.bigint() - startNs);
      if (round >= 0) nsPerOp[i]?.push(tookNs / how.ops);
    }
  }
  return nsPerOp;
}

/** `scripts/bench.mjs` starts every bench with `--expose-gc`. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error("start it with npm run bench, or node --expose-gc");
  globalThis.gc();
}
