/** The judgement over a ledger. */
import type { Told } from "./told.ts";

/** One fault: how many writes were in flight while it was in force, and how many of those stayed unknown. */
export interface Cut {
  readonly label: string;
  readonly inFlight: number;
  readonly unknown: number;
}

/** A stretch without faults: writes begun in it, and of those how many were settled and acknowledged within it. */
export interface Calm {
  readonly begun: number;
  readonly settled: number;
  readonly acknowledged: number;
}

/** One write, as the ledger keeps it. */
export interface Entry {
  readonly id: number;
  told: Told | undefined;
  /** The newest cut it was in flight at. */
  exposedTo: number | undefined;
  /** The stretch without faults it began in. */
  readonly calm: Calm | undefined;
  /** Of an unknown that no cut explains: when it became so, and its error. */
  why: string | undefined;
}

export interface Verdict {
  /** Every zero is zero and no unknown is unexplained. */
  readonly ok: boolean;
  readonly sent: number;
  readonly acknowledged: number;
  readonly notApplied: number;
  readonly unknown: number;
  /** Of the unknown: how many were in fact applied. */
  readonly unknownApplied: number;
  /** Writes the server itself refused. */
  readonly answered: number;

  /** Zero 1: acknowledged, but absent at the server. */
  readonly lost: readonly number[];
  /** Zero 2: applied more than once. */
  readonly duplicated: readonly number[];
  /** Zero 3: told `not-applied` (or refused by the server), but applied. */
  readonly falselyNotApplied: readonly number[];
  /** Zero 4: never settled. */
  readonly unsettled: readonly number[];
  /** Failed with an error that carries no outcome. */
  readonly untold: readonly number[];
  /** Unknown, although not on a connection at any cut. */
  readonly unexplained: readonly number[];
  /** Why the first of those is unknown, as its error says. */
  readonly unexplainedWhy?: string;
  readonly cuts: readonly Cut[];
}

export function judge(
  entries: readonly Entry[],
  applied: ReadonlyMap<number, number>,
  cuts: readonly Cut[],
): Verdict {
  const times = (id: number): number => applied.get(id) ?? 0;
  const ids = (holds: (entry: Entry) => boolean): number[] => entries.filter(holds).map(({ id }) => id);
  const unknown = entries.filter(({ told }) => told === "maybe-applied");
  const bad = {
    lost: ids(({ id, told }) => told === "acknowledged" && times(id) === 0),
    duplicated: ids(({ id }) => times(id) > 1),
    falselyNotApplied: ids(
      ({ id, told }) => (told === "not-applied" || told === "answered") && times(id) > 0,
    ),
    unsettled: ids(({ told }) => told === undefined),
    untold: ids(({ told }) => told === "untold"),
    unexplained: unknown.filter(({ exposedTo }) => exposedTo === undefined).map(({ id }) => id),
  };
  const why = entries.find((entry) => entry.why !== undefined)?.why;
  return {
    ok: Object.values(bad).every((list) => list.length === 0),
    sent: entries.length,
    acknowledged: ids(({ told }) => told === "acknowledged").length,
    notApplied: ids(({ told }) => told === "not-applied").length,
    unknown: unknown.length,
    unknownApplied: unknown.filter(({ id }) => times(id) > 0).length,
    answered: ids(({ told }) => told === "answered").length,
    ...bad,
    ...(why !== undefined && { unexplainedWhy: why }),
    cuts: cuts.map((cut) => ({ ...cut })),
  };
}

/** One line for a person: which promise was broken, with the first ids. */
export function explainVerdict(verdict: Verdict): string {
  const shown = (what: string, ids: readonly number[]): string[] =>
    ids.length === 0
      ? []
      : [`${ids.length} ${what} (${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ", …" : ""})`];
  const broken = [
    ...shown("acknowledged but absent", verdict.lost),
    ...shown("applied twice", verdict.duplicated),
    ...shown("told not-applied but applied", verdict.falselyNotApplied),
    ...shown("never settled", verdict.unsettled),
    ...shown("failed without an outcome", verdict.untold),
    ...shown("unknown without having been in flight", verdict.unexplained),
  ];
  if (verdict.unexplainedWhy !== undefined) broken.push(`the first of them ${verdict.unexplainedWhy}`);
  const counts = `${verdict.sent} sent, ${verdict.acknowledged} acknowledged, ${verdict.notApplied} not applied, ${verdict.unknown} unknown`;
  return broken.length === 0 ? counts : `${counts}; BROKEN: ${broken.join("; ")}`;
}
