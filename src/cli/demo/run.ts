/** The demo's course: links up, a steady workload, the storm, the settling, the judgement, everything down again. */
import { reasonOf } from "../../call/index.ts";
import { ServerUnavailable, strike, type Verdict } from "../../lab/index.ts";
import type { ResilienceOptions } from "../../options/index.ts";
import type { Clock } from "../../time/index.ts";
import { LinkBook, type LinkFacts } from "./book.ts";
import type { EventLine } from "./events.ts";
import type { DemoKind, DemoLink } from "./link.ts";
import { type Act, labelOf, planStorm } from "./storm.ts";
import { span } from "./text.ts";
import type { Mood } from "./told.ts";
import { wait } from "./wait.ts";

export interface DemoSettings {
  readonly seconds: number;
  readonly seed: number;
  readonly storm: boolean;
  readonly kinds: readonly DemoKind[];
  /** Names of those without which the demo does not run at all. */
  readonly required: readonly string[];
  /** Whether missing servers may be installed on this machine. Default: only fetched into the project's cache. */
  readonly install?: boolean;
  readonly clock: Clock;
  /** By then every write is settled after the last one, or never will be. Default 15,000. */
  readonly settleMs?: number;
  /** Ends it early: what is open is still settled and judged. */
  readonly signal: AbortSignal;
}

/** Who watches: the live view, or lines of text. */
export interface DemoAudience {
  /** Before the clock runs: what is being started, fetched, missing. */
  progress(line: string): void;
  started(demo: DemoState): void;
  event(line: EventLine): void;
}

/** The demo as it stands, for the view. */
export interface DemoState {
  readonly seed: number;
  readonly totalMs: number;
  readonly acts: readonly Act[];
  readonly missing: readonly Missing[];
  elapsedMs(): number;
  /** What is going on: the fault in force, or what else. */
  stage(): Stage;
  links(): readonly LinkFacts[];
}

export interface Stage {
  readonly act: Act | undefined;
  readonly text: string;
  /** How much longer, where that is known. */
  readonly leftMs: number | undefined;
}

/** A link that can't run here, and how to get what it needs. */
export interface Missing {
  readonly name: string;
  readonly reason: string;
  readonly ways: readonly string[];
  /** It is here and did not start: no reason to stop the others, but nothing to pass over either. */
  readonly broken?: true;
}

export interface DemoResult {
  readonly interrupted: boolean;
  readonly ranMs: number;
  readonly missing: readonly Missing[];
  readonly links: readonly { readonly facts: LinkFacts; readonly verdict: Verdict }[];
}

/** Longer than an outage of the storm, so that what waits for the server's return is not given up. */
const WRITE_DEADLINE_MS = 2_000;
const SETTLE_MS = 15_000;

/** A fault that is over at once is shown for so long. */
const READABLE_MS = 1_000;

/** A storm every few seconds is no outage of minutes: back-off stays short, and a second of calm counts as stable. */
const resilience: ResilienceOptions = {
  backoff: { capMs: 500 },
  stableAfterMs: 1_000,
  connectTimeoutMs: 1_000,
  restoreTimeoutMs: 1_000,
};

/** Runs it whole. Whatever happens, no server, socket or timer is left. */
export async function runDemo(settings: DemoSettings, audience: DemoAudience): Promise<DemoResult> {
  const { started, missing } = await startLinks(settings, audience);
  try {
    const runs = started.length > 0 && !missing.some(({ name }) => settings.required.includes(name));
    const demo = new Demo(settings, audience, runs ? started : [], missing);
    if (runs) await demo.run();
    return await demo.result();
  } finally {
    await Promise.all(started.map(({ link }) => link.stop()));
  }
}

interface Started {
  readonly kind: DemoKind;
  readonly link: DemoLink;
}

async function startLinks(
  { kinds, seed, install }: DemoSettings,
  audience: DemoAudience,
): Promise<{ started: Started[]; missing: Missing[] }> {
  const terms = { seed, resilience, writeDeadlineMs: WRITE_DEADLINE_MS };
  const results = await Promise.allSettled(
    kinds.map((kind) => {
      const progress = (line: string): void => audience.progress(`${kind.name}: ${line}`);
      return kind.start({ ...terms, acquire: { progress, ...(install && { get: "install" }) } });
    }),
  );
  const started: Started[] = [];
  const missing: Missing[] = [];
  for (const [i, result] of results.entries()) {
    const kind = kinds[i] as DemoKind;
    if (result.status === "fulfilled") started.push({ kind, link: result.value });
    else missing.push(missingOf(kind.name, result.reason));
  }
  return { started, missing };
}

function missingOf(name: string, error: unknown): Missing {
  if (!(error instanceof ServerUnavailable)) return { name, reason: reasonOf(error), ways: [], broken: true };
  const reason = error.details?.reason;
  return { name, reason: typeof reason === "string" ? reason : reasonOf(error), ways: error.ways };
}

