import type { Fault } from "../lab/index.ts";
import { optionError, parseGoDuration } from "../options/index.ts";

/**
 * A fault as one writes it on the command line: `kind`, or `kind:key=value,key=value`. Keys that end in `Ms` take
 * milliseconds or a duration ("1m30s"); several connections or names are joined by `+`. The proxy checks the rest.
 */
export function parseFault(text: string): Fault {
  const [, kind = "", pairs = ""] = /^([^:]*):?(.*)$/s.exec(text.trim()) ?? [];
  const fault: Record<string, unknown> = { kind };
  for (const pair of pairs === "" ? [] : pairs.split(",")) {
    const [, key, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (key === undefined || value === undefined)
      throw optionError("fault", text, 'a kind, or "kind:key=value,key=value"');
    fault[key] = readValue(key, value);
  }
  return fault as unknown as Fault;
}

function readValue(key: string, text: string): unknown {
  if (key === "label") return text;
  if (key === "names") return text.split("+");
  if (key === "connections") return text.split("+").map(Number);
  if (text === "true" || text === "false") return text === "true";
  if (key.endsWith("Ms")) return parseGoDuration(text, "ms") ?? text;
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? number : text;
}
