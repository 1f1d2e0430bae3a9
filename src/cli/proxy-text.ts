import type { ConnectionInfo, ProxyLogEntry } from "../lab/index.ts";

/** One event of the proxy as a line for people. */
export function eventLine(entry: ProxyLogEntry): string {
  return `${`+${(entry.atMs / 1_000).toFixed(3)} s`.padStart(12)}  ${sentence(entry)}`;
}

function sentence(entry: ProxyLogEntry): string {
  switch (entry.event) {
    case "accepted":
      return `#${entry.connection} accepted from ${entry.client}`;
    case "opened":
      return `#${entry.connection} connected to ${entry.upstream}`;
    case "upstreamFailed":
      return `#${entry.connection} reset: no connection to ${entry.upstream} (${entry.reason})`;
    case "closed":
      return `#${entry.connection} closed; ${delivered(entry)}`;
    case "faultOn":
      return `fault on: ${entry.fault}`;
    case "faultOff":
      return `fault off: ${entry.fault}; it hit ${count(entry.connections, "connection")}, ${count(entry.bytes, "byte")}`;
    case "hit":
      return `#${entry.connection} hit by ${entry.fault}${entry.direction ? ` (${entry.direction})` : ""} after ${delivered(entry)}`;
    case "cut":
      return `#${entry.connection} cut by ${entry.how.toUpperCase()} after ${delivered(entry)}`;
    case "badCertificateAccepted":
      return `#${entry.connection} went on although the certificate was bad (${entry.fault}): this client does not check it`;
    case "listenFailed":
      return `the port could not be opened again: ${entry.reason}`;
  }
}

export function connectionLine({ id, client, ageMs, up, down, faults }: ConnectionInfo): string {
  const under = faults.length > 0 ? `  under ${faults.join(", ")}` : "";
  return `#${id} ${client}  ${(ageMs / 1_000).toFixed(1)} s  ${delivered({ up: up.delivered, down: down.delivered })}${under}`;
}

function delivered({ up, down }: { readonly up: number; readonly down: number }): string {
  return `${up} bytes up, ${down} down`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
