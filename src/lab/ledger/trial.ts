/** A whole ledger trial of one link: steady writes through a storm, then the audit. */
import { systemClock } from "../../time/index.ts";
import { until } from "../servers/until.ts";
import { Ledger } from "./ledger.ts";
import type { StormFault, StormStep } from "./script.ts";
import { rest, type StormStage, storm } from "./storm.ts";
import type { Told } from "./told.ts";
import type { Verdict } from "./verdict.ts";
import { Workload } from "./workload.ts";

/** The link under trial, as far as the ledger needs it. */
export interface TrialLink {
  /** Applies this id once, through the link. */
  write(id: number): Promise<unknown>;
  /** What the server has, read past the link: id → how often it was applied. */
  audit(): Promise<ReadonlyMap<number, number>>;
  /** True while calls pass at once. */
  readonly ready: boolean;
  /** Calls back at each change of `ready`; returns what ends that. */
  onReady(changed: (ready: boolean) => void): () => void;
  isAnswer?(error: unknown): boolean;
}

export interface TrialOptions {
  readonly script: readonly StormStep[];
  readonly stage: StormStage;
  readonly link: TrialLink;
  /** Default 200. */
  readonly perSecond?: number;
  /** The stretch before the first fault, that gives the fault-free rate. Default 1,500 ms. */
  readonly calmFirstMs?: number;
  /** How soon after the end of a fault a new write must be acknowledged. Default 30,000 ms. */
  readonly healMs?: number;
  /** How soon after the last write everything must be settled. Default 40,000 ms. */
  readonly settleMs?: number;
  readonly signal?: AbortSignal;
  readonly onCut?: (fault: StormFault) => void;
  readonly onHealed?: (fault: StormFault, tookMs: number) => void;
  readonly onSettled?: (id: number, told: Told, error?: unknown) => void;
}

export interface TrialResult {
  readonly verdict: Verdict;
  /**
   * Of the writes begun between the faults the part that was acknowledged, over the same before the first fault; at
   * least 0.9 is wanted. Writes begin at one pace throughout, so this is how much of the fault-free rate came back,
   * without the unsteadiness of a machine that is slow for reasons of its own.
   */
  readonly share: number;
  /** From the end of each fault to the first acknowledgement of a write begun after it. */
  readonly healMs: readonly number[];
}

/** Runs it. Rejects when the link does not work again in time after a fault. */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const { script, stage, link, healMs = 30_000, settleMs = 40_000, signal } = options;
  const ledger = new Ledger();
  if (link.ready) ledger.linkReady();
  const off = link.onReady((ready) => (ready ? ledger.linkReady() : ledger.linkLost()));
  const { perSecond = 200, calmFirstMs = 1_500, onSettled } = options;
  const workload = new Workload({
    ledger,
    perSecond,
    write: (id) => link.write(id),
    ...(link.isAnswer && { isAnswer: (error: unknown) => link.isAnswer?.(error) ?? false }),
    ...(onSettled && { onSettled }),
  });
  const meter = new CalmMeter(ledger);
  const took: number[] = [];
  try {
    meter.begin();
    await rest(calmFirstMs, signal);
    await meter.end();
    const faultFree = meter.takePart();
    const watcher = {
      cut(fault: StormFault): void {
        ledger.cut(fault);
        options.onCut?.(fault);
      },
      async undone(fault: StormFault): Promise<void> {
        const sinceMs = systemClock.nowMs();
        await workload.nextAcknowledged(healMs);
        ledger.healed();
        const tookMs = systemClock.nowMs() - sinceMs;
        took.push(tookMs);
        options.onHealed?.(fault, tookMs);
      },
      calm: () => meter.begin(),
      calmOver: () => meter.end(),
    };
    await storm(script, stage, watcher, signal);
    workload.stop();
    await workload.settled(settleMs);
    const calm = meter.takePart();
    const verdict = ledger.audit(await link.audit());
    return { verdict, share: faultFree === 0 ? 0 : calm / faultFree, healMs: took };
  } finally {
    workload.stop();
    off();
  }
}

/** How long the last writes of a stretch may be on their way before the next fault hits. */
const lagMs = 1_000;

/** What part of the writes begun in stretches without faults was acknowledged. */
class CalmMeter {
  readonly #ledger: Ledger;
  #begun = 0;
  #acknowledged = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  begin(): void {
    this.#ledger.calmBegins();
  }

  /** Ends the stretch, once what it began is settled or has had its time. */
  async end(): Promise<void> {
    this.#ledger.calmCloses();
    await until("the last writes", lagMs, () => this.#ledger.calmOpen === 0).catch(() => {});
    const { begun, acknowledged } = this.#ledger.calmEnds();
    this.#begun += begun;
    this.#acknowledged += acknowledged;
  }

  /** The part so far; counts afresh from here. */
  takePart(): number {
    const part = this.#begun === 0 ? 0 : this.#acknowledged / this.#begun;
    this.#begun = 0;
    this.#acknowledged = 0;
    return part;
  }
}
