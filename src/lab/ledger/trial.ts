/** A whole ledger trial of one link: steady writes through a storm, then the audit. */
import { systemClock, type Timer } from "../../time/index.ts";
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
  /** Acknowledged per second before the first fault. */
  readonly faultFreeRate: number;
  /** Acknowledged per second between the faults. */
  readonly calmRate: number;
  /** `calmRate / faultFreeRate`; at least 0.9 is wanted. */
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
    meter.begin(calmFirstMs);
    await rest(calmFirstMs, signal);
    meter.end();
    const faultFreeRate = meter.takeRate();
    const watcher = {
      cut(fault: StormFault): void {
        meter.end();
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
      calm: (ms: number) => meter.begin(ms),
    };
    await storm(script, stage, watcher, signal);
    meter.end();
    workload.stop();
    await workload.settled(settleMs);
    const calmRate = meter.takeRate();
    const verdict = ledger.audit(await link.audit());
    const share = faultFreeRate === 0 ? 0 : calmRate / faultFreeRate;
    return { verdict, faultFreeRate, calmRate, share, healMs: took };
  } finally {
    meter.end();
    workload.stop();
    off();
  }
}

/** A write begun this late in a stretch is not counted: it may rightly be on its way when the next fault hits. */
const lagMs = 100;

/** Acknowledgements per second over stretches without faults. */
class CalmMeter {
  readonly #ledger: Ledger;
  #sinceMs: number | undefined;
  #closedMs: number | undefined;
  #timer: Timer | undefined;
  #ms = 0;
  #acknowledged = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  begin(lengthMs: number): void {
    this.#sinceMs = systemClock.nowMs();
    this.#closedMs = undefined;
    this.#ledger.calmBegins();
    this.#timer = systemClock.setTimer(Math.max(lengthMs / 2, lengthMs - lagMs), () => this.#close());
  }

  end(): void {
    if (this.#sinceMs === undefined) return;
    this.#close();
    this.#ms += (this.#closedMs as number) - this.#sinceMs;
    this.#sinceMs = undefined;
    this.#acknowledged += this.#ledger.calmEnds().acknowledged;
  }

  /** The rate so far; counts afresh from here. */
  takeRate(): number {
    const rate = this.#ms === 0 ? 0 : (this.#acknowledged * 1_000) / this.#ms;
    this.#ms = 0;
    this.#acknowledged = 0;
    return rate;
  }

  #close(): void {
    this.#timer?.cancel();
    this.#closedMs ??= systemClock.nowMs();
    this.#ledger.calmCloses();
  }
}
