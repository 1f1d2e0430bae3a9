/** The interactive prompt: lines in, statements out, Ctrl-C and Ctrl-D, history. */
import { createInterface, type Interface } from "node:readline";
import { helpText, readCommand, statusText } from "./commands.ts";
import type { Database } from "./database.ts";
import type { Executor } from "./executor.ts";
import { Splitter } from "./splitter.ts";
import type { WaitingLine } from "./waiting-line.ts";

export interface PromptOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly waiting: WaitingLine;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Earlier lines, newest first. */
  readonly history: string[];
}

/** Node keeps a readline's history in a property that its types leave out. */
type WithHistory = Interface & { history: string[] };

export class Prompt {
  readonly #options: PromptOptions;
  readonly #splitter: Splitter;
  readonly #readline: WithHistory;
  /** Lines that came while a statement ran. */
  readonly #typedAhead: string[] = [];
  /** Lines of the statement being typed, to be one entry of the history. */
  #typed: string[] = [];
  #busy = false;
  #ended = false;

  constructor(options: PromptOptions) {
    this.#options = options;
    this.#splitter = new Splitter(options.database.dialect);
    const { input, output, history } = options;
    this.#readline = createInterface({
      input,
      output,
      terminal: true,
      history,
      historySize: 500,
    }) as WithHistory;
  }

  /** Newest first. */
  get history(): readonly string[] {
    return this.#readline.history;
  }

  /** Until the person leaves. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#readline.on("line", (line) => this.#line(line));
      this.#readline.on("SIGINT", () => this.#interrupted());
      this.#readline.on("close", () => {
        this.#ended = true;
        // A statement that runs is not awaited: who leaves does not want its result.
        this.#options.executor.stop();
        resolve();
      });
      this.#ask();
    });
  }

  #line(line: string): void {
    if (this.#busy) {
      this.#typedAhead.push(line);
      return;
    }
    this.#busy = true;
    void this.#obey(line).then(() => {
      this.#busy = false;
      const next = this.#typedAhead.shift();
      if (this.#ended) return;
      if (next === undefined) this.#ask();
      else this.#line(next);
    });
  }

  async #obey(line: string): Promise<void> {
    const command = this.#splitter.quoted
      ? undefined
      : readCommand(line, this.#splitter.fresh, this.#options.database);
    if (command === undefined) return this.#sql(line);
    switch (command.kind) {
      case "quit":
        return this.#readline.close();
      case "help":
        return void this.#say(helpText);
      case "status":
        return void this.#say(statusText(this.#options.database));
      case "clear":
        this.#forget();
        return;
      case "unknown":
        return void this.#say(`${command.text}\n`);
      case "statement":
        return this.#execute(command.text, false);
    }
  }

  async #sql(line: string): Promise<void> {
    this.#typed.push(line);
    const statements = this.#splitter.push(line);
    if (this.#splitter.fresh) this.#remember();
    for (const { text, upright } of statements) await this.#execute(text, upright);
  }

  async #execute(text: string, upright: boolean): Promise<void> {
    this.#options.waiting.start();
    await this.#options.executor.run(text, upright ? "upright" : undefined);
    this.#options.waiting.stop();
  }

  /** Several lines of one statement are one entry, as they were one thought. */
  #remember(): void {
    const lines = this.#typed;
    this.#typed = [];
    if (lines.length < 2) return;
    const { history } = this.#readline;
    if (history.length < lines.length) return;
    history.splice(
      0,
      lines.filter((line) => line.trim() !== "").length,
      lines.map((line) => line.trim()).join(" "),
    );
  }

  #forget(): void {
    this.#splitter.clear();
    this.#typed = [];
  }

  #interrupted(): void {
    if (this.#busy) return this.#options.executor.stop();
    this.#forget();
    this.#say("^C\n");
    this.#ask();
  }

  #ask(): void {
    const { product, current } = this.#options.database;
    const { fresh, open } = this.#splitter;
    const name = `${product} [${current ?? "(none)"}]> `;
    const more = open === "" ? "    -> " : `    ${open}> `;
    this.#readline.setPrompt(fresh ? name : more.padStart(Math.min(name.length, 24)));
    this.#readline.prompt();
  }

  #say(text: string): void {
    this.#options.output.write(text);
  }
}
