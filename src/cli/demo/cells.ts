/** What the view says about one link, cell by cell; how the cells are laid out is the layouts' affair. */
import type { LinkFacts } from "./book.ts";
import { figure, type Paint, span } from "./text.ts";

export const signs = { ready: "●", working: "◌", over: "✕" } as const;

export interface Cells {
  readonly sign: string;
  readonly state: string;
  readonly since: string;
  readonly attempt: string;
  readonly nextTry: string;
  readonly outbox: string;
  readonly inFlight: string;
  readonly sent: string;
  readonly acknowledged: string;
  readonly unknown: string;
  readonly lost: string;
  readonly duplicated: string;
}

export function cellsOf(link: LinkFacts): Cells {
  const { snapshot } = link;
  const { phase, next } = snapshot;
  const over = phase === "closing" || phase === "closed";
  return {
    sign: phase === "ready" ? signs.ready : over ? signs.over : signs.working,
    state: phase,
    since: span(snapshot.forMs),
    attempt: phase === "ready" || over ? "-" : String(snapshot.attempt + (phase === "waiting" ? 1 : 0)),
    nextTry: next === undefined ? "-" : span(next.inMs),
    outbox: figure(snapshot.waiting),
    inFlight: figure(snapshot.inFlight),
    sent: figure(link.sent),
    acknowledged: figure(link.acknowledged),
    unknown: figure(link.unknown),
    lost: verified(link.lost),
    duplicated: verified(link.duplicated),
  };
}

/** What only the server can tell is not known before it was asked. */
function verified(count: number | undefined): string {
  return count === undefined ? "-" : figure(count);
}

/** Green for ready, yellow on the way, red when over. */
export function stateTone(link: LinkFacts, paint: Paint): (text: string) => string {
  const { phase } = link.snapshot;
  if (phase === "ready") return paint.green;
  return phase === "closed" || phase === "closing" ? paint.red : paint.yellow;
}

/** A zero that holds is green, a broken one red. */
export function zeroTone(count: number | undefined, paint: Paint): (text: string) => string {
  return count === undefined ? paint.dim : count === 0 ? paint.green : (text) => paint.bold(paint.red(text));
}
