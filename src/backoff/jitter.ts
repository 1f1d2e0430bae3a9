import { uniform } from "../time/index.ts";
import type { Backoff } from "./backoff.ts";
import * as check from "./check.ts";
import { mapDelays } from "./unfold.ts";
import { formatMs } from "./units.ts";

/** U[0, delay): the widest spread, the fewest simultaneous arrivals. */
export function fullJitter(inner: Backoff): Backoff {
  return mapDelays(inner, `${inner.description}; full jitter`, (delayMs, random) =>
    uniform(random, 0, delayMs),
  );
}

/** U[delay/2, delay): half of the delay is certain. */
export function equalJitter(inner: Backoff): Backoff {
  return mapDelays(inner, `${inner.description}; equal jitter`, (delayMs, random) =>
    uniform(random, delayMs / 2, delayMs),
  );
}

export interface ProportionalOptions {
  /** The share of the delay, 0…1, it may differ either way. */
  readonly ratio: number;
  /** No delay is shorter, ms. Default 0. */
  readonly minMs?: number;
  /** No delay is longer, ms. Default: none. */
  readonly maxMs?: number;
}

/**
 * delay ± ratio. Bounds narrow the *draw*: clamping its result would give half of all clients exactly the bound,
 * which is what the DataStax Java driver does (52 % of its first retries at exactly 1,000 ms).
 */
export function proportionalJitter(inner: Backoff, options: ProportionalOptions): Backoff {
  check.keys("proportionalJitter", options, ["ratio", "minMs", "maxMs"]);
  const ratio = check.number("ratio", options.ratio, { max: 1 });
  const minMs = check.delay("minMs", options.minMs ?? 0);
  const maxMs = check.limit("maxMs", options.maxMs ?? Number.POSITIVE_INFINITY);
  check.ordered("minMs", minMs, "maxMs", maxMs);
  const bounded = minMs > 0 || maxMs < Number.POSITIVE_INFINITY;
  if (ratio === 0 && !bounded) return inner;
  const bounds = bounded ? ` within ${formatMs(minMs)}…${formatMs(maxMs)}` : "";
  const percent = Number((ratio * 100).toFixed(2));
  return mapDelays(inner, `${inner.description}; ±${percent} %${bounds}`, (delayMs, random) => {
    const clamp = (ms: number): number => Math.min(maxMs, Math.max(minMs, ms));
    return uniform(random, clamp(delayMs * (1 - ratio)), clamp(delayMs * (1 + ratio)));
  });
}

export interface AdditiveOptions {
  /** Upper bound of the random part, ms, exclusive. */
  readonly jitterMs: number;
  /** The same over TLS, where a handshake costs the server more. Default: `jitterMs`. */
  readonly tlsJitterMs?: number;
  /** Whether this connection uses TLS. Default false. */
  readonly tls?: boolean;
  /** Neither random part is larger, ms (NATS: ReconnectJitterMax). Default: none. */
  readonly jitterMaxMs?: number;
}

/** delay + U[0, j). It comes on top: put a cap outside it only if clients may meet there. */
export function additiveJitter(inner: Backoff, options: AdditiveOptions): Backoff {
  check.keys("additiveJitter", options, ["jitterMs", "tlsJitterMs", "tls", "jitterMaxMs"]);
  const plainMs = check.delay("jitterMs", options.jitterMs);
  const tlsMs = check.delay("tlsJitterMs", options.tlsJitterMs ?? plainMs);
  const maxMs = check.limit("jitterMaxMs", options.jitterMaxMs ?? Number.POSITIVE_INFINITY);
  const widthMs = Math.min(options.tls ? tlsMs : plainMs, maxMs);
  if (widthMs === 0) return inner;
  return mapDelays(
    inner,
    `${inner.description}; + up to ${formatMs(widthMs)}`,
    (delayMs, random) => delayMs + uniform(random, 0, widthMs),
  );
}

/** Jitter by name, for configuration. */
export type Jitter =
  | "none"
  | "full"
  | "equal"
  | ({ readonly kind: "proportional" } & ProportionalOptions)
  | ({ readonly kind: "additive" } & AdditiveOptions);

/** `inner` with the jitter that `jitter` names. */
export function withJitter(inner: Backoff, jitter: Jitter): Backoff {
  if (jitter === "none") return inner;
  if (jitter === "full") return fullJitter(inner);
  if (jitter === "equal") return equalJitter(inner);
  if (typeof jitter === "object" && jitter !== null) {
    const { kind, ...options } = jitter;
    if (kind === "proportional") return proportionalJitter(inner, options as ProportionalOptions);
    if (kind === "additive") return additiveJitter(inner, options as AdditiveOptions);
  }
  throw new RangeError(
    `jitter must be "none", "full", "equal", or an object whose kind is "proportional" or "additive"; got ${check.show(jitter)}`,
  );
}
