/** What a query of the library means: by its text, and by what its caller declares. */
import type { CallDescription } from "../../call/index.ts";
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
  ...{ dirty: true, recalls: false, multi: false },
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

/** What the gate and the runner are told of a call; no values, no secrets. */
export function describe(
  text: string,
  values: unknown,
  { effect }: Statement,
  { deadlineMs = undefined, signal = undefined }: StatementResilience,
  usual: number | undefined,
  unsend: () => boolean,
): CallDescription {
  const due = deadlineMs ?? usual;
  return {
    name: nameOf(text),
    bytes: text.length + overheadBytes + bytesOf(values),
    effect,
    kind: "unary",
    deadlineMs: due,
    signal,
    unsend: due === undefined && signal === undefined ? undefined : unsend,
  };
}

const names: Map<string, string> = new Map();

/** The first word; looked up, because it is asked for with every query. */
function nameOf(text: string): string {
  const start = text.slice(0, 24);
  let name = names.get(start);
  if (name === undefined) {
    name = /^\W*(\w{1,20})/.exec(start)?.[1]?.toUpperCase() ?? "the statement";
    if (names.size > 1_000) names.clear();
    names.set(start, name);
  }
  return name;
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
