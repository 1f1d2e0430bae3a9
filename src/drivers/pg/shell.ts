/**
 * The shell: a real instance of the library's client that is never connected. Every query of the library ends up in the
 * client's queue, and from there it goes to a link or a pool instead of a socket. Promises, callbacks, query objects,
 * cursors and whatever is built on the class are the library's own code.
 */
import { factsOf, textOf } from "./facts.ts";
import { Job } from "./job.ts";
import { isLibraryQuery, type LibraryQuery, library, type Submittable } from "./library.ts";
import { readStatementOptions, type StatementResilience } from "./options.ts";
import type { Ears, Physical } from "./physical.ts";

/** Where a shell's work goes. */
export interface ShellCore {
  readonly callDeadlineMs: number | undefined;
  /** The connection in use, if any. */
  readonly physical: Physical | undefined;
  /** The server takes backslashes in strings for what they are by default. */
  readonly escapesKnown: boolean;
  /** Texts of named queries: the library wants them only the first time, a new connection does again. */
  readonly names: Map<string, string>;
  submit(job: Job): void;
}

const nothing: StatementResilience = {};
const mostNames = 10_000;

export class ShellClient extends library.Client implements Ears {
  #core: ShellCore | undefined;
  /** What the query under way declares, while the library's `query` runs. */
  #declared: StatementResilience = nothing;

  /** Gives the shell its work to do. */
  attach(core: ShellCore): void {
    // Ours is the deadline: the library's leaves the connection to the next with an answer under way.
    this.connectionParameters.query_timeout = 0;
    this.#core = core;
  }

  override query(config: unknown, values?: unknown, callback?: unknown): unknown {
    if (typeof config !== "object" || config === null || "submit" in config) {
      return super.query(config, values, callback);
    }
    if (!("resilience" in config) && !("query_timeout" in config))
      return super.query(config, values, callback);
    const { resilience, query_timeout: timeout, ...own } = config as Record<string, unknown>;
    const declared = resilience === undefined ? nothing : readStatementOptions(resilience);
    const deadlineMs = declared.deadlineMs ?? (Number(timeout) || undefined);
    this.#declared = { ...declared, ...(deadlineMs !== undefined && { deadlineMs }) };
    try {
      return super.query(own, values, callback);
    } finally {
      this.#declared = nothing;
    }
  }

  override _pulseQueryQueue(): void {
    for (let query = this._queryQueue.shift(); query !== undefined; query = this._queryQueue.shift()) {
      this.#forward(query);
    }
  }

  #forward(query: Submittable): void {
    const core = this.#core;
    if (core === undefined) return;
    if (isLibraryQuery(query) && query.name) remember(query, core.names);
    const { effect, deadlineMs = core.callDeadlineMs, signal } = this.#declared;
    const text = textOf(query);
    const facts = factsOf(text, effect, core.escapesKnown);
    core.submit(new Job(query, text ?? "", facts, deadlineMs, signal));
  }

  notification(message: unknown): void {
    this.emit("notification", message);
  }

  notice(message: unknown): void {
    this.emit("notice", message);
  }

  drain(): void {
    this.emit("drain");
  }

  override getTransactionStatus(): string | null {
    return this.#core?.physical?.wire.getTransactionStatus() ?? null;
  }

  override ref(): void {
    this.#core?.physical?.wire.ref();
  }

  override unref(): void {
    this.#core?.physical?.wire.unref();
  }

  /** What the library keeps of a connection on the client itself. */
  show({ wire }: Physical): void {
    this.processID = wire.processID;
    this.secretKey = wire.secretKey;
  }
}

function remember(query: LibraryQuery, names: Map<string, string>): void {
  const name = query.name as string;
  if (typeof query.text === "string") {
    if (names.size >= mostNames) names.clear();
    names.set(name, query.text);
  } else query.text = names.get(name) ?? query.text;
}
