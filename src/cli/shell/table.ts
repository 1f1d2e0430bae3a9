/** Rows as a grid, the way the mysql command line draws them, or as lines of tabs for other programs. */
import type { StatementResult } from "./database.ts";

type Rows = Extract<StatementResult, { kind: "rows" }>;

/** Characters that take two cells of a terminal: East Asian wide ones and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
/** Marks that are drawn over the character before them, and joiners. */
const nothing = /\p{Mn}|\p{Me}|\p{Cf}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** How many cells a text takes. */
export function cells(text: string): number {
  let width = 0;
  for (const character of text) width += nothing.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** A value from the database must not move the cursor or ring the bell. */
export function harmless(text: string): string {
  return text.replace(control, (found) => {
    if (found === "\n") return "\\n";
    if (found === "\t") return "\\t";
    if (found === "\r") return "\\r";
    return `\\x${found.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

export function grid({ columns, numeric, rows }: Rows): string {
  const head = columns.map(harmless);
  const body = rows.map((row) => row.map((value) => (value === null ? "NULL" : harmless(value))));
  const widths = head.map((name, at) =>
    body.reduce((widest, row) => Math.max(widest, cells(row[at] ?? "")), cells(name)),
  );
  const rule = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+`;
  const line = (row: readonly string[], right: readonly boolean[]): string =>
    `|${row.map((value, at) => ` ${pad(value, widths[at] ?? 0, right[at] === true)} `).join("|")}|`;
  const lines = body.map((row) => line(row, numeric));
  return [rule, line(head, []), rule, ...lines, rule].join("\n");
}

function pad(value: string, width: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, width - cells(value)));
  return right ? space + value : value + space;
}

/** One column after the other, for rows that are wider than the screen (`\G`). */
export function upright({ columns, rows }: Rows): string {
  const widest = Math.max(0, ...columns.map((name) => cells(harmless(name))));
  return rows
    .map((row, at) => {
      const stars = "*".repeat(27);
      const values = row.map(
        (value, column) =>
          `${pad(harmless(columns[column] ?? ""), widest, true)}: ${value === null ? "NULL" : value}`,
      );
      return [`${stars} ${at + 1}. row ${stars}`, ...values].join("\n");
    })
    .join("\n");
}

/** Names, then values, with tabs between: what a pipe is given. */
export function tabbed({ columns, rows }: Rows): string {
  const cell = (value: string | null): string =>
    value === null ? "NULL" : value.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n");
  return [columns, ...rows].map((row) => row.map(cell).join("\t")).join("\n");
}
