/** MySQL's `SET`, one assignment at a time. */
import type { StatementText } from "./statement-head.ts";
import type { Token } from "./statement-lexer.ts";
import { type Draft, leave, leaveUserVariables, put } from "./statement-types.ts";

export function setMysql(statement: StatementText, draft: Draft): void {
  const { head, text } = statement;
  const [one, two, three] = [head[1]?.text ?? "", head[2]?.text, head[3]?.text];
  const scoped = one === "session" || one === "local";
  if (
    one === "password" ||
    one === "default" ||
    one === "statement" ||
    (one === "global" && two === "transaction")
  )
    return;
  if (one === "transaction") {
    // For the next transaction only: nobody can say whether that has begun.
    draft.effect = "idempotent";
    return leave(draft, "next-transaction", "SET TRANSACTION for the next transaction");
  }
  draft.effect = "idempotent";
  if (scoped && two === "transaction") return put(draft, "variable:transaction_isolation", text, false);
  if (one === "names") return names(draft, text);
  if (one === "charset" || (one === "character" && two === "set" && three !== undefined))
    return names(draft, text);
  if (one === "role") return put(draft, "role", text, false);
  if (one === "resource" && two === "group") return put(draft, "resource-group", text, false);
  if (!statement.complete) {
    draft.effect = "once";
    return leave(draft, "variable:?", "a SET too long to read");
  }
  let global = false;
  for (const assignment of assignmentsOf(head.slice(1))) {
    const scope = assignment[0]?.text ?? "";
    if (/^(session|local|global|persist|persist_only)$/.test(scope)) global = /^(global|persist)/.test(scope);
    assign(statement, assignment, global, draft);
  }
}

function names(draft: Draft, text: string): void {
  draft.cures.push("variable:character_set_client", "variable:character_set_connection");
  draft.cures.push("variable:character_set_results", "variable:collation_connection");
  put(draft, "variable:names", text, false);
}

/** Cut at the commas outside brackets. */
function assignmentsOf(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "mark" && token.text === "(") depth++;
    if (token.kind === "mark" && token.text === ")") depth--;
    if (token.kind === "mark" && token.text === "," && depth <= 0) parts.push([]);
    else (parts.at(-1) as Token[]).push(token);
  }
  return parts.filter((part) => part.length > 0);
}

function assign(statement: StatementText, tokens: readonly Token[], global: boolean, draft: Draft): void {
  const equals = tokens.findIndex(({ kind, text }) => kind === "mark" && (text === "=" || text === ":="));
  const target = tokens.slice(0, Math.max(equals, 0)).filter(({ text }) => !/^(session|local)$/.test(text));
  const first = target[0];
  if (equals < 1 || first === undefined) {
    // NAMES after a comma, and what no manual tells.
    if (tokens[0]?.text === "names") return names(draft, `SET ${textOf(statement, tokens)}`);
    draft.effect = "once";
    draft.dirty = true;
    return;
  }
  if (first.kind === "variable" && !first.text.startsWith("@@")) {
    if (!isConstant(tokens.slice(equals + 1))) draft.effect = "once";
    return leaveUserVariables(draft);
  }
  const name = target
    .map(({ text }) => text)
    .join("")
    .replace(/^@@/, "")
    .replace(/^(session|local)\./, "");
  if (global || /^(global|persist|persist_only)\.?/.test(name)) {
    draft.effect = "once";
    return;
  }
  const key = `variable:${alias(name)}`;
  // Turning it on commits what is open.
  if (name === "autocommit" && !/^(0|off|false)$/i.test(tokens[equals + 1]?.text ?? "")) {
    draft.transaction = "commit";
    draft.effect = "once";
  }
  if (isConstant(tokens.slice(equals + 1))) {
    return put(draft, key, statement.whole ? statement.text : `SET ${textOf(statement, tokens)}`, false);
  }
  draft.effect = "once";
  draft.cures.push(key);
  leave(draft, key, `${name} set from an expression`);
}

function alias(name: string): string {
  return name === "tx_isolation" ? "transaction_isolation" : name;
}

/** A literal, a word such as ON or utf8mb4, or a number with its sign: the same on every connection. */
function isConstant(value: readonly Token[]): boolean {
  const [one, two] = value;
  if (value.length === 1)
    return one?.kind !== "variable" && one?.kind !== "parameter" && one?.kind !== "mark";
  return value.length === 2 && one?.kind === "mark" && /^[+-]$/.test(one.text) && two?.kind === "number";
}

function textOf(statement: StatementText, tokens: readonly Token[]): string {
  return statement.sql.slice((tokens[0] as Token).start, (tokens.at(-1) as Token).end);
}
