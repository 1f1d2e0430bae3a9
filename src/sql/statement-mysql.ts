/** What a MySQL or MariaDB statement is, from its first words. */
import { nameAt, type StatementText, verb } from "./statement-head.ts";
import type { Token } from "./statement-lexer.ts";
import { setMysql } from "./statement-mysql-set.ts";
import type { Scan } from "./statement-scan.ts";
import { type Draft, leave, leaveUserVariables, put } from "./statement-types.ts";

/** Statements that end an open transaction by themselves, as the manuals list them. */
const COMMITS = new Set([
  ...[
    "alter",
    "analyze",
    "cache",
    "change",
    "check",
    "create",
    "drop",
    "flush",
    "grant",
    "install",
    "load",
    "lock",
  ],
  ...[
    "optimize",
    "purge",
    "rename",
    "repair",
    "reset",
    "restart",
    "revoke",
    "start",
    "stop",
    "truncate",
    "uninstall",
  ],
  ...["import", "shutdown"],
]);

export function mysqlHead(statement: StatementText, scan: Scan, draft: Draft): void {
  const { head } = statement;
  const first = verb(head);
  const second = head[1]?.text;
  draft.recalls = scan.recalls;
  if (COMMITS.has(first)) draft.transaction = "commit";
  switch (first) {
    case "select":
    case "with":
    case "values":
    case "table":
    case "describe":
    case "desc":
    case "explain":
    case "help":
      if (!scan.writes) draft.effect = "read";
      return;
    case "show":
      draft.effect = "read";
      if (head.slice(1, 5).some(({ text }) => text === "warnings" || text === "errors")) draft.recalls = true;
      return;
    case "get":
      // GET DIAGNOSTICS answers from the last statement, into variables.
      draft.recalls = true;
      return leaveUserVariables(draft);
    case "begin":
      if (second === "not") draft.dirty = true;
      else transaction(draft, "begin", "idempotent");
      return;
    case "start":
      if (second === "transaction") transaction(draft, "begin", "idempotent");
      return;
    case "commit":
      draft.asksCommit = true;
      return transaction(draft, "commit", "once");
    case "rollback":
      return rollback(head, draft);
    case "savepoint":
    case "release":
      return transaction(draft, "savepoint", "once");
    case "xa":
      return xa(head, draft);
    case "set":
      return setMysql(statement, draft);
    case "use":
      draft.effect = "idempotent";
      return put(draft, "database", statement.text, false);
    case "prepare":
      return prepare(statement, draft);
    case "deallocate":
    case "drop":
      return drop(head, draft);
    case "create":
      return create(head, draft);
    case "lock":
      return leave(draft, "table-locks", "table locks");
    case "unlock":
      draft.cures.push("table-locks");
      draft.dirty = true;
      return;
    case "flush":
      if (head.some(({ text }, n) => text === "lock" && head[n - 1]?.text === "read")) {
        leave(draft, "table-locks", "FLUSH TABLES WITH READ LOCK");
      }
      return;
    case "handler":
      return handler(head, draft);
    case "call":
    case "do":
      draft.dirty = true;
      return;
    case "load":
      // LOAD DATA commits nothing but for NDB; LOAD INDEX INTO CACHE does.
      if (second === "data" || second === "xml") draft.transaction = "none";
      return;
  }
}

function transaction(draft: Draft, what: Draft["transaction"], effect: Draft["effect"]): void {
  draft.transaction = what;
  draft.effect = effect;
}

function rollback(head: readonly Token[], draft: Draft): void {
  const words = head.map(({ text }) => text);
  if (words.includes("to")) return transaction(draft, "savepoint", "once");
  transaction(draft, "rollback", words.includes("chain") && !words.includes("no") ? "once" : "idempotent");
}

function xa(head: readonly Token[], draft: Draft): void {
  const what = head[1]?.text;
  if (what === "start" || what === "begin") transaction(draft, "begin", "once");
  else if (what === "commit" || what === "prepare") transaction(draft, "commit", "once");
  else if (what === "rollback") transaction(draft, "rollback", "once");
  else if (what === "recover") draft.effect = "read";
}

/** `PREPARE s FROM 'text'`; from a variable the text is out of sight. */
function prepare(statement: StatementText, draft: Draft): void {
  const { head } = statement;
  const name = nameAt(head, 1).key.toLowerCase();
  const from = head[3];
  if (head[2]?.text === "from" && from?.kind === "string" && head.length === 4) {
    draft.effect = "idempotent";
    put(draft, `prepare:${name}`, statement.text, false);
  } else leave(draft, `prepare:${name}`, `prepared statement ${name}`);
}

function create(head: readonly Token[], draft: Draft): void {
  const at = head.findIndex(({ text }) => text === "table" || text === "sequence");
  if (
    at < 1 ||
    at > 5 ||
    !head.slice(1, at).some(({ kind, text }) => kind === "word" && text === "temporary")
  )
    return;
  // A temporary table commits nothing.
  draft.transaction = "none";
  const name = head[at + 1]?.text === "if" ? at + 4 : at + 1;
  const named = nameAt(head, name);
  leave(draft, `temporary:${shortOf(named.key)}`, `temporary table ${named.name}`);
}

function drop(head: readonly Token[], draft: Draft): void {
  const words = head.slice(0, 3).map(({ text }) => text);
  if (words.includes("prepare")) {
    draft.transaction = "none";
    draft.effect = "idempotent";
    draft.dirty = true;
    draft.cures.push(`prepare:${nameAt(head, words.indexOf("prepare") + 1).key.toLowerCase()}`);
    return;
  }
  const at = words.indexOf("table");
  if (at < 0) return;
  if (words.includes("temporary")) draft.transaction = "none";
  let name = head[at + 1]?.text === "if" ? at + 3 : at + 1;
  for (;;) {
    const { key, next } = nameAt(head, name);
    draft.cures.push(`temporary:${shortOf(key)}`);
    if (head[next]?.text !== ",") return;
    name = next + 1;
  }
}

function handler(head: readonly Token[], draft: Draft): void {
  const { key, name, next } = nameAt(head, 1);
  const what = head[next]?.text;
  if (what === "open") {
    const alias = head[next + 1]?.text === "as" ? head[next + 2] : head[next + 1];
    leave(draft, `handler:${alias?.text ?? shortOf(key)}`, `handler ${name}`);
  } else if (what === "close") draft.cures.push(`handler:${shortOf(key)}`);
}

/** Without its database; table names are compared without case, as on the most forgiving file system. */
function shortOf(key: string): string {
  return (key.split(".").at(-1) as string).toLowerCase();
}
