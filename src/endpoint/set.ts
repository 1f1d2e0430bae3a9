import { type Random, shuffled } from "../time/index.ts";
import { type Endpoint, endpointId } from "./endpoint.ts";

/** `given` by configuration, or `discovered` from the system. */
export type Origin = "given" | "discovered";

/** One endpoint with its history. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly id: string;
  readonly origin: Origin;
  /** Failures in a row on this endpoint; survives successes on others, reset by its own. */
  readonly failures: number;
  /** When it was last dialled, on the monotonic clock; `-Infinity` = never. */
  readonly dialledMs: number;
  /** Whether this round has tried it. */
  readonly tried: boolean;
}

const NEVER_MS = Number.NEGATIVE_INFINITY;
/** Members come and go with new addresses for ever; the newest few are enough to keep the minimum gap. */
const MOST_REMEMBERED = 64;

export interface EndpointSetOptions {
  /** `shuffled` spreads a fleet over the servers (default); `given` keeps the order of the configuration. */
  readonly order?: "shuffled" | "given";
  /**
   * Failures in a row after which an endpoint is not tried any more. Default unlimited. 0 = each may fail once, and one
   * that was lost is not tried again (nats.go's `MaxReconnect: 0`).
   */
  readonly maxAttemptsPerEndpoint?: number;
}

/** Shared by all links that never lost a member. */
const nothingGone: ReadonlyMap<string, number> = new Map();

/**
 * The endpoints of one link, in the order in which they will be tried. Immutable. A *round* tries every endpoint
 * once; the one that failed or was lost last goes to the back. Given endpoints are never deleted; discovered ones
 * go when the system stops naming them, except the one in use.
 */
export class EndpointSet {
  readonly candidates: readonly Candidate[];
  readonly #max: number;
  /** When endpoints that are gone were dialled: one that comes back must not be dialled too soon. */
  readonly #gone: ReadonlyMap<string, number>;

  private constructor(candidates: readonly Candidate[], max: number, gone: ReadonlyMap<string, number>) {
    this.candidates = candidates;
    this.#max = max;
    this.#gone = gone;
  }

  static of(given: readonly Endpoint[], options: EndpointSetOptions, random: Random): EndpointSet {
    const unique = [...new Map(given.map((endpoint) => [endpointId(endpoint), endpoint])).values()];
    const ordered = options.order === "given" ? unique : shuffled(random, unique);
    const max = options.maxAttemptsPerEndpoint ?? Number.POSITIVE_INFINITY;
    return new EndpointSet(
      ordered.map((endpoint) => fresh(endpoint, "given", undefined)),
      max,
      nothingGone,
    );
  }

