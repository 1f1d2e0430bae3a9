/** Cuts what is typed into statements: at `;`, `\g` and `\G` outside quotes and comments. */

export interface Piece {
  readonly text: string;
  /** Ended with `\G`. */
  readonly upright: boolean;
}

/** What is open at the end of a line: a quote, a comment, a dollar tag, or nothing. */
type Open = "" | "'" | '"' | "`" | "/*" | `$${string}`;

export class Splitter {
  readonly #mysql: boolean;
  #text = "";
  #open: Open = "";
  /** PostgreSQL's comments nest. */
  #depth = 0;
  /** A backslash hides the next character of the open string. */
  #escapes = false;

  constructor(dialect: "mysql" | "postgres") {
    this.#mysql = dialect === "mysql";
  }

  /** No statement has been begun. */
  get fresh(): boolean {
    return this.#text.trim() === "";
  }

  /** The end of the last line was inside a quote or comment. */
  get quoted(): boolean {
    return this.#open !== "";
  }

  get open(): string {
    return this.#open;
  }

  clear(): void {
    this.#text = "";
    this.#open = "";
    this.#depth = 0;
  }

  /** Takes one line; returns the statements it completes. */
  push(line: string): Piece[] {
    const pieces: Piece[] = [];
    let at = 0;
    let from = 0;
    const finish = (end: number, next: number, upright: boolean): void => {
      const text = (this.#text + line.slice(from, end)).trim();
      if (text !== "") pieces.push({ text, upright });
      this.#text = "";
      from = next;
      at = next;
    };
    while (at < line.length) {
      if (this.#open !== "") {
        at = this.#inside(line, at);
        continue;
      }
      const two = line.slice(at, at + 2);
      if (line[at] === ";") finish(at, at + 1, false);
      else if (two === "\\g" || two === "\\G") finish(at, at + 2, two === "\\G");
      else if (this.#lineComment(line, at)) break;
      else at = this.#begin(line, at);
    }
    this.#text += `${line.slice(from)}\n`;
    if (this.#text.trim() === "") this.#text = "";
    return pieces;
  }

  /** The input is over: what stands there without an end is a statement too. */
  end(): Piece[] {
    const text = this.#text.trim();
    this.clear();
    return text === "" ? [] : [{ text, upright: false }];
  }

  #lineComment(line: string, at: number): boolean {
    if (this.#mysql) return line[at] === "#" || /^--(\s|$)/.test(line.slice(at));
    return line.startsWith("--", at);
  }

  /** Outside everything: looks whether a quote or comment begins here. */
  #begin(line: string, at: number): number {
    const character = line[at] as string;
    if (character === "'" || character === '"' || (character === "`" && this.#mysql)) {
      this.#open = character as Open;
      const escapeString = character === "'" && /(^|[^\w$])[eE]$/.test(line.slice(0, at));
      this.#escapes = this.#mysql ? character !== "`" : escapeString;
      return at + 1;
    }
    if (line.startsWith("/*", at)) {
      this.#open = "/*";
      this.#depth = 1;
      return at + 2;
    }
    if (character === "$" && !this.#mysql && !/[\w$]/.test(line[at - 1] ?? "")) {
      const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(line.slice(at))?.[0];
      if (tag !== undefined) {
        this.#open = tag as Open;
        return at + tag.length;
      }
    }
    return at + 1;
  }

  /** Inside a quote or comment: moves to its end or to the end of the line. */
  #inside(line: string, at: number): number {
    if (this.#open === "/*") return this.#comment(line, at);
    if (this.#open.startsWith("$")) {
      const end = line.indexOf(this.#open, at);
      if (end < 0) return line.length;
      const { length } = this.#open;
      this.#open = "";
      return end + length;
    }
    if (line[at] === "\\" && this.#escapes) return at + 2;
    if (line[at] === this.#open) this.#open = ""; // a doubled quote opens again at once
    return at + 1;
  }

  #comment(line: string, at: number): number {
    if (line.startsWith("*/", at)) {
      if (--this.#depth === 0 || this.#mysql) this.#open = "";
      return at + 2;
    }
    if (!this.#mysql && line.startsWith("/*", at)) {
      this.#depth++;
      return at + 2;
    }
    return at + 1;
  }
}
