/**
 * Tells a person at the prompt what happened to the connection, in the words of the server's own command line, when
 * the next statement is asked for and not before: a message in the middle of a half-typed line helps nobody.
 */
import type { Database } from "./database.ts";

export interface NewsOutput {
  /** What the mysql command line prints on standard output or error; both end on the person's screen. */
  write(text: string): void;
}

export class News {
  readonly #database: Database;
  readonly #output: NewsOutput;
  readonly #off: (() => void)[];
  /** Lost, and the person has not been told. */
  #untold = false;
  /** Told that the connection is being made again; the new connection's number must follow. */
  #told = false;
  #running = false;

  constructor(database: Database, output: NewsOutput) {
    this.#database = database;
    this.#output = output;
    const { resilience } = database;
    this.#off = [
      resilience.on("disconnected", () => this.#lost()),
      resilience.on("reconnected", () => this.#restored()),
    ];
  }

  /** A statement is about to be sent. */
  begin(): void {
    this.#running = true;
    if (this.#untold) this.#tell(this.#database.gone);
    if (this.#database.resilience.snapshot().phase === "ready") this.#restored();
  }

  end(): void {
    this.#running = false;
  }

  stop(): void {
    for (const off of this.#off) off();
  }

  #lost(): void {
    if (!this.#running) this.#untold = true;
    else if (!this.#told) this.#tell(this.#database.lostDuring);
  }

  #tell(what: string): void {
    this.#untold = false;
    this.#told = true;
    this.#output.write(`${what}\nNo connection. Trying to reconnect...\n`);
  }

  #restored(): void {
    // Between statements a line is being typed: the next one tells it.
    if (!this.#told || !this.#running) return;
    this.#told = false;
    const { connectionId, current } = this.#database;
    this.#output.write(
      `Connection id:    ${connectionId ?? "unknown"}\nCurrent database: ${current ?? "*** NONE ***"}\n\n`,
    );
  }
}