  /** Next endpoint of this round; `undefined` when the round is over. */
  pick(): Candidate | undefined {
    return this.candidates.find((candidate) => !candidate.tried && !this.#spent(candidate));
  }

  /** True when every endpoint has used up its attempts. */
  get exhausted(): boolean {
    return this.candidates.every((candidate) => this.#spent(candidate));
  }

  startRound(): EndpointSet {
    return this.#map((candidate) => (candidate.tried ? { ...candidate, tried: false } : candidate));
  }

  /** Notes a dial: it counts as tried, and as failed until `succeeded` says otherwise. */
  dialled(id: string, nowMs: number): EndpointSet {
    return this.#update(id, (c) => ({ ...c, tried: true, dialledMs: nowMs, failures: c.failures + 1 }));
  }

  succeeded(id: string): EndpointSet {
    return this.#update(id, (c) => ({ ...c, failures: 0 }));
  }

  /** A connection to it ended: like a failure if no attempt is allowed after one. */
  lost(id: string): EndpointSet {
    const spent = this.#max === 0 ? this.#update(id, (c) => ({ ...c, failures: 1 })) : this;
    return spent.toBack(id);
  }

  /** Puts an endpoint behind all others and out of this round. */
  toBack(id: string): EndpointSet {
    const found = this.candidates.find((candidate) => candidate.id === id);
    if (found === undefined) return this;
    const others = this.candidates.filter((candidate) => candidate.id !== id);
    return new EndpointSet([...others, { ...found, tried: true }], this.#max, this.#gone);
  }

  /** Puts an endpoint in front of all others and into this round (a chooser's wish). */
  toFront(id: string): EndpointSet {
    const found = this.candidates.find((candidate) => candidate.id === id);
    if (found === undefined) return this;
    const others = this.candidates.filter((candidate) => candidate.id !== id);
    return new EndpointSet([{ ...found, tried: false }, ...others], this.#max, this.#gone);
  }

  /**
   * Merges what the system says of itself. An empty list changes nothing. New ones are shuffled in behind the first
   * candidate; a spent one that is named again may be tried again.
   */
  discover(named: readonly Endpoint[], currentId: string | undefined, random: Random): EndpointSet {
    if (named.length === 0) return this;
    const wanted = new Map(named.map((endpoint) => [endpointId(endpoint), endpoint]));
    const kept = this.candidates
      .filter((c) => c.origin === "given" || wanted.has(c.id) || c.id === currentId)
      .map((c) => (wanted.has(c.id) && this.#spent(c) ? { ...c, failures: 0 } : c));
    const known = new Set(kept.map((c) => c.id));
    const added = [...wanted]
      .filter(([id]) => !known.has(id))
      .map(([id, endpoint]) => fresh(endpoint, "discovered", this.#gone.get(id)));
    const gone = this.#remember(known, added);
    if (added.length === 0) return new EndpointSet(kept, this.#max, gone);
    const [first, ...rest] = kept;
    const behind = shuffled(random, [...rest, ...added]);
    return new EndpointSet(first === undefined ? behind : [first, ...behind], this.#max, gone);
  }

  /**
   * The owner gives other endpoints: all of these and no others, discovered ones neither. Those that stay keep their
   * history.
   */
  replace(given: readonly Endpoint[], order: "shuffled" | "given", random: Random): EndpointSet {
    const next = EndpointSet.of(given, { order }, random).candidates;
    const before = new Map(this.candidates.map((candidate) => [candidate.id, candidate]));
    const merged = next.map(({ id, endpoint }): Candidate => {
      const known = before.get(id);
      return known === undefined
        ? fresh(endpoint, "given", this.#gone.get(id))
        : { ...known, endpoint, origin: "given" };
    });
    const kept = new Set(merged.map(({ id }) => id));
    const added = merged.filter(({ id }) => !before.has(id));
    return new EndpointSet(merged, this.#max, this.#remember(kept, added));
  }

  #remember(kept: ReadonlySet<string>, added: readonly Candidate[]): ReadonlyMap<string, number> {
    const dropped = this.candidates.filter((c) => !kept.has(c.id) && c.dialledMs !== NEVER_MS);
    if (dropped.length === 0 && added.every((c) => c.dialledMs === NEVER_MS)) return this.#gone;
    const gone = new Map(this.#gone);
    for (const { id } of added) gone.delete(id);
    for (const { id, dialledMs } of dropped) gone.set(id, dialledMs);
    return new Map([...gone].slice(-MOST_REMEMBERED));
  }

  #spent(candidate: Candidate): boolean {
    return candidate.failures >= Math.max(1, this.#max);
  }

  #update(id: string, change: (candidate: Candidate) => Candidate): EndpointSet {
    return this.#map((candidate) => (candidate.id === id ? change(candidate) : candidate));
  }

  #map(change: (candidate: Candidate) => Candidate): EndpointSet {
    return new EndpointSet(this.candidates.map(change), this.#max, this.#gone);
  }
}

function fresh(endpoint: Endpoint, origin: Origin, dialledMs = NEVER_MS): Candidate {
  return {
    endpoint,
    id: endpointId(endpoint),
    origin,
    failures: 0,
    dialledMs,
    tried: false,
  };
}
