/** What a bench says: tables, goals, notes; as text, as markdown, as JSON. */
import type { Interval, Verdict } from "./statistics.ts";

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Goal {
  readonly goal: string;
  readonly measured: Interval;
  readonly unit: string;
  readonly verdict: Verdict;
}

export interface Report {
  readonly name: string;
  readonly title: string;
  /** What was run and how: servers, versions, rounds. */
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** Four significant digits at most, thousands separated. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `1.02 [0.99–1.05]` */
export function withInterval({ estimate, low, high }: Interval): string {
  return `${figure(estimate)} [${figure(low)}–${figure(high)}]`;
}

export function goalLine({ goal, measured, unit, verdict }: Goal): string {
  return `${goal}: ${withInterval(measured)}${unit === "" ? "" : ` ${unit}`}: ${verdict}`;
}

export function asText(report: Report): string {
  return [
    `${report.name}: ${report.title}`,
    ...report.method.map((line) => `  ${line}`),
    ...report.tables.flatMap((table) => ["", ...aligned(table)]),
    "",
    ...report.goals.map((goal) => `goal: ${goalLine(goal)}`),
    ...report.notes.map((note) => `note: ${note}`),
    "",
  ].join("\n");
}

export function asMarkdown(report: Report): string {
  return [
    `## \`${report.name}\`: ${report.title}`,
    "",
    ...report.method.map((line) => `- ${line}`),
    ...report.tables.flatMap(({ columns, rows }) => [
      "",
      markdownRow(columns),
      markdownRow(columns.map((_, i) => (i === 0 ? "---" : "--:"))),
      ...rows.map(markdownRow),
    ]),
    ...(report.goals.length > 0 ? ["", ...report.goals.map((goal) => `- **Goal** ${goalLine(goal)}`)] : []),
    ...(report.notes.length > 0 ? ["", ...report.notes.map((note) => `- ${note}`)] : []),
    "",
  ].join("\n");
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** The first column to the left, figures to the right. */
function aligned({ columns, rows }: Table): string[] {
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(columns), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
