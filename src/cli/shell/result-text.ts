/** What is printed after a statement. */
import type { StatementResult } from "./database.ts";
import { grid, tabbed, upright } from "./table.ts";

export type Format = "grid" | "upright" | "tabs";

const seconds = (tookMs: number): string => `(${(tookMs / 1_000).toFixed(2)} sec)`;

function rowsIn(count: number): string {
  if (count === 0) return "Empty set";
  return `${count} ${count === 1 ? "row" : "rows"} in set`;
}

/** The text of one result; in a pipe (`tabs`) only the values, as other programs want them. */
export function resultText(result: StatementResult, format: Format, tookMs: number): string {
  if (result.kind === "rows") {
    if (format === "tabs") return result.rows.length === 0 ? "" : `${tabbed(result)}\n`;
    const end = `${rowsIn(result.rows.length)} ${seconds(tookMs)}\n`;
    if (result.rows.length === 0) return `${end}\n`;
    return `${format === "upright" ? upright(result) : grid(result)}\n${end}\n`;
  }
  if (format === "tabs") return "";
  const { affected, warnings, info } = result;
  const changed = `${affected} ${affected === 1 ? "row" : "rows"} affected`;
  const warned = warnings === 0 ? "" : `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  return `Query OK, ${changed}${warned} ${seconds(tookMs)}\n${info === "" ? "" : `${info}\n`}\n`;
}
