/** Refuses a wrong fault before it does anything, and says what would have been right. */
import {
  boolean,
  type Check,
  callback,
  either,
  integer,
  listOf,
  number,
  object,
  oneOf,
  optional,
  string,
} from "../../options/index.ts";
import type { Upstream } from "./connection.ts";
import type { Fault, FaultKind, TlsFault } from "./fault.ts";

const ms = number({ min: 0, max: Infinity });
const ending = optional(oneOf(["fin", "rst"]));
const direction = optional(oneOf(["up", "down", "both"]));
const id = integer({ min: 1 });

const terms = { durationMs: optional(ms), label: optional(string()) };
const chosen = {
  ...terms,
  connections: optional(either(id, listOf(id))),
  filter: optional(callback()),
  probability: optional(number({ min: 0, max: 1 })),
  times: optional(integer({ min: 1 })),
};
/** Faults at the entrance meet new connections only. */
const entrance = { ...chosen, applyTo: optional(oneOf(["all", "new"])) };
const wire = { ...chosen, applyTo: optional(oneOf(["all", "new", "existing"])), direction };
const tlsHow: readonly TlsFault["how"][] = [
  ...(["expired", "wrong-name", "unknown-issuer", "client-certificate"] as const),
  ...(["plaintext", "hang"] as const),
];

const shapes: Record<FaultKind, Readonly<Record<string, Check<unknown>>>> = {
  refuse: terms,
  freeze: { ...terms, connects: optional(boolean()) },
  drop: { ...entrance, how: ending },
  maxConnections: { ...entrance, limit: integer({ min: 0 }), how: ending },
  blackHole: {
    ...wire,
    how: optional(oneOf(["discard", "stop-reading"])),
    afterwards: optional(oneOf(["rst", "resume"])),
  },
  latency: { ...wire, delayMs: ms, jitterMs: optional(ms) },
  slowFirstByte: { ...wire, delayMs: ms },
  bandwidth: { ...wire, bytesPerSecond: number({ min: 1 }) },
  drip: { ...wire, bytes: optional(integer({ min: 1 })), everyMs: ms },
  truncate: { ...wire, afterBytes: integer({ min: 0 }), how: ending },
  corrupt: { ...wire, everyBytes: optional(number({ min: 1 })) },
  halfClose: { ...wire, direction: oneOf(["up", "down"]) },
  tls: { ...entrance, how: oneOf(tlsHow), names: optional(listOf(string(), 1)) },
};

/** The kinds of fault there are. */
export const faultKinds: readonly FaultKind[] = Object.keys(shapes) as FaultKind[];

const kinds = oneOf(faultKinds);

/** Throws `HF_OPTION` naming the key, its value and what is allowed. */
export function checkFault(fault: Fault): void {
  const kind = kinds.read(fault?.kind, "kind");
  object({ kind: kinds, ...shapes[kind] }).read(fault, kind);
}

const upstreamCheck = object({ host: string(), port: integer({ min: 1, max: 65_535 }) });

export function checkUpstream(upstream: Upstream): Upstream {
  return upstreamCheck.read(upstream, "upstream");
}

const proxyOptions = object({
  upstream: upstreamCheck,
  host: optional(string()),
  port: optional(integer({ min: 0, max: 65_535 })),
  seed: optional(integer()),
  dialTimeoutMs: optional(number({ min: 1, max: Infinity })),
  authority: optional(anything()),
  world: optional(anything()),
});

export function checkProxyOptions(options: unknown): void {
  proxyOptions.read(options, "");
}

/** For values that have methods; their type is the compiler's business. */
function anything(): Check<unknown> {
  return { allowed: "an object", read: (value) => value };
}
