import type { Report } from "./report.ts";

export interface BenchOptions {
  /** Longer runs: every outage up to two minutes. */
  readonly full: boolean;
  /** Lengths of the outages of `recovery`, in seconds. */
  readonly outagesS?: readonly number[];
}

/** One entry of `npm run bench`. */
export interface Bench {
  readonly title: string;
  run(options: BenchOptions): Promise<Omit<Report, "name" | "title">>;
}
