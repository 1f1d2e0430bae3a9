/** The wide layout: a row of figures per link, its last event and its own explanation beneath. */
import type { LinkFacts } from "./book.ts";
import { type Cells, cellsOf, stateTone, zeroTone } from "./cells.ts";
import { fit, oneLine, type Paint } from "./text.ts";

type Column = readonly [key: keyof Cells | "link", title: string, width: number];

/** Text to the left, figures to the right. */
const columns: readonly Column[] = [
  ["link", "link", 7],
  ["state", "state", 11],
  ["since", "since", 8],
  ["attempt", "attempt", 7],
  ["nextTry", "next try", 8],
  ["outbox", "outbox", 6],
  ["sent", "sent", 9],
  ["acknowledged", "acknowledged", 12],
  ["unknown", "unknown", 7],
  ["lost", "lost", 4],
  ["duplicated", "duplicated", 10],
];

const isText = (key: Column[0]): boolean => key === "link" || key === "state";

/** A cell never moves its neighbours. */
function place(text: string, [key, , width]: Column): string {
  const shown = fit(text, width);
  return isText(key) ? shown.padEnd(width) : shown.padStart(width);
}

export const tableWidth: number = columns.reduce((sum, [, , width]) => sum + width + 1, -1);

export function tableHead(): string {
  return columns.map((column) => place(column[1], column)).join(" ");
}

export function linkRows(link: LinkFacts, details: number, width: number, paint: Paint): string[] {
  const cells = cellsOf(link);
  const row = columns.map((column) => {
    const [key] = column;
    if (key === "link") return paint.bold(place(link.driver, column));
    if (key === "state") return stateTone(link, paint)(place(`${cells.sign} ${cells.state}`, column));
    const text = place(cells[key], column);
    if (key === "lost" || key === "duplicated") return zeroTone(link[key], paint)(text);
    if (key === "unknown" && link.unknown > 0) return paint.yellow(text);
    return cells[key] === "-" || cells[key] === "0" ? paint.dim(text) : text;
  });
  const indent = " ".repeat(columns[0]![2] + 1);
  const under = (text: string): string => indent + paint.dim(fit(oneLine(text), width - indent.length));
  return [row.join(" "), ...[under(link.lastEvent), under(link.explain)].slice(2 - details)];
}
