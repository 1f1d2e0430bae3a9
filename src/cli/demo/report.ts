/** What came of it: the verdict over the zeros, the closing table, the JSON object. */

import { countsOf, type LedgerCounts, type Verdict } from "../../lab/index.ts";
import { wrap } from "../bar.ts";
import type { DemoResult } from "./run.ts";
import { counted, figure, fit, type Paint, span } from "./text.ts";

export interface LinkReport extends LedgerCounts {
  readonly driver: string;
  readonly server: string;
  readonly episodes: number;
  readonly dials: number;
  readonly restored: number;
  readonly recoveryMsP50: number | null;
  readonly recoveryMsMax: number | null;
}

export interface DemoReport {
  /** Every zero is zero, and every link still works. */
  readonly ok: boolean;
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
  readonly links: readonly LinkReport[];
}

export function reportOf({ links, missing }: DemoResult, required: readonly string[]): DemoReport {
  const rows = links.map(({ facts, verdict }): LinkReport => {
    const sorted = facts.recoveriesMs.toSorted((a, b) => a - b);
    const at = (share: number): number | null => {
      const ms = sorted[Math.ceil(share * sorted.length) - 1];
      return ms === undefined ? null : Math.round(ms);
    };
    return {
      driver: facts.driver,
      server: facts.server,
      ...countsOf(verdict),
      notApplied: facts.notApplied,
      unknown: facts.unknown,
      episodes: facts.snapshot.episodes,
      dials: facts.snapshot.dials,
      restored: sorted.length,
      recoveryMsP50: at(0.5),
      recoveryMsMax: at(1),
    };
  });
  const problems = [
    ...rows.flatMap(brokenZeros),
    ...rows.flatMap(({ driver, sent, acknowledged }) =>
      sent > 0 && acknowledged === 0 ? [`${driver}: nothing was acknowledged`] : [],
    ),
    ...links.flatMap(({ facts }) =>
      facts.snapshot.phase === "closed" ? [`${facts.driver}: the link gave up: ${facts.explain}`] : [],
    ),
    ...missing
      .filter(({ name, broken }) => required.includes(name) && !broken)
      .map(({ name }) => `${name} is required, but can't be had`),
    ...missing
      .filter(({ broken }) => broken)
      .map(({ name, reason }) => `${name} could not be started: ${reason}`),
    ...(links.length === 0 && required.length === 0 ? ["no link could be started"] : []),
  ];
  return { ok: problems.length === 0, problems, links: rows };
}

function brokenZeros(row: LinkReport): string[] {
  const zeros: readonly [number, string][] = [
    [row.lost, "acknowledged but absent at the server"],
    [row.duplicated, "applied more than once"],
    [row.falselyNotApplied, "told not-applied, but applied"],
    [row.unsettled, "never settled"],
  ];
  return zeros
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${row.driver}: ${counted(count, "write")} ${what}`);
}

type Column = readonly [title: string, cell: (row: LinkReport) => string];

const ms = (value: number | null): string => (value === null ? "-" : span(value));
const columns: readonly Column[] = [
  ["link", (row) => row.driver],
  ["sent", (row) => figure(row.sent)],
  ["acknowledged", (row) => figure(row.acknowledged)],
  ["not applied", (row) => figure(row.notApplied)],
  ["unknown", (row) => figure(row.unknown)],
  ["lost", (row) => figure(row.lost)],
  ["duplicated", (row) => figure(row.duplicated)],
  ["restored", (row) => `${figure(row.restored)} of ${figure(row.episodes)}`],
  ["dials", (row) => figure(row.dials)],
  ["back p50", (row) => ms(row.recoveryMsP50)],
  ["max", (row) => ms(row.recoveryMsMax)],
];

/** The closing table; where it does not fit, on its side. */
export function closingTable(result: DemoResult, report: DemoReport, width: number, paint: Paint): string[] {
  const ran = result.interrupted ? `interrupted after ${span(result.ranMs)}` : `after ${span(result.ranMs)}`;
  const rows = report.links;
  if (rows.length === 0) return verdictLines(result, report, width, paint);
  return [
    `${paint.bold("holdfast demo")} ${ran}`,
    "",
    ...table(rows, width, paint),
    "",
    ...rows.map(({ driver, server }) => paint.dim(fit(`${driver}: ${server}`, width))),
    "",
    ...verdictLines(result, report, width, paint),
  ];
}

function table(rows: readonly LinkReport[], width: number, paint: Paint): string[] {
  if (rows.length === 0) return [];
  const texts = columns.map(([title, cell]) => [title, ...rows.map(cell)]);
  const widths = texts.map((column) => Math.max(...column.map((text) => text.length)));
  const line = (i: number, gap: string): string =>
    texts
      .map((column, c) => (c === 0 ? column[i]!.padEnd(widths[c]!) : column[i]!.padStart(widths[c]!)))
      .join(gap);
  const gap = ["  ", " "].find((each) => line(0, each).length <= width);
  if (gap !== undefined) return [paint.dim(line(0, gap)), ...rows.map((_row, i) => line(i + 1, gap))];
  return turned(texts);
}

/** The same table on its side: a row per figure, a column per link. */
function turned(texts: readonly string[][]): string[] {
  const label = Math.max(...texts.map(([title]) => title!.length));
  const cell = Math.max(...texts.map((column) => Math.max(...column.slice(1).map((text) => text.length))));
  return texts.map(([title, ...cells]) =>
    [title!.padEnd(label), ...cells.map((text) => text.padStart(cell))].join("  "),
  );
}

function verdictLines({ links }: DemoResult, report: DemoReport, width: number, paint: Paint): string[] {
  const told = (text: string, tone: (text: string) => string): string[] => wrap(text, width).map(tone);
  if (!report.ok) {
    return report.problems.flatMap((problem) =>
      told(`BROKEN  ${problem}`, (text) => paint.bold(paint.red(text))),
    );
  }
  const sum = (pick: (verdict: Verdict) => number): number =>
    links.reduce((total, { verdict }) => total + pick(verdict), 0);
  const acknowledged = counted(
    sum((verdict) => verdict.acknowledged),
    "acknowledged write",
  );
  const unknown = sum((verdict) => verdict.unknown);
  const applied = sum((verdict) => verdict.unknownApplied);
  const were = unknown === 1 ? "was" : "were";
  const honest =
    `${counted(unknown, "write")} ${were} in flight when a fault hit, and told "maybe-applied": ` +
    `${figure(applied)} had been applied, ${figure(unknown - applied)} had not`;
  return [
    ...told(`OK  ${acknowledged}: none lost, none applied twice`, paint.green),
    ...(unknown > 0 ? told(honest, paint.dim) : []),
  ];
}
