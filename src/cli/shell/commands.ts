/** What a line of the prompt may be beside SQL. */
import type { Database } from "./database.ts";

export const helpText = `
Statements end with ; or \\g, or with \\G to show each row upright. They may take several lines.

  \\q, quit, exit    leave (so does Ctrl-D)
  \\h, \\?, help      this text
  \\c                forget what has been typed of this statement (so does Ctrl-C)
  \\d                the tables
  \\u NAME, use NAME change the database, where the server can
  \\s                the connection: state, number, server

When the connection is lost the next statement waits for the new one. A statement that only reads is asked again. One
that may have been carried out is never sent twice, and what the server held for the old connection and can't be made
again (an open transaction, user variables, temporary tables, locks) is told. Ctrl-C stops waiting.
`;

export type ShellCommand =
  | { readonly kind: "quit" | "help" | "clear" | "status" }
  | { readonly kind: "statement"; readonly text: string }
  | { readonly kind: "unknown"; readonly text: string };

/** Reads a line that is a command of the prompt; `undefined`: it is SQL. Words without backslash only at the start. */
export function readCommand(line: string, fresh: boolean, database: Database): ShellCommand | undefined {
  const trimmed = line.trim();
  if (fresh) {
    const [, word = "", rest = ""] = /^(\w+)\s*([^;]*?)\s*;?$/.exec(trimmed) ?? [];
    const lower = word.toLowerCase();
    if ((lower === "quit" || lower === "exit") && rest === "") return { kind: "quit" };
    if (lower === "help" && rest === "") return { kind: "help" };
    if (lower === "use" && /^[\w$`"-]+$/.test(rest)) return useCommand(rest, database);
  }
  if (!trimmed.startsWith("\\")) return undefined;
  const [, letter = "", rest = ""] = /^\\(.)\s*([^;]*?)\s*;?$/.exec(trimmed) ?? [];
  switch (letter) {
    case "q":
      return { kind: "quit" };
    case "h":
    case "?":
      return { kind: "help" };
    case "c":
      return { kind: "clear" };
    case "s":
      return { kind: "status" };
    case "d":
      return { kind: "statement", text: database.listTables };
    case "u":
      return useCommand(rest, database);
    case "g":
    case "G":
      return undefined;
    default:
      return { kind: "unknown", text: `Unknown command '\\${letter}'. \\h lists what there is.` };
  }
}

function useCommand(name: string, database: Database): ShellCommand {
  const bare = name.replace(/^[`"]|[`"]$/g, "");
  if (bare === "") return { kind: "unknown", text: "ERROR: \\u needs the name of a database." };
  const text = database.use(bare);
  if (text !== undefined) return { kind: "statement", text };
  return {
    kind: "unknown",
    text: `ERROR: ${database.product} has no statement for it: start the shell with another URL.`,
  };
}

export function statusText(database: Database): string {
  const { product, version, current, connectionId, resilience } = database;
  return [
    `Server:           ${product} ${version}`,
    `Connection id:    ${connectionId ?? "none"}`,
    `Current database: ${current ?? "*** NONE ***"}`,
    `State:            ${resilience.explain()}`,
    "",
  ].join("\n");
}
