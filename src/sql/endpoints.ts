/** Which server a pool dials next, when it was given several. */
import { type Endpoint, endpointId } from "../endpoint/index.ts";
import type { LinkClass } from "../link/index.ts";
import { type Random, shuffled } from "../time/index.ts";

/** An endpoint that failed is tried after the others for this long, a little longer for some: fail-back is spread. */
const avoidMs = 5_000;

/** One that refused a write is only worth another try when no other is left, or a look has found it to be primary. */
const refusedMs = 300_000;

export class PoolEndpoints {
  readonly #endpoints: readonly Endpoint[];
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #avoidUntilMs: Map<string, number> = new Map();
  /** They refused a write: that they can be reached says nothing for them. */
  readonly #refusers: Set<string> = new Set();
  readonly #random: Random;

  /** @param order `given`: the first that works is preferred; `shuffled`: a fleet spreads over all */
  constructor(endpoints: readonly Endpoint[], order: "given" | "shuffled", random: Random) {
    this.#endpoints = order === "given" ? endpoints : shuffled(random, endpoints);
    this.#ranks = new Map(this.#endpoints.map((endpoint, i) => [endpointId(endpoint), i]));
    this.#random = random;
  }

  /** Every endpoint once, the one to dial first at the head. */
  inOrder(nowMs: number): readonly Endpoint[] {
    if (this.#endpoints.length === 1) return this.#endpoints;
    const until = (endpoint: Endpoint): number => {
      const avoid = this.#avoidUntilMs.get(endpointId(endpoint)) ?? 0;
      return avoid > nowMs ? avoid : 0;
    };
    return [...this.#endpoints].sort((a, b) => until(a) - until(b));
  }

  /** 0 for the one that is preferred when all work. */
  rank(endpoint: Endpoint): number {
    return this.#ranks.get(endpointId(endpoint)) ?? 0;
  }

  /** Those before this rank that are worth a look, best first. */
  before(rank: number, nowMs: number): readonly Endpoint[] {
    return this.#endpoints.slice(0, rank).filter((endpoint) => {
      const id = endpointId(endpoint);
      return this.#refusers.has(id) || (this.#avoidUntilMs.get(id) ?? 0) <= nowMs;
    });
  }

  failed(endpoint: Endpoint, nowMs: number): void {
    if (!this.hasRefused(endpoint)) this.#avoid(endpoint, nowMs, avoidMs);
  }

  /** It refused a write. */
  refused(endpoint: Endpoint, nowMs: number): void {
    this.#refusers.add(endpointId(endpoint));
    this.#avoid(endpoint, nowMs, refusedMs);
  }

  hasRefused(endpoint: Endpoint): boolean {
    return this.#refusers.has(endpointId(endpoint));
  }

  /** @param asPrimary it said that it takes writes */
  worked(endpoint: Endpoint, asPrimary: boolean): void {
    const id = endpointId(endpoint);
    if (asPrimary) this.#refusers.delete(id);
    if (!this.#refusers.has(id)) this.#avoidUntilMs.delete(id);
  }

  #avoid(endpoint: Endpoint, nowMs: number, leastMs: number): void {
    this.#avoidUntilMs.set(endpointId(endpoint), nowMs + leastMs * (1 + this.#random.next()));
  }

  /** Whether another endpoint may do what this error forbids here. */
  static elsewhere(linkClass: LinkClass): boolean {
    return linkClass === "endpoint" || linkClass === "transient";
  }
}
