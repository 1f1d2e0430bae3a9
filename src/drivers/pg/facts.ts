/** What a query of the library means: by its text, and by what its caller declares. */
import { readStatement, type Statement } from "../../sql/index.ts";
import type { Submittable } from "./library.ts";
import type { StatementResilience } from "./options.ts";

/** What is sent beside text and values: message headers, names, types. */
const overheadBytes = 64;
/** What a value takes that is neither text nor bytes. */
const valueBytes = 16;

/** Something of which no text is known. */
const unknown: Statement = {
  ...{ effect: "once", transaction: "none", sets: [], leaves: [], cures: [] },
  ...{ dirty: true, recalls: false, multi: false, asksCommit: false },
};

/** The text of a query, a cursor, a stream or a COPY. */
export function textOf(query: Submittable): string | undefined {
  if (typeof query.text === "string") return query.text;
  const inner = (query as { cursor?: { text?: unknown } }).cursor?.text;
  return typeof inner === "string" ? inner : undefined;
}

/** @param escapesKnown the server takes backslashes in strings for what they are by default */
export function factsOf(
  text: string | undefined,
  declared: StatementResilience["effect"],
  escapesKnown: boolean,
): Statement {
  const facts =
    text === undefined ? unknown : readStatement(text, "postgres", escapesKnown ? known : undefined);
  return declared === undefined || declared === facts.effect ? facts : { ...facts, effect: declared };
}

const known = { escapesKnown: true } as const;

/** For messages: the first word; no values, no secrets. */
export function nameOf(text: string): string {
  return /^\W*(\w{1,20})/.exec(text.slice(0, 24))?.[1]?.toUpperCase() ?? "the statement";
}

/** What a query takes while it waits. */
export function sizeOf(text: string, values: unknown): number {
  return text.length + overheadBytes + bytesOf(values);
}

function bytesOf(values: unknown): number {
  if (!Array.isArray(values)) return 0;
  let bytes = 0;
  for (const value of values) {
    const { length } = (value ?? "") as { length?: unknown };
    bytes += typeof length === "number" ? length : valueBytes;
  }
  return bytes;
}
