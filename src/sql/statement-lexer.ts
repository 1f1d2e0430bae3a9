/**
 * Splits SQL text into words, quoted things and marks, for both dialects, in one pass over the characters.
 *
 * It answers only what the statement reader asks: where strings, comments and identifiers end. Where the answer hangs
 * on a server setting the client can't know (`NO_BACKSLASH_ESCAPES`, `ANSI_QUOTES`, `standard_conforming_strings`)
 * it takes the default and sets `ambiguous`, so that the reader trusts nothing that follows.
 */

export type Dialect = "mysql" | "postgres";

/** `word`: bare identifier or keyword; `quoted`: quoted identifier; `string`: any literal in quotes; `mark`: one operator or bracket. */
export type TokenKind = "word" | "quoted" | "string" | "number" | "parameter" | "variable" | "mark";

export interface Token {
  readonly kind: TokenKind;
  /** Words in lower case, quoted identifiers without quotes, marks as they are; strings as written, with their quotes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const QUOTE = 39;
const STAR = 42;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const QUESTION = 63;
const AT = 64;
const BACKSLASH = 92;
const BACKTICK = 96;
const DELETE = 127;

const isSpace = (c: number): boolean => c === SPACE || (c >= TAB && c <= CR);
const isDigit = (c: number): boolean => c >= 48 && c <= 57;
/** Letters, underscore, everything beyond ASCII. */
const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c > 127;
const isWordPart = (c: number): boolean => isLetter(c) || isDigit(c) || c === DOLLAR;

export class Lexer {
  /** The text can be read in two ways, depending on a setting of the server; or a quote or comment never ends. */
  ambiguous = false;
  /** The text holds executable comments (`/*!`): code for some servers, a comment for others. */
  executableComment = false;
  readonly #sql: string;
  readonly #mysql: boolean;
  readonly #escapesKnown: boolean;
  #at = 0;
  #executable = 0;

  /** `escapesKnown`: the server is known to treat backslashes in strings as the dialect does by default. */
  constructor(sql: string, dialect: Dialect, escapesKnown = false) {
    this.#sql = sql;
    this.#mysql = dialect === "mysql";
    this.#escapesKnown = escapesKnown;
  }

  /** The next token, or undefined at the end. Never throws. */
  next(): Token | undefined {
    this.#skip();
    const start = this.#at;
    if (start >= this.#sql.length) {
      if (this.#executable > 0) this.ambiguous = true;
      return undefined;
    }
    const kind = this.#read(this.#sql.charCodeAt(start));
    return { kind, text: this.#textOf(kind, start, this.#at), start, end: this.#at };
  }

  #textOf(kind: TokenKind, start: number, end: number): string {
    const text = this.#sql.slice(start, end);
    if (kind === "word" || kind === "variable") return text.toLowerCase();
    if (kind !== "quoted") return text;
    const quote = text[0] as string;
    return text.slice(1, -1).replaceAll(quote + quote, quote);
  }

  #code(offset = 0): number {
    const at = this.#at + offset;
    return at < this.#sql.length ? this.#sql.charCodeAt(at) : -1;
  }

