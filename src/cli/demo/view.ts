/** The live view: the demo's state as lines of a given size. Pure: the screen puts them on the terminal. */
import type { EventLine } from "./events.ts";
import type { DemoState } from "./run.ts";
import { fit, oneLine, type Paint, span } from "./text.ts";
import { timelineLines } from "./timeline.ts";
import { linkCard } from "./view-card.ts";
import { linkRows, tableHead, tableWidth } from "./view-rows.ts";

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
}

/** Less and less, until everything fits: lines under each link's figures, and whether each has a line of time. */
const densities: readonly Density[] = [
  { details: 2, rates: true },
  { details: 1, rates: true },
  { details: 1, rates: false },
  { details: 0, rates: false },
];

interface Density {
  readonly details: number;
  readonly rates: boolean;
}

/** At most `rows` lines of at most `columns` columns each. */
export function viewLines(
  demo: DemoState,
  events: readonly EventLine[],
  { columns, rows }: ViewSize,
  paint: Paint,
): string[] {
  const width = Math.max(1, columns - 1);
  const bodies = densities.map((density) => bodyLines(demo, density, width, paint));
  const lines = bodies.find((body) => body.length <= rows) ?? (bodies.at(-1) as string[]);
  const room = rows - lines.length - 1;
  if (room > 1 && events.length > 0) {
    lines.push("", ...events.slice(-room).map((event) => eventLine(event, width, paint)));
  }
  if (lines.length <= rows) return lines;
  return [
    ...lines.slice(0, Math.max(0, rows - 1)),
    paint.dim(fit("… a taller window shows the rest", width)),
  ];
}

function bodyLines(demo: DemoState, { details, rates }: Density, width: number, paint: Paint): string[] {
  const missing = demo.missing.map(({ name, reason }) =>
    paint.yellow(fit(`${name} is left out: ${oneLine(reason)}`, width)),
  );
  return [
    titleLine(demo, width, paint),
    "",
    stageLine(demo, width, paint),
    ...timelineLines(demo, width, rates, paint),
    "",
    ...linkLines(demo, details, width, paint),
    ...(missing.length > 0 ? ["", ...missing] : []),
  ];
}

function titleLine(demo: DemoState, width: number, paint: Paint): string {
  const time = `${span(Math.min(demo.elapsedMs(), demo.totalMs))} of ${span(demo.totalMs)}`;
  const name = "holdfast demo";
  const seed = `   seed ${demo.seed}`;
  const gap = " ".repeat(Math.max(2, width - name.length - seed.length - time.length));
  return paint.bold(fit(name, width)) + paint.dim(fit(seed + gap + time, width - name.length));
}

function stageLine(demo: DemoState, width: number, paint: Paint): string {
  const { act, text, leftMs } = demo.stage();
  const left = leftMs === undefined ? "" : `  ${(leftMs / 1000).toFixed(1)} s`;
  const line = fit(`${act === undefined ? "○" : "▲"} ${text}${left}`, width);
  return act === undefined ? paint.green(line) : paint.bold(paint.red(line));
}

function linkLines(demo: DemoState, details: number, width: number, paint: Paint): string[] {
  const links = demo.links();
  if (width >= tableWidth) {
    return [paint.dim(tableHead()), ...links.flatMap((link) => linkRows(link, details, width, paint))];
  }
  const apart = details > 1 ? [""] : [];
  return links.flatMap((link, i) => [...(i > 0 ? apart : []), ...linkCard(link, details, width, paint)]);
}

/** `12.40 s  tcp    lost: …`: also the form of the plain output. */
export function eventLine({ atMs, who, text, mood }: EventLine, width: number, paint: Paint): string {
  const head = `${(atMs / 1000).toFixed(2)} s`.padStart(9);
  const name = `  ${who.padEnd(6)} `;
  const shown = fit(text, width - head.length - name.length);
  if (head.length + name.length > width) return fit(head, width);
  if (who === "storm") return paint.dim(head) + paint.yellow(name + shown);
  const tone = mood === "good" ? paint.green : mood === "bad" ? paint.red : (plain: string): string => plain;
  return paint.dim(head) + name + tone(shown);
}
