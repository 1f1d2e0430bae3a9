/** Runs the cases on one driver, one after the other, and collects what happened. */
import { reasonOf } from "../../call/index.ts";
import { systemClock } from "../../time/index.ts";
import { until } from "../servers/until.ts";
import type { ConformanceCase } from "./case.ts";
import { allCases } from "./cases/index.ts";
import { CaseContext, Servers, within } from "./context.ts";
import { type ConformanceTarget, Skip } from "./target.ts";

export interface CaseResult {
  readonly name: string;
  /** What the case proves for this driver. */
  readonly items: readonly string[];
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason?: string;
  readonly tookMs: number;
}

export interface SuiteResult {
  readonly driver: string;
  readonly server: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cases: readonly CaseResult[];
}

export interface SuiteOptions {
  /** Default: every case. */
  readonly cases?: readonly ConformanceCase[];
  readonly onResult?: (result: CaseResult) => void;
}

const caseDeadlineMs = 20_000;
/** While we look for timers, our own waiting is one. */
const ownTimers = 1;

/** A run of the suite on one driver. Disposing it ends the servers. */
export class ConformanceRun implements AsyncDisposable {
  readonly target: ConformanceTarget;
  /** The server's name and version. */
  readonly server: string;
  readonly results: CaseResult[] = [];
  readonly #servers: Servers;

  private constructor(target: ConformanceTarget, servers: Servers, server: string) {
    this.target = target;
    this.#servers = servers;
    this.server = server;
  }

  /** Starts the driver's server. Rejects with `ServerUnavailable` where it can't be had. */
  static async start(target: ConformanceTarget): Promise<ConformanceRun> {
    const servers = new Servers(target);
    const { description } = await servers.get(0);
    return new ConformanceRun(target, servers, description);
  }

  /** What a case proves when this driver passes it. */
  itemsOf({ items = [] }: ConformanceCase): readonly string[] {
    return items.filter((item) => this.target.proves.some((source) => belongs(item, source)));
  }

  /** Why this driver skips the case; `undefined` when it runs. */
  lackFor({ needs }: ConformanceCase): string | undefined {
    return needs === undefined ? undefined : this.target.lacks[needs];
  }

  /** Runs one case; never rejects. */
  async run(one: ConformanceCase): Promise<CaseResult> {
    const startMs = systemClock.nowMs();
    const [status, reason] = await this.#outcome(one);
    const result = {
      name: one.name,
      items: this.itemsOf(one),
      status,
      ...(reason !== undefined && { reason }),
      tookMs: Math.round(systemClock.nowMs() - startMs),
    };
    this.results.push(result);
    return result;
  }

  get summary(): SuiteResult {
    const count = (status: CaseResult["status"]): number =>
      this.results.filter((one) => one.status === status).length;
    return {
      driver: this.target.driver,
      server: this.server,
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
      cases: this.results,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#servers[Symbol.asyncDispose]();
  }

  async #outcome(one: ConformanceCase): Promise<[CaseResult["status"], string?]> {
    const lack = this.lackFor(one);
    if (lack !== undefined) return ["skipped", lack];
    const before = timers();
    let context: CaseContext | undefined;
    try {
      context = await CaseContext.start(this.target, this.#servers);
      await within(`the case "${one.name}"`, one.deadlineMs ?? caseDeadlineMs, one.run(context));
      await context.end();
      await context.discard();
      await until("no timer left", 3_000, () => timers() <= before + ownTimers);
      return ["passed"];
    } catch (error) {
      return error instanceof Skip ? ["skipped", error.message] : ["failed", reasonOf(error)];
    } finally {
      await context?.discard();
    }
  }
}

/** Runs the whole suite. Rejects only when the server can't be had (`ServerUnavailable`). */
export async function runConformance(
  target: ConformanceTarget,
  options: SuiteOptions = {},
): Promise<SuiteResult> {
  await using run = await ConformanceRun.start(target);
  for (const one of options.cases ?? allCases) {
    const result = await run.run(one);
    options.onResult?.(result);
  }
  return run.summary;
}

/** `R2` belongs to `R`, `[mariadb-redis 38]` to `mariadb-redis`. */
function belongs(item: string, source: string): boolean {
  return item.startsWith("[") ? item.startsWith(`[${source} `) : item.charAt(0) === source;
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}
