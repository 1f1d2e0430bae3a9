/** Small readers for the first tokens of a statement. */
import type { Token } from "./statement-lexer.ts";

export interface StatementText {
  /** All of the text given, with its other statements. */
  readonly sql: string;
  /** This statement, without comments around it and without its semicolon. */
  readonly text: string;
  /** The first tokens. */
  readonly head: readonly Token[];
  /** `head` is all of them. */
  readonly complete: boolean;
  /** Parts must not be cut out of `text`: it holds executable comments. */
  readonly whole: boolean;
}

/** The first word, brackets before it skipped: `(SELECT 1) UNION …`. */
export function verb(head: readonly Token[]): string {
  const first = head.find(({ text }) => text !== "(");
  return first?.kind === "word" ? first.text : "";
}

/** A possibly qualified name that begins at `at`; `next` is the token after it. */
export function nameAt(head: readonly Token[], at: number): { key: string; name: string; next: number } {
  const parts: string[] = [];
  let next = at;
  for (;;) {
    const token = head[next];
    if (token === undefined || token.kind === "mark") break;
    parts.push(token.text);
    next++;
    if (head[next]?.text !== ".") break;
    next++;
  }
  const name = parts.join(".");
  return { key: name, name: name === "" ? "without a name" : name, next: Math.max(next, at + 1) };
}
