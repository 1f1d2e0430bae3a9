import { Ledger, type Told, type Verdict, Workload } from "../../lab/index.ts";
import type { LinkSnapshot } from "../../link/index.ts";
import { explain } from "../../observe/index.ts";
import type { Clock } from "../../time/index.ts";
import type { DemoLink } from "./link.ts";
import { type Mood, tellEvents } from "./told.ts";

/** Writes a second, on each link. */
export const RATE_PER_SECOND = 100;
/** The acknowledgements of so many ms are counted together. */
export const BUCKET_MS = 100;

/** One link as the view and the report show it. */
export interface LinkFacts {
  readonly driver: string;
  readonly server: string;
  readonly snapshot: LinkSnapshot;
  readonly explain: string;
  readonly lastEvent: string;
  readonly sent: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly notApplied: number;
  /** As the server said when it was last asked; `undefined` before. */
  readonly lost: number | undefined;
  readonly duplicated: number | undefined;
  /** Acknowledgements per `BUCKET_MS` since the start. */
  readonly acknowledgedPer: readonly number[];
  /** How long each loss lasted, from noticing it to ready. */
  readonly recoveriesMs: readonly number[];
}

/** A link under observation: what it was asked to write, what it was told, what it said, what its server has. */
export class LinkBook {
  readonly driver: string;
  readonly link: DemoLink;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #ledger: Ledger = new Ledger();
  readonly #workload: Workload;
  readonly #acknowledged: number[] = [];
  readonly #acknowledgedPer: number[] = [];
  readonly #recoveriesMs: number[] = [];
  #lastEvent = "connected";
  #healedFrom = Number.POSITIVE_INFINITY;
  #lost: number | undefined;
  #duplicated: number | undefined;

  /** Begins to write at once. */
  constructor(driver: string, link: DemoLink, clock: Clock, tell: (line: string, mood: Mood) => void) {
    this.driver = driver;
    this.link = link;
    this.#clock = clock;
    this.#startMs = clock.nowMs();
    const { resilience } = link;
    if (resilience.snapshot().phase === "ready") this.#ledger.linkReady();
    resilience.on("state", ({ to }) => (to === "ready" ? this.#ledger.linkReady() : this.#ledger.linkLost()));
    resilience.on("reconnected", ({ downMs }) => void this.#recoveriesMs.push(downMs));
    tellEvents(resilience, (line, mood) => {
      this.#lastEvent = line;
      tell(line, mood);
    });
    this.#workload = new Workload({
      ledger: this.#ledger,
      perSecond: RATE_PER_SECOND,
      write: (id) => link.write(id),
      isAnswer: (error) => link.isAnswer(error),
      onSettled: (id, told) => this.#settled(id, told),
    });
  }

  /** A fault begins. */
  cut(label: string): void {
    this.#healedFrom = Number.POSITIVE_INFINITY;
    this.#ledger.cut(label);
  }

  /** The fault is over; it has healed when a write begun from now on is acknowledged. */
  uncut(): void {
    this.#healedFrom = this.#ledger.sent + 1;
  }

  /** Writes nothing more. Resolves when every write is settled, or at the deadline. */
  async finish(deadlineMs: number): Promise<void> {
    this.#workload.stop();
    await this.#workload.settled(deadlineMs);
  }

  /** Asks the server while the link works: is everything there that was acknowledged before asking, and once? */
  async check(): Promise<void> {
    const asked = this.#acknowledged.length;
    const applied = await this.link.applied();
    this.#lost = this.#acknowledged.slice(0, asked).filter((id) => !applied.has(id)).length;
    this.#duplicated = [...applied.values()].filter((times) => times > 1).length;
  }

  /** The judgement, when nothing is written any more. */
  async audit(): Promise<Verdict> {
    const verdict = this.#ledger.audit(await this.link.applied());
    this.#lost = verdict.lost.length;
    this.#duplicated = verdict.duplicated.length;
    return verdict;
  }

  facts(): LinkFacts {
    const snapshot = this.link.resilience.snapshot();
    const { sent, told } = this.#ledger;
    return {
      driver: this.driver,
      server: this.link.serverName,
      snapshot,
      explain: explain(snapshot),
      lastEvent: this.#lastEvent,
      sent,
      acknowledged: told.acknowledged,
      unknown: told["maybe-applied"] + told.untold,
      notApplied: told["not-applied"] + told.answered,
      lost: this.#lost,
      duplicated: this.#duplicated,
      acknowledgedPer: this.#acknowledgedPer,
      recoveriesMs: this.#recoveriesMs,
    };
  }

  #settled(id: number, told: Told): void {
    if (told !== "acknowledged") return;
    this.#acknowledged.push(id);
    const bucket = Math.floor((this.#clock.nowMs() - this.#startMs) / BUCKET_MS);
    while (this.#acknowledgedPer.length <= bucket) this.#acknowledgedPer.push(0);
    this.#acknowledgedPer[bucket]! += 1;
    if (id < this.#healedFrom) return;
    this.#healedFrom = Number.POSITIVE_INFINITY;
    this.#ledger.healed();
  }
}