  #skip(): void {
    for (;;) {
      const c = this.#code();
      if (isSpace(c)) this.#at++;
      else if (c === MINUS && this.#code(1) === MINUS && this.#dashesBegin()) this.#skipLine();
      else if (c === HASH && this.#mysql) this.#skipLine();
      else if (c === SLASH && this.#code(1) === STAR) this.#skipComment();
      else if (c === STAR && this.#code(1) === SLASH && this.#executable > 0) {
        this.#executable--;
        this.#at += 2;
      } else return;
    }
  }

  /** MySQL takes `--` for a comment only before a space, a control character or the end; `5--1` is 6 there. */
  #dashesBegin(): boolean {
    const after = this.#code(2);
    // Which characters beyond ASCII are control characters hangs on the connection's character set.
    if (this.#mysql && after >= DELETE) this.ambiguous = true;
    return !this.#mysql || after === -1 || after <= SPACE;
  }

  #skipLine(): void {
    for (let c = this.#code(); c !== -1 && c !== LF; c = this.#code()) {
      // PostgreSQL ends the comment at a carriage return too, MySQL does not.
      if (c === CR && this.#code(1) !== LF) {
        if (!this.#mysql) return;
        this.ambiguous = true;
      }
      this.#at++;
    }
  }

  #skipComment(): void {
    if (this.#mysql) {
      const bang = this.#sql.startsWith("!", this.#at + 2)
        ? 3
        : /^M!/i.test(this.#sql.substr(this.#at + 2, 2))
          ? 4
          : 0;
      if (bang > 0) {
        this.#at += bang;
        for (let n = 0; n < 6 && isDigit(this.#code()); n++) this.#at++;
        this.executableComment = true;
        this.#executable++;
        return;
      }
      const end = this.#sql.indexOf("*/", this.#at + 2);
      if (end < 0) this.ambiguous = true;
      this.#at = end < 0 ? this.#sql.length : end + 2;
      return;
    }
    let depth = 0;
    for (let c = this.#code(); c !== -1; c = this.#code()) {
      if (c === SLASH && this.#code(1) === STAR) {
        depth++;
        this.#at += 2;
      } else if (c === STAR && this.#code(1) === SLASH) {
        depth--;
        this.#at += 2;
        if (depth === 0) return;
      } else this.#at++;
    }
    this.ambiguous = true;
  }

  #read(c: number): TokenKind {
    if (c === QUOTE) return this.#string(QUOTE, this.#mysql);
    if (c === DOUBLE_QUOTE)
      // With ANSI_QUOTES it is an identifier, in which a backslash is a backslash.
      return this.#mysql ? this.#string(DOUBLE_QUOTE, true, false) : this.#identifier(DOUBLE_QUOTE);
    if (c === BACKTICK && this.#mysql) return this.#identifier(BACKTICK);
    if (isDigit(c) || (c === DOT && isDigit(this.#code(1)))) return this.#number();
    if (c === DOLLAR) return this.#dollar();
    if (isLetter(c)) return this.#word(c);
    if (c === AT && this.#mysql) return this.#variable();
    this.#at++;
    if (c === QUESTION && this.#mysql) return "parameter";
    if (c === COLON && this.#code() === COLON && !this.#mysql) this.#at++;
    else if (c === COLON && this.#sql[this.#at] === "=") this.#at++;
    return "mark";
  }

  #word(first: number): TokenKind {
    // E'…', B'…', X'…', N'…': a letter right before the quote belongs to the string. U&'…' and U&"…" as well.
    const escapes = !this.#mysql && (first === 69 || first === 101);
    if (this.#code(1) === QUOTE && /[ebxn]/i.test(String.fromCharCode(first))) {
      this.#at++;
      return this.#string(QUOTE, this.#mysql || escapes, escapes);
    }
    const start = this.#at;
    while (isWordPart(this.#code())) this.#at++;
    // A unicode-escaped identifier could spell any name.
    if (
      !this.#mysql &&
      this.#at === start + 1 &&
      (first === 85 || first === 117) &&
      this.#sql[this.#at] === "&"
    ) {
      const quote = this.#code(1);
      if (quote === DOUBLE_QUOTE) this.ambiguous = true;
    }
    return "word";
  }

  /** `certain`: the escapes are part of the literal's own syntax, not of a setting. */
  #string(quote: number, backslash: boolean, certain: boolean = this.#escapesKnown): TokenKind {
    this.#at++;
    for (let c = this.#code(); c !== -1; c = this.#code()) {
      if (c === BACKSLASH) {
        const start = this.#at;
        while (this.#code() === BACKSLASH) this.#at++;
        // Whether this quote ends the string is a setting of the server.
        if (!certain && this.#code() === quote) this.ambiguous = true;
        if (backslash && (this.#at - start) % 2 === 1 && this.#at < this.#sql.length) this.#at++;
      } else if (c === quote) {
        this.#at++;
        if (this.#code() !== quote) return "string";
        this.#at++;
      } else this.#at++;
    }
    this.ambiguous = true;
    return "string";
  }

  #identifier(quote: number): TokenKind {
    this.#at++;
    for (let c = this.#code(); c !== -1; c = this.#code()) {
      this.#at++;
      if (c !== quote) continue;
      if (this.#code() !== quote) return "quoted";
      this.#at++;
    }
    this.ambiguous = true;
    return "string";
  }

  #number(): TokenKind {
    const start = this.#at;
    while (isDigit(this.#code()) || this.#code() === DOT) this.#at++;
    const rest = this.#sql.slice(this.#at, this.#at + 3);
    if (/^e([+-]?\d)/i.test(rest)) {
      this.#at += rest[1] === "+" || rest[1] === "-" ? 2 : 1;
      while (isDigit(this.#code())) this.#at++;
    } else if (this.#at === start + 1 && this.#sql[start] === "0" && /^[xbo][\da-f]/i.test(rest)) {
      this.#at++;
      while (isDigit(this.#code()) || /[a-f]/i.test(this.#sql[this.#at] ?? "")) this.#at++;
    }
    // `1from` is two tokens for one server and an identifier for the other.
    if (isWordPart(this.#code())) {
      this.ambiguous = true;
      while (isWordPart(this.#code())) this.#at++;
    }
    return "number";
  }

  #dollar(): TokenKind {
    if (!this.#mysql) {
      if (isDigit(this.#code(1))) {
        this.#at++;
        while (isDigit(this.#code())) this.#at++;
        return "parameter";
      }
      let end = this.#at + 1;
      if (isLetter(this.#sql.charCodeAt(end))) {
        while (isLetter(this.#sql.charCodeAt(end)) || isDigit(this.#sql.charCodeAt(end))) end++;
      }
      if (this.#sql.charCodeAt(end) === DOLLAR) return this.#dollarQuote(this.#sql.slice(this.#at, end + 1));
    }
    this.#at++;
    if (this.#mysql) while (isWordPart(this.#code())) this.#at++;
    return this.#mysql ? "word" : "mark";
  }

  #dollarQuote(tag: string): TokenKind {
    const end = this.#sql.indexOf(tag, this.#at + tag.length);
    if (end < 0) this.ambiguous = true;
    this.#at = end < 0 ? this.#sql.length : end + tag.length;
    return "string";
  }

  /** `@x`, `@'x'`, `@@x`, `@@session.x`. */
  #variable(): TokenKind {
    this.#at++;
    const c = this.#code();
    if (c === QUOTE || c === DOUBLE_QUOTE || c === BACKTICK) {
      if (c === BACKTICK) this.#identifier(c);
      else this.#string(c, true, c === QUOTE && this.#escapesKnown);
      return "variable";
    }
    if (c === AT) this.#at++;
    while (isWordPart(this.#code()) || this.#code() === DOT) this.#at++;
    return "variable";
  }
}
