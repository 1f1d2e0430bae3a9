import { formatMs, hazards, type Preset, type Timeline } from "../backoff/index.ts";
import { bar, wrap } from "./bar.ts";

/** The plan of a preset for people: what it is, a row and a bar per attempt, what may go wrong. */
export function planText(preset: Preset, timeline: Timeline, drawn: string, columns: number): string {
  const constants = Object.entries(preset.constants).map(([key, value]) => `${key} ${value}`);
  const lines = [
    ...field(preset.name, preset.describe, columns),
    ...field("source", preset.source, columns),
    ...field("constants", constants.join(", "), columns),
    ...preset.defects.flatMap((defect) => field("defect", defect, columns)),
    ...(preset.corrected ? field("corrected", `holdfast plan ${preset.corrected}`, columns) : []),
    ...field("draws", drawn, columns),
    "",
    ...rows(timeline, columns),
    ...hazards(preset.backoff).map((hazard) => `\nwarning: ${hazard.message}`),
  ];
  return lines.join("\n");
}

/** Every preset on a line of its own, or several where the terminal is narrow. */
export function listText(presets: readonly Preset[], columns: number): string {
  const label = Math.max(...presets.map((preset) => preset.name.length));
  return presets
    .flatMap((preset) => {
      const defective = preset.corrected ? ` [defects; see also ${preset.corrected}]` : "";
      return field(preset.name, preset.describe + defective, columns, label);
    })
    .join("\n");
}

function rows({ attempts, exhausted }: Timeline, columns: number): string[] {
  const cells = attempts.map(({ attempt, delayMs, atMs }) => [
    String(attempt + 1),
    formatMs(delayMs),
    formatMs(atMs),
  ]);
  const heads = ["attempt", "delay", "at"];
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padStart(widths[i]!)).join("  ");
  const longestMs = Math.max(...attempts.map((planned) => planned.delayMs));
  const room = Math.max(10, columns - line(heads).length - 2);
  const bars = attempts.map((planned) => bar(longestMs ? planned.delayMs / longestMs : 0, room));
  return [
    line(heads),
    ...cells.map((row, i) => `${line(row)}  ${bars[i]}`.trimEnd()),
    ...(exhausted ? [`then: ${exhausted}`] : []),
  ];
}

/** A label and its text, the text hanging beside it. */
function field(label: string, text: string, columns: number, width = Math.max(9, label.length)): string[] {
  const indent = width + 2;
  return wrap(text, Math.max(30, columns - indent)).map((line, i) =>
    i === 0 ? `${label.padEnd(width)}  ${line}` : " ".repeat(indent) + line,
  );
}
