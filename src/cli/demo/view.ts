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

/** At most `rows` lines of at most `columns` columns each. */
export function viewLines(
  demo: DemoState,
  events: readonly EventLine[],
  { columns, rows }: ViewSize,
  paint: Paint,
): string[] {
  const width = Math.max(20, columns - 1);
  const head = [titleLine(demo, width, paint), "", stageLine(demo, width, paint)];
  const time = timelineLines(demo, width, paint);
  const links = linkLines(demo, width, paint);
  const missing = demo.missing.map(({ name, reason }) =>
    paint.yellow(fit(`${name} is not here: ${oneLine(reason)}`, width)),
  );
  const lines = [...head, ...time, "", ...links, ...(missing.length > 0 ? ["", ...missing] : [])];
  const room = rows - lines.length - 2;
  if (room > 0 && events.length > 0) {
    lines.push("", ...events.slice(-room).map((event) => eventLine(event, width, paint)));
  }
  return lines.slice(0, rows);
}

function titleLine(demo: DemoState, width: number, paint: Paint): string {
  const elapsedMs = Math.min(demo.elapsedMs(), demo.totalMs);
  const time = `${span(elapsedMs)} of ${span(demo.totalMs)}`;
  const left = `holdfast demo   seed ${demo.seed}`;
  const gap = " ".repeat(Math.max(2, width - left.length - time.length));
  const [name, rest] = [left.slice(0, 13), left.slice(13)];
  return paint.bold(name) + paint.dim(fit(`${rest}${gap}${time}`, width - name.length));
}

function stageLine(demo: DemoState, width: number, paint: Paint): string {
  const { act, text, leftMs } = demo.stage();
  const left = leftMs === undefined ? "" : `  ${(leftMs / 1000).toFixed(1)} s`;
  const line = fit(`${act === undefined ? "○" : "▲"} ${text}${left}`, width);
  return act === undefined ? paint.green(line) : paint.bold(paint.red(line));
}

function linkLines(demo: DemoState, width: number, paint: Paint): string[] {
  const links = demo.links();
  if (width < tableWidth)
    return links.flatMap((link, i) => [...(i > 0 ? [""] : []), ...linkCard(link, width, paint)]);
  return [paint.dim(tableHead()), ...links.flatMap((link) => linkRows(link, width, paint))];
}

/** `12.4 s  tcp    lost: …`: also the form of the plain output. */
export function eventLine(event: EventLine, width: number, paint: Paint): string {
  const time = `${(event.atMs / 1000).toFixed(2)} s`.padStart(9);
  const who = event.who.padEnd(7);
  const text = fit(event.text, width - time.length - who.length - 4);
  const tone = event.mood === "good" ? paint.green : event.mood === "bad" ? paint.red : (s: string) => s;
  return `${paint.dim(time)}  ${event.who === "storm" ? paint.yellow(who) : who}  ${event.who === "storm" ? paint.yellow(text) : tone(text)}`;
}
