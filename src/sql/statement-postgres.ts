/** What a PostgreSQL statement is, from its first words. */
import { nameAt, type StatementText, verb } from "./statement-head.ts";
import type { Token } from "./statement-lexer.ts";
import type { Scan } from "./statement-scan.ts";
import { type Draft, leave, put } from "./statement-types.ts";

export function postgresHead(statement: StatementText, scan: Scan, draft: Draft): void {
  const { head } = statement;
  const first = verb(head);
  draft.recalls = scan.recalls;
  switch (first) {
    case "select":
    case "with":
    case "values":
    case "table":
      if (!scan.writes) draft.effect = "read";
      intoTemporary(statement, draft);
      return;
    case "show":
      draft.effect = "read";
      return;
    case "explain":
      if (!scan.writes) draft.effect = "read";
      return;
    case "begin":
    case "start":
      return transaction(draft, "begin", "idempotent");
    case "commit":
    case "end":
      draft.asksCommit = head[1]?.text !== "prepared";
      return transaction(draft, draft.asksCommit ? "commit" : "none", "once");
    case "abort":
    case "rollback":
      return rollback(head, draft);
    case "savepoint":
    case "release":
      return transaction(draft, "savepoint", "once");
    case "set":
      return set(statement, draft);
    case "reset":
      return reset(statement, draft);
    case "listen":
      draft.effect = "idempotent";
      return put(draft, `listen:${nameAt(head, 1).key}`, statement.text, true);
    case "unlisten":
      draft.effect = "idempotent";
      draft.dirty = true;
      draft.cures.push(`listen:${head[1]?.text === "*" ? "*" : nameAt(head, 1).key}`);
      return;
    case "prepare":
      if (head[1]?.text === "transaction") return transaction(draft, "commit", "once");
      draft.effect = "idempotent";
      return put(draft, `prepare:${nameAt(head, 1).key}`, statement.text, false);
    case "deallocate":
      return deallocate(head, draft);
    case "discard":
      return discard(statement, draft);
    case "load":
      draft.effect = "idempotent";
      return put(draft, `load:${head[1]?.text ?? ""}`, statement.text, false);
    case "declare":
      return declare(head, draft);
    case "close":
      draft.cures.push(`cursor:${head[1]?.text === "all" ? "*" : nameAt(head, 1).key}`);
      return;
    case "create":
      return create(head, draft);
    case "drop":
      return drop(head, draft);
    case "do":
      // The block is a string: whatever it sets is out of sight.
      draft.dirty = true;
      return;
  }
}

function transaction(draft: Draft, what: Draft["transaction"], effect: Draft["effect"]): void {
  draft.transaction = what;
  draft.effect = effect;
}

function rollback(head: readonly Token[], draft: Draft): void {
  const words = head.map(({ text }) => text);
  if (words[1] === "prepared") return;
  if (words.includes("to")) return transaction(draft, "savepoint", "once");
  // AND CHAIN begins another one, whose characteristics are those of the lost one.
  transaction(draft, "rollback", words.includes("chain") && !words.includes("no") ? "once" : "idempotent");
}

/** Setting names without spaces, and those with a syntax of their own. */
function variableOf(head: readonly Token[], at: number): { key: string; next: number } {
  const [one, two] = [head[at]?.text, head[at + 1]?.text];
  if (one === "time" && two === "zone") return { key: "timezone", next: at + 2 };
  if (one === "names") return { key: "client_encoding", next: at + 1 };
  if (one === "session" && two === "authorization") return { key: "session_authorization", next: at + 2 };
  if (one === "xml" && two === "option") return { key: "xmloption", next: at + 2 };
  const { key, next } = nameAt(head, at);
  return { key: key.toLowerCase(), next };
}

function set(statement: StatementText, draft: Draft): void {
  const { head, text } = statement;
  const [one, two, three] = [head[1]?.text, head[2]?.text, head[3]?.text];
  if (one === "local" || one === "constraints" || one === "transaction") return;
  draft.effect = "idempotent";
  if (one === "session" && two === "characteristics") {
    return put(draft, "variable:transaction-characteristics", text, true);
  }
  const at = one === "session" && two !== "authorization" && three !== undefined ? 2 : 1;
  const { key, next } = variableOf(head, at);
  // ROLE hangs on the authorization: setting that resets this.
  if (key === "session_authorization") draft.cures.push("variable:role");
  if (head[next] === undefined && key !== "timezone") draft.effect = "once";
  put(draft, `variable:${key}`, text, true);
}

