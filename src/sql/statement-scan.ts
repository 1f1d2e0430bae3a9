/** Looks at every token of one statement as it passes: words that write, functions and what they leave behind. */
import { isGrammar, isPure, isRecalling, isSpaceSensitive } from "./statement-functions.ts";
import type { Dialect, Token } from "./statement-lexer.ts";
import { type Draft, leave, leaveUserVariables, put } from "./statement-types.ts";

/** Words that no statement without effect contains (outside quotes). */
const WRITES = new Set([
  ...["into", "insert", "update", "delete", "merge", "call", "procedure", "nextval", "setval"],
  ...["outfile", "dumpfile"],
]);

/** At most this many tokens of a function's arguments are remembered. */
const ARGUMENT_TOKENS = 16;

interface Call {
  readonly name: string;
  readonly start: number;
  readonly arguments: Token[];
  depth: number;
}

export class Scan {
  /** Something was seen that forbids calling the statement a read. */
  writes = false;
  recalls = false;
  count = 0;
  /** End of the statement's last token. */
  lastEnd = 0;
  readonly #dialect: Dialect;
  readonly #draft: Draft;
  #one: Token | undefined;
  #two: Token | undefined;
  #three: Token | undefined;
  /** Calls of session functions whose arguments are being read. */
  #open: Call[] = [];

  constructor(dialect: Dialect, draft: Draft) {
    this.#dialect = dialect;
    this.#draft = draft;
  }

