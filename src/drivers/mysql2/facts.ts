/** What a command of the library means: by its text, by its kind, and by what its caller declares. */
import type { Effect } from "../../call/index.ts";
import { readStatement, type Statement } from "../../sql/index.ts";

const nothing = {
  ...{ sets: [], leaves: [], cures: [], dirty: false, recalls: false, multi: false, asksCommit: false },
} as const;

/** Ping, and preparing a statement. */
export const harmless: Statement = { effect: "read", transaction: "none", ...nothing };
/** A command of which nothing is known. */
export const unknown: Statement = { effect: "once", transaction: "none", ...nothing, dirty: true };
/** The session is wiped: doing it twice is the same, and whatever was open is rolled back. */
export const wipes: Statement = { effect: "idempotent", transaction: "rollback", ...nothing, dirty: true };

export function factsOf(sql: string, declared: Effect | undefined): Statement {
  const facts = readStatement(sql, "mysql");
  return declared === undefined || declared === facts.effect ? facts : { ...facts, effect: declared };
}
