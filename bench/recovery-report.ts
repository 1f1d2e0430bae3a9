/** What recoveries of several kinds of clients say: a row for each length and kind, and ours against theirs over all lengths. */
import { bootstrapRandom } from "./harness.ts";
import { figure, type Goal, type Table, withInterval } from "./report.ts";
import {
  type Interval,
  meanInterval,
  overallRatioOfMeans,
  quantile,
  ratioOfMeans,
  verdict,
} from "./statistics.ts";

/** A ratio across the goal and wider than this decides nothing. */
const WIDEST = 0.3;

/** Client by client: those of one place had the same outage. */
export interface Found {
  readonly recoveryMs: number[];
  readonly dials: number[];
}

/** By the length of the outage in seconds, then by the name of the client. */
export type Recoveries = ReadonlyMap<number, ReadonlyMap<string, Found>>;

/** Who is held against whom; the limits are shares of theirs. */
export interface Comparison {
  readonly ours: string;
  readonly theirs: string;
  readonly waitAtMost: number;
  /** Not given: dials are shown, not judged. */
  readonly dialsAtMost?: number;
}

const columns = ["outage, client", "mean ms", "p90 ms", "max ms", "dials, mean"];

export function recoveryTables(recoveries: Recoveries, comparisons: readonly Comparison[]): Table[] {
  const random = bootstrapRandom();
  const rows: string[][] = [];
  const ratios: string[][] = [];
  for (const [seconds, found] of recoveries) {
    for (const [name, { recoveryMs, dials }] of found) {
      rows.push([
        `${seconds} s, ${name}`,
        withInterval(meanInterval(recoveryMs, random)),
        figure(quantile(recoveryMs, 0.9)),
        figure(Math.max(...recoveryMs)),
        withInterval(meanInterval(dials, random)),
      ]);
    }
    for (const { ours, theirs } of comparisons) {
      const [own, peer] = [of(found, ours), of(found, theirs)];
      ratios.push([
        `${seconds} s, ${ours} against ${theirs}`,
        withInterval(ratioOfMeans(own.recoveryMs, peer.recoveryMs, random)),
        withInterval(ratioOfMeans(own.dials, peer.dials, random)),
      ]);
    }
  }
  return [
    { columns, rows },
    { columns: ["outage, whom", "time, share of theirs", "dials, share of theirs"], rows: ratios },
  ];
}

/** Over all lengths: the geometric mean of the ratios, in which each length weighs the same. */
export function compared(recoveries: Recoveries, comparisons: readonly Comparison[]): Goal[] {
  const random = bootstrapRandom();
  const lengths = `outages of ${[...recoveries.keys()].join(", ")} s`;
  return comparisons.flatMap(({ ours, theirs, waitAtMost, dialsAtMost }) => {
    const overall = (what: keyof Found): Interval =>
      overallRatioOfMeans(
        [...recoveries.values()].map((found) => [of(found, ours)[what], of(found, theirs)[what]]),
        random,
      );
    const goal = (what: string, measured: Interval, atMost: number): Goal => ({
      goal: `${lengths}: ${what} of ${ours}, at most ${atMost === 1 ? "that" : `${atMost} of that`} of ${theirs}`,
      measured,
      unit: "of theirs",
      verdict: verdict(measured, { atMost }, WIDEST),
    });
    const goals = [goal("recovery time", overall("recoveryMs"), waitAtMost)];
    if (dialsAtMost !== undefined) goals.push(goal("number of dials", overall("dials"), dialsAtMost));
    return goals;
  });
}

function of(found: ReadonlyMap<string, Found>, name: string): Found {
  const own = found.get(name);
  if (own === undefined) throw new RangeError(`${name} was not measured`);
  return own;
}
