/** Which server a pool dials next, when it was given several. */
import { type Endpoint, endpointId } from "../endpoint/index.ts";
import type { LinkClass } from "../link/index.ts";
import { type Random, shuffled } from "../time/index.ts";

/** An endpoint that failed is tried after the others for this long, a little longer for some: fail-back is spread. */
const avoidMs = 5_000;

export class PoolEndpoints {
  readonly #endpoints: readonly Endpoint[];
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #avoidUntilMs: Map<string, number> = new Map();
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

  /** Those before this rank that have not failed of late, best first. */
  before(rank: number, nowMs: number): readonly Endpoint[] {
    const better = this.#endpoints.slice(0, rank);
    return better.filter((endpoint) => (this.#avoidUntilMs.get(endpointId(endpoint)) ?? 0) <= nowMs);
  }

  failed(endpoint: Endpoint, nowMs: number): void {
    this.#avoidUntilMs.set(endpointId(endpoint), nowMs + avoidMs * (1 + this.#random.next()));
  }

  worked(endpoint: Endpoint): void {
    this.#avoidUntilMs.delete(endpointId(endpoint));
  }

  /** Whether another endpoint may do what this error forbids here. */
  static elsewhere(linkClass: LinkClass): boolean {
    return linkClass === "endpoint" || linkClass === "transient";
  }
}
