/** The whole demo from left to right: the storm's faults, and under them what each link had acknowledged. */
import { BUCKET_MS, type LinkFacts, RATE_PER_SECOND } from "./book.ts";
import type { DemoState } from "./run.ts";
import { legendOf, letterOf } from "./storm.ts";
import { fit, type Paint } from "./text.ts";

const LABEL = 8;
/** Below this it shows nothing that can be read. */
const LEAST_CELLS = 12;
const LEVELS = "▁▂▃▄▅▆▇█";

export function timelineLines(demo: DemoState, width: number, rates: boolean, paint: Paint): string[] {
  const cells = width - LABEL;
  if (cells < LEAST_CELLS) return [];
  const nowMs = demo.elapsedMs();
  const storm = demo.acts.length === 0 ? [] : [`${"".padEnd(LABEL)}${stormCells(demo, cells, nowMs, paint)}`];
  const links = demo
    .links()
    .map(
      (link) =>
        fit(link.driver, LABEL - 1).padEnd(LABEL) + rateCells(link, demo.totalMs, cells, nowMs, paint),
    );
  if (!rates) return storm;
  const legend = legendOf(demo.acts);
  const shown = legend !== "" && legend.length <= cells;
  return [...storm, ...links, ...(shown ? [" ".repeat(LABEL) + paint.dim(legend)] : [])];
}

function stormCells({ acts, totalMs }: DemoState, cells: number, nowMs: number, paint: Paint): string {
  const cellMs = totalMs / cells;
  const letters = Array.from({ length: cells }, () => "");
  for (const { fault, atMs, durationMs } of acts) {
    const last = Math.min(cells - 1, Math.floor((atMs + durationMs) / cellMs));
    for (let cell = Math.floor(atMs / cellMs); cell <= last; cell++) letters[cell] = letterOf(fault);
  }
  return letters
    .map((letter, cell) => {
      const past = cell * cellMs <= nowMs;
      if (letter === "") return paint.dim("·");
      return past ? paint.red(letter) : paint.dim(letter);
    })
    .join("");
}

/** Acknowledged per second as bars: full height is the rate of writing; what waited comes in at once and is cut off. */
function rateCells(link: LinkFacts, totalMs: number, cells: number, nowMs: number, paint: Paint): string {
  const cellMs = totalMs / cells;
  let line = "";
  for (let cell = 0; cell < cells && cell * cellMs <= nowMs; cell++) {
    const fromMs = cell * cellMs;
    const wholeMs = Math.min(cellMs, nowMs - fromMs);
    const share = acknowledgedBetween(link, fromMs, fromMs + wholeMs) / ((RATE_PER_SECOND * wholeMs) / 1000);
    const unfinished = wholeMs < cellMs && wholeMs < 2 * BUCKET_MS;
    if (unfinished) break;
    const level = LEVELS[Math.min(LEVELS.length - 1, Math.round(share * (LEVELS.length - 1)))] as string;
    line += share < 0.05 ? paint.red(LEVELS[0] as string) : paint.green(level);
  }
  return line;
}

/** Buckets that lie half in count half. */
function acknowledgedBetween({ acknowledgedPer }: LinkFacts, fromMs: number, toMs: number): number {
  let sum = 0;
  for (let bucket = Math.floor(fromMs / BUCKET_MS); bucket * BUCKET_MS < toMs; bucket++) {
    const startMs = Math.max(fromMs, bucket * BUCKET_MS);
    const endMs = Math.min(toMs, (bucket + 1) * BUCKET_MS);
    sum += ((acknowledgedPer[bucket] ?? 0) * (endMs - startMs)) / BUCKET_MS;
  }
  return sum;
}
