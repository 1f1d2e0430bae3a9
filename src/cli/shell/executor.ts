/** Runs one statement after the other for the prompt and for batches, and says what became of each. */
import { isHoldfastError } from "../../call/index.ts";
import type { Clock } from "../../time/index.ts";
import type { Database } from "./database.ts";
import { News } from "./news.ts";
import { type Format, resultText } from "./result-text.ts";

export interface ExecutorOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Results. */
  readonly output: { write(text: string): unknown };
  /** Errors and news of the connection. */
  readonly errors: { write(text: string): unknown };
  readonly format: Format;
  /** Called before anything is written, so that a line drawn in place can go. */
  readonly beforeWriting?: () => void;
}

/** Thrown into a statement whose wait was stopped by Ctrl-C. */
export class Stopped extends Error {
  constructor() {
    super("stopped");
  }
}

export class Executor {
  readonly #options: ExecutorOptions;
  readonly #news: News;
  #running: AbortController | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#news = new News(options.database, { write: (text) => this.#complain(text) });
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** @returns whether it succeeded */
  async run(statement: string, format: Format = this.#options.format): Promise<boolean> {
    const { database, clock } = this.#options;
    const running = new AbortController();
    this.#running = running;
    this.#news.begin();
    try {
      const startMs = clock.nowMs();
      const results = await database.run(statement, running.signal);
      const tookMs = clock.nowMs() - startMs;
      for (const result of results) this.#write(resultText(result, format, tookMs));
      return true;
    } catch (error) {
      this.#complain(this.#errorText(error));
      return false;
    } finally {
      this.#running = undefined;
      this.#news.end();
    }
  }

  /** Ctrl-C: a statement that still waits is withdrawn; one that runs is stopped by the server. */
  stop(): void {
    if (this.#running === undefined) return;
    const { database } = this.#options;
    if (database.resilience.snapshot().phase === "ready") void database.interrupt().catch(() => {});
    else this.#running.abort(new Stopped());
  }

  end(): void {
    this.#news.stop();
  }

  #errorText(error: unknown): string {
    if (error instanceof Stopped) return "Stopped waiting. The statement was not sent.\n\n";
    const { database } = this.#options;
    if (!isHoldfastError(error)) return `${database.errorText(error)}\n\n`;
    if (error.outcome === "maybe-applied") {
      return `${error.message}\nThe statement was sent and its answer is lost: it may have been applied. It was not sent again.\n\n`;
    }
    const sent = error.outcome === "not-applied" ? "\nThe statement was not applied." : "";
    return `ERROR: ${error.message}${sent}\n\n`;
  }

  #write(text: string): void {
    this.#options.beforeWriting?.();
    this.#options.output.write(text);
  }

  #complain(text: string): void {
    this.#options.beforeWriting?.();
    this.#options.errors.write(text);
  }
}
