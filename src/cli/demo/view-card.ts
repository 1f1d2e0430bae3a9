/** The narrow layout: a few short lines per link. */
import type { LinkFacts } from "./book.ts";
import { cellsOf, stateTone, zeroTone } from "./cells.ts";
import { fit, oneLine, type Paint } from "./text.ts";

export function linkCard(link: LinkFacts, width: number, paint: Paint): string[] {
  const cells = cellsOf(link);
  const name = link.driver.padEnd(6);
  const attempt = cells.attempt === "-" ? "" : `  attempt ${cells.attempt}`;
  const next = cells.nextTry === "-" ? "" : `  next try ${cells.nextTry}`;
  const state = fit(`${cells.sign} ${cells.state} ${cells.since}${attempt}${next}`, width - name.length - 1);
  const under = (text: string): string => `  ${paint.dim(fit(oneLine(text), width - 2))}`;
  return [
    `${paint.bold(name)} ${stateTone(link, paint)(state)}`,
    `  ${fit(`sent ${cells.sent}  acknowledged ${cells.acknowledged}  outbox ${cells.outbox}`, width - 2)}`,
    `  ${fit(`unknown ${cells.unknown}`, width - 2)}  ${[
      zeroTone(link.lost, paint)(`lost ${cells.lost}`),
      zeroTone(link.duplicated, paint)(`duplicated ${cells.duplicated}`),
    ].join("  ")}`,
    under(link.lastEvent),
    under(link.explain),
  ];
}
