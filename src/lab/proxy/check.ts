/** Refuses a wrong fault before it does anything, and says what would have been right. */
import { HoldfastError } from "../../call/index.ts";
import type { Upstream } from "./connection.ts";
import type { FaultKind } from "./fault.ts";

type Rule = { readonly says: string; readonly holds: (value: unknown) => boolean };

const number = (low: number, high: number, says: string): Rule => ({
  says,
  holds: (value) => typeof value === "number" && value >= low && value <= high,
});
const whole = (low: number, says: string): Rule => ({
  says,
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= low,
});
const oneOf = (...values: readonly string[]): Rule => ({
  says: `one of ${values.map((value) => `"${value}"`).join(", ")}`,
  holds: (value) => values.includes(value as string),
});

const ms = number(0, 2 ** 53, "milliseconds, 0 or more");
const isTrueOrFalse: Rule = { says: "true or false", holds: (value) => typeof value === "boolean" };
const ending = oneOf("fin", "rst");
const direction = oneOf("up", "down", "both");
const ids: Rule = {
  says: "a connection's number (1 or more), or several",
  holds: (value) =>
    (Array.isArray(value) ? value : [value]).every(
      (id: unknown) => Number.isSafeInteger(id) && Number(id) >= 1,
    ),
};

const terms = {
  durationMs: ms,
  label: { says: "a text", holds: (value: unknown) => typeof value === "string" && value !== "" },
};
const chosen = {
  connections: ids,
  filter: { says: "a function", holds: (value: unknown) => typeof value === "function" },
  probability: number(0, 1, "0 to 1"),
  times: whole(1, "a whole number, 1 or more"),
};
/** Faults at the entrance meet new connections only. */
const entrance = { ...terms, ...chosen, applyTo: oneOf("new", "all") };
const wire = { ...terms, ...chosen, applyTo: oneOf("all", "new", "existing"), direction };

const rules: Record<FaultKind, Record<string, Rule>> = {
  refuse: terms,
  freeze: { ...terms, connects: isTrueOrFalse },
  drop: { ...entrance, how: ending },
  maxConnections: { ...entrance, limit: whole(0, "a whole number, 0 or more"), how: ending },
  blackHole: { ...wire, how: oneOf("discard", "stop-reading"), afterwards: oneOf("rst", "resume") },
  latency: { ...wire, delayMs: ms, jitterMs: ms },
  slowFirstByte: { ...wire, delayMs: ms },
  bandwidth: { ...wire, bytesPerSecond: number(1, 2 ** 53, "bytes per second, 1 or more") },
  drip: { ...wire, bytes: whole(1, "a whole number, 1 or more"), everyMs: ms },
  truncate: { ...wire, afterBytes: whole(0, "a whole number, 0 or more"), how: ending },
  corrupt: { ...wire, everyBytes: number(1, 2 ** 53, "1 or more") },
  halfClose: { ...wire, direction: oneOf("up", "down") },
  tls: {
    ...entrance,
    how: oneOf("expired", "wrong-name", "unknown-issuer", "client-certificate", "plaintext", "hang"),
    names: {
      says: "a list of host names and addresses",
      holds: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
    },
  },
};

const required: Partial<Record<FaultKind, readonly string[]>> = {
  maxConnections: ["limit"],
  latency: ["delayMs"],
  slowFirstByte: ["delayMs"],
  bandwidth: ["bytesPerSecond"],
  drip: ["everyMs"],
  truncate: ["afterBytes"],
  halfClose: ["direction"],
  tls: ["how"],
};

/** The kinds of fault there are. */
export const faultKinds: readonly FaultKind[] = Object.keys(rules) as FaultKind[];

/** Throws `HF_OPTION` naming the key, its value and what is allowed. */
export function checkFault(fault: { readonly kind: FaultKind }): void {
  const { kind } = fault;
  if (typeof kind !== "string" || !Object.hasOwn(rules, kind))
    throw optionError("kind", kind, `one of ${faultKinds.join(", ")}${didYouMean(kind, faultKinds)}`);
  const known = rules[kind];
  for (const key of required[kind] ?? [])
    if ((fault as unknown as Record<string, unknown>)[key] === undefined)
      throw optionError(`${kind}.${key}`, undefined, known[key]?.says ?? "a value");
  for (const [key, value] of Object.entries(fault)) {
    if (key === "kind" || value === undefined) continue;
    const rule = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!rule) {
      const keys = Object.keys(known);
      throw optionError(
        `${kind}.${key}`,
        value,
        `one of the keys ${keys.join(", ")}${didYouMean(key, keys)}`,
      );
    }
    if (!rule.holds(value)) throw optionError(`${kind}.${key}`, value, rule.says);
  }
}

export function checkUpstream(upstream: Upstream): Upstream {
  const { host, port } = upstream;
  if (typeof host !== "string" || host === "")
    throw optionError("upstream.host", host, "a host name or address");
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw optionError("upstream.port", port, "1 to 65535");
  return { host, port };
}

export function optionError(key: string, value: unknown, allowed: string): HoldfastError {
  const shown = typeof value === "string" ? `"${value}"` : String(value);
  return new HoldfastError("HF_OPTION", `${key} is ${shown}; it must be ${allowed}`, {
    details: { key, allowed },
  });
}

function didYouMean(given: unknown, known: readonly string[]): string {
  if (typeof given !== "string") return "";
  const near = known
    .map((word) => ({ word, away: distance(given.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.away - b.away)[0];
  return near && near.away <= Math.max(2, given.length / 3) ? ` (did you mean "${near.word}"?)` : "";
}

/** How many letters to change, add or leave out to get from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + same));
    }
    row = next;
  }
  return row[to.length] as number;
}