/** A RESET is itself an item: replayed after the set-up, it takes back what the set-up sets. */
function reset(statement: StatementText, draft: Draft): void {
  const { head, text } = statement;
  draft.effect = "idempotent";
  if (head[1]?.text === "all") {
    draft.cures.push("variable:*");
    draft.sets.push({ key: "variable:*", sql: text, transactional: true });
    draft.dirty = true;
    return;
  }
  put(draft, `variable:${variableOf(head, 1).key}`, text, true);
}

function deallocate(head: readonly Token[], draft: Draft): void {
  const at = head[1]?.text === "prepare" && head.length > 2 ? 2 : 1;
  draft.effect = "idempotent";
  draft.dirty = true;
  const named = head[at];
  draft.cures.push(`prepare:${named?.kind === "word" && named.text === "all" ? "*" : nameAt(head, at).key}`);
}

function discard(statement: StatementText, draft: Draft): void {
  draft.effect = "idempotent";
  draft.dirty = true;
  const what = statement.head[1]?.text;
  if (what === "all") {
    draft.cures.push("*");
    draft.sets.push({ key: "discard", sql: statement.text, transactional: false });
  } else if (what === "temp" || what === "temporary") draft.cures.push("temporary:*");
}

/** Without HOLD a cursor ends with its transaction, which is poison by itself. */
function declare(head: readonly Token[], draft: Draft): void {
  const hold = head.findIndex(({ text }, n) => text === "hold" && head[n - 1]?.text === "with");
  const { key, name } = nameAt(head, 1);
  if (hold > 0) leave(draft, `cursor:${key}`, `cursor ${name}`, { transactional: true });
}

const isTemporary = (token: Token | undefined): boolean =>
  token?.kind === "word" && (token.text === "temp" || token.text === "temporary");

function create(head: readonly Token[], draft: Draft): void {
  const at = head.findIndex(({ text }) => text === "table" || text === "view" || text === "sequence");
  const schema = head.findIndex(({ text }, n) => /^pg_temp(_\d+)?$/.test(text) && head[n + 1]?.text === ".");
  const temporary = at > 0 && at < 6 && head.slice(1, at).some(isTemporary);
  if (!temporary && schema < 0) return;
  const words = head.map(({ text }) => text).join(" ");
  if (/ on commit drop\b/.test(words)) return;
  let name = temporary ? at + 1 : schema + 2;
  if (head[name]?.text === "if" && head[name + 1]?.text === "not") name += 3;
  const named = nameAt(head, name);
  const short = temporary ? (named.key.split(".").at(-1) as string) : named.key;
  leave(draft, `temporary:${short}`, `temporary ${head[at]?.text ?? "object"} ${named.name}`, {
    transactional: true,
  });
}

function drop(head: readonly Token[], draft: Draft): void {
  if (!/^(table|view|sequence)$/.test(head[1]?.text ?? "")) return;
  let at = head[2]?.text === "if" ? 4 : 2;
  for (;;) {
    const { key, next } = nameAt(head, at);
    draft.cures.push(`temporary:${key.split(".").at(-1)}`);
    if (head[next]?.text !== ",") return;
    at = next + 1;
  }
}

/** `SELECT … INTO TEMP t`. */
function intoTemporary({ head }: StatementText, draft: Draft): void {
  const into = head.findIndex(
    ({ kind, text }, n) => kind === "word" && text === "into" && head.slice(n + 1, n + 3).some(isTemporary),
  );
  if (into < 0) return;
  let at = into + 1;
  while (/^(local|global|temp|temporary|table)$/.test(head[at]?.text ?? "")) at++;
  const { key, name } = nameAt(head, at);
  leave(draft, `temporary:${key}`, `temporary table ${name}`, { transactional: true });
}
