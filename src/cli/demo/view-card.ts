/** The narrow layout: a few short lines per link. */
import type { LinkFacts } from "./book.ts";
import { cellsOf, stateTone, zeroTone } from "./cells.ts";
import { fit, oneLine, type Paint } from "./text.ts";

const NAME = 7;
type Tone = (text: string) => string;
type Piece = readonly [text: string, tone: Tone];

const plain: Tone = (text) => text;

export function linkCard(link: LinkFacts, details: number, width: number, paint: Paint): string[] {
  const cells = cellsOf(link);
  const attempt = cells.attempt === "-" ? "" : `  attempt ${cells.attempt}`;
  const next = cells.nextTry === "-" ? "" : `  next try ${cells.nextTry}`;
  const state = `${cells.sign} ${cells.state} ${cells.since}${attempt}${next}`;
  const under = (text: string): string => pieces([[`  ${oneLine(text)}`, paint.dim]], width);
  const card = [
    pieces(
      [
        [`${fit(link.driver, NAME - 1).padEnd(NAME)}`, paint.bold],
        [state, stateTone(link, paint)],
      ],
      width,
    ),
    pieces(
      [[`  sent ${cells.sent}  acknowledged ${cells.acknowledged}  outbox ${cells.outbox}`, plain]],
      width,
    ),
    pieces(
      [
        [`  unknown ${cells.unknown}`, link.unknown > 0 ? paint.yellow : plain],
        [`  lost ${cells.lost}`, zeroTone(link.lost, paint)],
        [`  duplicated ${cells.duplicated}`, zeroTone(link.duplicated, paint)],
      ],
      width,
    ),
  ];
  return [...card, ...[under(link.lastEvent), under(link.explain)].slice(2 - details)];
}

/** Coloured pieces side by side, cut off at the width. */
function pieces(all: readonly Piece[], width: number): string {
  let left = width;
  return all
    .map(([text, tone]) => {
      const shown = fit(text, left);
      left -= shown.length;
      return tone(shown);
    })
    .join("");
}
