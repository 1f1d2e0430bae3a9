/**
 * Reads what a SQL text does, without asking the server, and on the safe side: a text is a `read` only if every word and
 * every function in it is known to change nothing.
 *
 * What a text can't tell: a view, an operator, a rule or a row policy that calls a function which changes something; a
 * stored function or procedure that sets session state. The server's own word (status flags, session trackers,
 * transaction status) covers part of that, `reset: "always"` the rest.
 */
import { isSqlName } from "./statement-functions.ts";
import { joined } from "./statement-join.ts";
import { type Dialect, Lexer, type Token } from "./statement-lexer.ts";
import { mysqlHead } from "./statement-mysql.ts";
import { postgresHead } from "./statement-postgres.ts";
import { Scan } from "./statement-scan.ts";
import { type Draft, newDraft, type Statement } from "./statement-types.ts";

/** As many tokens of one statement are looked at as a whole; those of a bulk insert are only passed over. */
const HEAD_TOKENS = 512;

/** Texts longer than this are not kept: they are seldom repeated. */
const CACHED_TEXT_CHARS = 8_192;
/** Two generations of this many texts each: what is in use stays, what is not goes, without a list. */
const CACHE_GENERATION = 500;

export interface ReadSettings {
  /** The server has said that backslashes in strings mean what they mean by default (status flag, `standard_conforming_strings`). */
  readonly escapesKnown?: boolean;
}

interface Cache {
  young: Map<string, Statement>;
  old: Map<string, Statement>;
}

const newCache = (): Cache => ({ young: new Map(), old: new Map() });
/** For each dialect: with escapes in doubt, and known. */
const caches: Readonly<Record<Dialect, readonly [Cache, Cache]>> = {
  mysql: [newCache(), newCache()],
  postgres: [newCache(), newCache()],
};

/** What `sql` does. Never throws; takes time linear in the length of the text; answers are cached by text. */
export function readStatement(sql: string, dialect: Dialect, settings?: ReadSettings): Statement {
  const escapesKnown = settings?.escapesKnown === true;
  if (sql.length > CACHED_TEXT_CHARS) return read(sql, dialect, escapesKnown);
  const cache = caches[dialect][escapesKnown ? 1 : 0];
  const known = cache.young.get(sql);
  if (known !== undefined) return known;
  const statement = cache.old.get(sql) ?? read(sql, dialect, escapesKnown);
  if (cache.young.size >= CACHE_GENERATION) {
    cache.old = cache.young;
    cache.young = new Map();
  }
  cache.young.set(sql, statement);
  return statement;
}

function read(sql: string, dialect: Dialect, escapesKnown: boolean): Statement {
  const lexer = new Lexer(sql, dialect, escapesKnown);
  const drafts: Draft[] = [];
  for (;;) {
    const { draft, more } = readOne(sql, lexer, dialect);
    if (draft !== undefined) drafts.push(draft);
    if (!more) break;
  }
  const whole = drafts.length === 1 ? (drafts[0] as Draft) : joined(drafts);
  if (lexer.ambiguous || lexer.executableComment) whole.effect = "once";
  if (lexer.ambiguous) whole.dirty = true;
  return Object.freeze({ ...whole, multi: drafts.length > 1 });
}

/** Up to the next semicolon. */
function readOne(sql: string, lexer: Lexer, dialect: Dialect): { draft: Draft | undefined; more: boolean } {
  const head: Token[] = [];
  const draft = newDraft();
  const scan = new Scan(dialect, draft);
  let token = lexer.next();
  for (; token !== undefined; token = lexer.next()) {
    if (token.text === ";" && token.kind === "mark" && !isBody(head, dialect)) break;
    if (head.length < HEAD_TOKENS) head.push(token);
    scan.see(token);
  }
  const more = token !== undefined;
  if (head.length === 0) return { draft: undefined, more };
  scan.end();
  // An executable comment makes the cut text of one assignment unreliable: the whole text is kept instead.
  const text = lexer.executableComment
    ? sql.trim().replace(/;$/, "")
    : sql.slice((head[0] as Token).start, scan.lastEnd);
  const statement = { sql, text, head, complete: scan.count <= HEAD_TOKENS, whole: lexer.executableComment };
  (dialect === "mysql" ? mysqlHead : postgresHead)(statement, scan, draft);
  return { draft, more };
}

/** `CREATE PROCEDURE … BEGIN …; …; END`: its semicolons end nothing. Neither do those of a block without a name. */
function isBody(head: readonly Token[], dialect: Dialect): boolean {
  const first = head[0]?.text;
  if (dialect === "mysql") {
    if (first === "begin") return head[1]?.text === "not";
    return (first === "create" || first === "alter") && head.slice(1, 24).some(isSqlName(BODIES));
  }
  return (
    first === "create" && head.some((token, n) => token.text === "begin" && head[n + 1]?.text === "atomic")
  );
}

const BODIES = new Set(["procedure", "function", "trigger", "event", "package"]);

/** Whether one of `cures` (keys, or beginnings of keys followed by `*`) names this key. */
export function isCured(cures: readonly string[], key: string): boolean {
  return cures.some((cure) => (cure.endsWith("*") ? key.startsWith(cure.slice(0, -1)) : cure === key));
}

export type { Dialect } from "./statement-lexer.ts";
export type { Leftover, SessionItem, Statement } from "./statement-types.ts";