class Demo implements DemoState {
  readonly seed: number;
  readonly totalMs: number;
  readonly acts: readonly Act[];
  readonly missing: readonly Missing[];
  readonly #settings: DemoSettings;
  readonly #audience: DemoAudience;
  readonly #books: readonly LinkBook[];
  readonly #startMs: number;
  #act: Act | undefined;
  #next = 0;
  #settling = false;
  #actEndMs = 0;
  #shownUntilMs = 0;

  constructor(
    settings: DemoSettings,
    audience: DemoAudience,
    started: readonly Started[],
    missing: readonly Missing[],
  ) {
    const { clock, seed, seconds, storm } = settings;
    this.#settings = settings;
    this.#audience = audience;
    this.#startMs = clock.nowMs();
    this.seed = seed;
    this.totalMs = seconds * 1000;
    this.acts = storm ? planStorm(this.totalMs, seed) : [];
    this.missing = missing;
    this.#books = started.map(
      ({ kind, link }) =>
        new LinkBook(kind.name, link, clock, (text, mood) => this.#tell(kind.name, text, mood)),
    );
  }

  elapsedMs(): number {
    return this.#settings.clock.nowMs() - this.#startMs;
  }

  links(): readonly LinkFacts[] {
    return this.#books.map((book) => book.facts());
  }

  stage(): Stage {
    if (this.#settling) return { act: undefined, text: "settling what is open", leftMs: undefined };
    const nowMs = this.elapsedMs();
    const act = this.#act ?? (nowMs < this.#shownUntilMs ? this.acts[this.#next - 1] : undefined);
    if (act !== undefined) {
      const leftMs = act.durationMs === 0 ? undefined : Math.max(0, this.#actEndMs - nowMs);
      return { act, text: labelOf(act.fault), leftMs };
    }
    const recovering = this.#books.filter(({ link }) => link.resilience.snapshot().phase !== "ready");
    if (recovering.length > 0) {
      const who = recovering.map(({ driver }) => driver).join(", ");
      return { act, text: `the fault is over; not back yet: ${who}`, leftMs: undefined };
    }
    const next = this.acts[this.#next];
    if (next === undefined) return { act, text: "calm", leftMs: Math.max(0, this.totalMs - nowMs) };
    return { act, text: "calm before the next fault", leftMs: Math.max(0, next.atMs - nowMs) };
  }

  /** The whole time, or until interrupted; then until every write is settled. */
  async run(): Promise<void> {
    const { clock, signal, settleMs = SETTLE_MS } = this.#settings;
    this.#audience.started(this);
    for (const { driver, server } of this.links()) this.#tell(driver, `connected to ${server}`, "good");
    for (const act of this.acts) {
      await wait(clock, act.atMs - this.elapsedMs(), signal);
      if (signal.aborted) break;
      await this.#play(act);
      this.#next++;
    }
    await wait(clock, this.totalMs - this.elapsedMs(), signal);
    this.#settling = true;
    await Promise.all(this.#books.map((book) => book.finish(settleMs)));
  }

  async result(): Promise<DemoResult> {
    const ranMs = this.elapsedMs();
    const links = await Promise.all(
      this.#books.map(async (book) => {
        const verdict = await book.audit();
        return { facts: book.facts(), verdict };
      }),
    );
    return { interrupted: this.#settings.signal.aborted, ranMs, missing: this.missing, links };
  }

  async #play(act: Act): Promise<void> {
    const { clock, signal } = this.#settings;
    const lasting = act.durationMs > 0 ? ` for ${span(act.durationMs)}` : "";
    this.#act = act;
    this.#actEndMs = this.elapsedMs() + act.durationMs;
    this.#shownUntilMs = this.elapsedMs() + READABLE_MS;
    this.#tell("storm", `${labelOf(act.fault)}${lasting}`, "bad");
    for (const book of this.#books) book.cut(act.fault);
    const undos = await Promise.all(this.#books.map(({ link }) => strike(act.fault, link)));
    await wait(clock, act.durationMs, signal);
    await Promise.all(undos.map((undo) => undo()));
    for (const book of this.#books) book.uncut();
    this.#act = undefined;
    if (lasting !== "") this.#tell("storm", "over", "good");
    await Promise.all(this.#books.map((book) => this.#check(book)));
  }

  async #check(book: LinkBook): Promise<void> {
    try {
      await book.check();
    } catch (error) {
      // No verdict yet: that is the last question's affair.
      this.#tell(book.driver, `its server could not be asked: ${reasonOf(error)}`, "bad");
    }
  }

  #tell(who: string, text: string, mood: Mood): void {
    this.#audience.event({ atMs: this.elapsedMs(), who, text, mood });
  }
}
