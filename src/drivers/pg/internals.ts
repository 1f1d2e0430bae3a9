/** What this driver holds on to inside pg, checked before anything is dialled. */
import { HoldfastError } from "../../call/index.ts";
import { InertStream } from "./inert.ts";
import { type LibraryClient, type LibraryQuery, library } from "./library.ts";

const clientMethods: readonly string[] = [
  ...([
    "_pulseQueryQueue",
    "_errorAllQueries",
    "_handleReadyForQuery",
    "_handleErrorMessage",
  ] satisfies (keyof LibraryClient)[]),
  ...(["connect", "query", "end", "ref", "unref", "getTransactionStatus"] satisfies (keyof LibraryClient)[]),
];
const clientFields = [
  ...([
    "_queryQueue",
    "_sentQueryQueue",
    "_activeQuery",
    "_queryable",
    "_ending",
    "_ended",
    "_types",
  ] satisfies (keyof LibraryClient)[]),
  ...(["connection", "connectionParameters", "processID"] satisfies (keyof LibraryClient)[]),
];
const queryFields = [
  ...([
    "text",
    "values",
    "name",
    "types",
    "callback",
    "_rowMode",
    "_result",
    "_results",
  ] satisfies (keyof LibraryQuery)[]),
  ...(["_canceledDueToError"] satisfies (keyof LibraryQuery)[]),
];

let checked = false;

/** @throws `HF_OPTION` naming what is missing: without it this driver could lose or repeat work, so it does not start */
export function checkInternals(): void {
  if (checked) return;
  const missing = probe();
  if (missing.length > 0) {
    throw new HoldfastError(
      "HF_OPTION",
      `this version of pg is not one that was tested (8.23): it has no ${missing.join(", no ")}`,
      { details: { missing } },
    );
  }
  checked = true;
}

/** A client that is never connected is asked for a query, which must end up in its queue as it is. */
function probe(): string[] {
  const missing: string[] = [];
  const prototype = library.Client?.prototype as unknown as Readonly<Record<string, unknown>> | undefined;
  for (const name of clientMethods) {
    if (typeof prototype?.[name] !== "function") missing.push(`client.${name}`);
  }
  if (missing.length > 0) return missing;
  let queued: readonly unknown[] = [];
  class Probe extends library.Client {
    override _pulseQueryQueue(): void {
      queued = [...this._queryQueue];
    }
  }
  const client = new Probe({ host: "127.0.0.1", stream: () => new InertStream(), password: "" });
  for (const field of clientFields) if (!(field in client)) missing.push(`client.${field}`);
  for (const field of ["stream", "parsedStatements", "submittedNamedStatements"]) {
    if (!(field in client.connection)) missing.push(`connection.${field}`);
  }
  const query = new library.Query("SELECT 1", () => {});
  for (const field of queryFields) if (!(field in query)) missing.push(`query.${field}`);
  for (const name of ["submit", "handleError", "handleReadyForQuery"] as const) {
    if (typeof query[name] !== "function") missing.push(`query.${name}`);
  }
  client.query(query);
  if (queued[0] !== query) missing.push("client._queryQueue with the queries that were asked");
  return missing;
}