  see(token: Token): void {
    this.count++;
    this.lastEnd = token.end;
    if (token.kind === "word") this.#word(token.text);
    else if (token.kind === "mark") this.#mark(token);
    else if (token.kind === "variable") this.#variable(token);
    if (this.#open.length > 0) this.#argument(token);
    this.#three = this.#two;
    this.#two = this.#one;
    this.#one = token;
  }

  /** No more tokens: calls left open are malformed, the server will say so. */
  end(): void {
    for (const call of this.#open) this.#called(call);
    this.#open = [];
  }

  #word(word: string): void {
    const before = this.#one?.kind === "word" ? this.#one.text : undefined;
    if (WRITES.has(word)) this.writes = true;
    else if (word === "share" && (before === "for" || before === "key")) this.writes = true;
    else if (word === "in" && before === "lock") this.writes = true;
    else if (word === "value" && (before === "next" || before === "previous")) this.writes = true;
    else if (word === "analyze" || word === "analyse") this.writes = true;
  }

  #variable(token: Token): void {
    if (token.text.startsWith("@@")) return;
    const before = this.#one?.kind === "word" ? this.#one.text : undefined;
    if (before === "into") leaveUserVariables(this.#draft);
  }

  #mark(token: Token): void {
    if (token.text === ":=") {
      this.writes = true;
      const target = this.#one?.kind === "variable" ? this.#one.text : "";
      if (target !== "" && !target.startsWith("@@")) leaveUserVariables(this.#draft);
    } else if (token.text === "(") this.#bracket(token);
  }

  /** What stands before this bracket: grammar, a function known to be harmless, or anything else. */
  #bracket(bracket: Token): void {
    const named = this.#one;
    if (named === undefined || named.kind === "mark" || named.kind === "number") return;
    if (named.kind === "parameter") return;
    if (named.kind === "variable") {
      this.writes = true;
      return;
    }
    // With ANSI_QUOTES a string in double quotes is an identifier.
    if (named.kind === "string") {
      if (named.text.startsWith('"')) this.writes = true;
      return;
    }
    const gap = named.end !== bracket.start;
    if (this.#dialect === "mysql" && (named.kind === "quoted" || (gap && isSpaceSensitive(named.text)))) {
      // A stored function of that name: the server's own is spelled without quotes, and without a space before the bracket.
      this.writes = true;
    }
    const before = this.#two;
    const qualified = before?.kind === "mark" && before.text === ".";
    // `AS x(…)`, `::x(…)`, `WITH x (…)`: a name or a type with a length, never a call.
    if (before?.text === "::" || (before?.kind === "word" && /^(as|with|recursive)$/.test(before.text)))
      return;
    const bare = named.kind === "word" && !qualified;
    if (bare && isGrammar(named.text, before?.text, this.#dialect)) return;
    const schema = qualified ? this.#three?.text : undefined;
    const builtIn = schema === undefined || (schema === "pg_catalog" && this.#dialect === "postgres");
    if (!builtIn || !isPure(named.text, this.#dialect)) this.writes = true;
    if (builtIn && isRecalling(named.text, this.#dialect)) this.recalls = true;
    if (builtIn && SESSION_FUNCTIONS[this.#dialect].test(named.text)) {
      this.#open.push({ name: named.text, start: bracket.start, arguments: [], depth: 0 });
    }
  }

  #argument(token: Token): void {
    const call = this.#open.at(-1) as Call;
    if (token.kind === "mark" && token.text === "(") call.depth++;
    else if (token.kind === "mark" && token.text === ")") {
      call.depth--;
      if (call.depth === 0) {
        this.#open.pop();
        this.#called(call);
        return;
      }
    }
    if (call.arguments.length <= ARGUMENT_TOKENS && token.start !== call.start) call.arguments.push(token);
  }

  #called(call: Call): void {
    if (this.#dialect === "mysql") this.#mysqlLock(call);
    else if (call.name === "set_config") this.#setConfig(call);
    else if (call.name === "dblink_connect")
      leave(this.#draft, "dblink", "dblink connection", { lingers: true });
    else if (call.name === "dblink_disconnect") this.#draft.cures.push("dblink");
    else this.#advisoryLock(call);
  }

  #mysqlLock({ name, arguments: given }: Call): void {
    if (name === "release_all_locks") this.#draft.cures.push("user-lock:*");
    else if (name === "release_lock") this.#draft.cures.push(`user-lock:${keyOf(given)}`);
    else
      leave(this.#draft, `user-lock:${keyOf(upToComma(given))}`, "GET_LOCK", {
        counted: true,
        lingers: true,
      });
  }

  #advisoryLock({ name, arguments: given }: Call): void {
    const key = `advisory-lock:${keyOf(given)}`;
    if (name === "pg_advisory_unlock_all") this.#draft.cures.push("advisory-lock:*");
    else if (/unlock/.test(name)) this.#draft.cures.push(key);
    else leave(this.#draft, key, `advisory lock ${keyOf(given)}`, { counted: true, lingers: true });
  }

  /** `set_config('a.b', 'c', false)`: restorable when every argument is a constant; local to the transaction with `true`. */
  #setConfig({ arguments: given }: Call): void {
    const [name, comma, value, comma2, local, ...rest] = given;
    const certain =
      name?.kind === "string" &&
      comma?.text === "," &&
      comma2?.text === "," &&
      rest.length === 0 &&
      local !== undefined;
    if (certain && /^(true|'t'|'true'|'on')$/i.test(local.text)) return;
    const key = `variable:${name?.kind === "string" ? name.text.slice(1, -1).toLowerCase() : "?"}`;
    if (certain && value?.kind === "string" && /^(false|'f'|'false'|'off')$/i.test(local.text)) {
      put(this.#draft, key, `SELECT set_config(${name.text}, ${value.text}, false)`, true);
    } else leave(this.#draft, key, `set_config of ${key.slice("variable:".length)}`, { transactional: true });
  }
}

const SESSION_FUNCTIONS: Record<Dialect, RegExp> = {
  mysql: /^(get_lock|release_lock|release_all_locks)$/,
  postgres:
    /^(set_config|dblink_connect|dblink_disconnect|pg_(try_)?advisory_lock(_shared)?|pg_advisory_unlock(_all|_shared)?)$/,
};

function upToComma(tokens: readonly Token[]): Token[] {
  const comma = tokens.findIndex(({ kind, text }) => kind === "mark" && text === ",");
  return comma < 0 ? [...tokens] : tokens.slice(0, comma);
}

/** A key for arguments: their text if they are constants, `?` for anything the text does not tell. */
function keyOf(tokens: readonly Token[]): string {
  const constant = tokens.every(
    ({ kind, text }) => kind === "string" || kind === "number" || (kind === "mark" && /^[,+-]$/.test(text)),
  );
  return constant && tokens.length <= ARGUMENT_TOKENS ? tokens.map(({ text }) => text).join("") : "?";
}
