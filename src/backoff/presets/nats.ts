import type { Backoff } from "../backoff.ts";
import * as check from "../check.ts";
import { constant } from "../curves.ts";
import { additiveJitter } from "../jitter.ts";
import { take } from "../limits.ts";
import { immediately } from "../sequence.ts";
import { mapDelays } from "../unfold.ts";
import { type Preset, preset } from "./preset.ts";

export interface NatsOptions {
  /** Go: ReconnectWait; JS: reconnectTimeWait. */
  readonly reconnectWaitMs?: number;
  /** Upper bound of the random part without TLS. */
  readonly reconnectJitterMs?: number;
  /** The same with TLS. */
  readonly reconnectJitterTlsMs?: number;
  /** Neither random part is larger (named in NATS' text, absent from Go's code). Default: none. */
  readonly reconnectJitterMaxMs?: number;
  /** Whether TLS is configured. Default false. */
  readonly tls?: boolean;
  /** Attempts on one server before it is given up. Go: negative is for ever; JS: only −1 is. */
  readonly maxReconnect?: number;
}

const KNOWN = [
  "reconnectWaitMs",
  "reconnectJitterMs",
  "reconnectJitterTlsMs",
  "reconnectJitterMaxMs",
  "tls",
  "maxReconnect",
];
const waits = { reconnectWaitMs: 2000, reconnectJitterMs: 100, reconnectJitterTlsMs: 1000 };
const goDefaults = { ...waits, maxReconnect: 60 };
const jsDefaults = { ...waits, maxReconnect: 10 };

/** nats.go's schedule for one server: it waits before the first attempt too, and gives up after the last. */
export function natsGoBackoff(options: NatsOptions = {}): Backoff {
  const { waitMs, jitterMs, maxReconnect } = settings("natsGoBackoff", { ...goDefaults, ...options });
  const attempts = check.endlessWhenNegative("maxReconnect", maxReconnect);
  return take(additiveJitter(constant(waitMs), { jitterMs }), attempts);
}

/**
 * nats.js' schedule for one server whose connection was older than the wait: at once, then every wait plus whole
 * milliseconds 0…jitter, both ends included. 0 or less (but −1) still means one attempt: it evicts at the first failure.
 */
export function natsJsBackoff(options: NatsOptions = {}): Backoff {
  const { waitMs, jitterMs, maxReconnect } = settings("natsJsBackoff", { ...jsDefaults, ...options });
  const attempts = check.endlessWhenNegative("maxReconnect", maxReconnect);
  const wait = constant(waitMs);
  const every = mapDelays(
    wait,
    `${wait.description}; + 0…${jitterMs} ms`,
    (delayMs, random) => delayMs + Math.floor(random.next() * (jitterMs + 1)),
  );
  const endless = maxReconnect === -1;
  return take(immediately(jitterMs === 0 ? wait : every), endless ? attempts : Math.max(1, maxReconnect));
}

/** The options, each checked under its own name, with the one jitter that applies. */
function settings(what: string, options: NatsOptions & Required<Pick<NatsOptions, keyof typeof goDefaults>>) {
  check.keys(what, options, KNOWN);
  const waitMs = check.delay("reconnectWaitMs", options.reconnectWaitMs);
  const plainMs = check.delay("reconnectJitterMs", options.reconnectJitterMs);
  const tlsMs = check.delay("reconnectJitterTlsMs", options.reconnectJitterTlsMs);
  const maxMs = check.limit("reconnectJitterMaxMs", options.reconnectJitterMaxMs ?? Number.POSITIVE_INFINITY);
  const jitterMs = Math.min(options.tls ? tlsMs : plainMs, maxMs);
  return { waitMs, jitterMs, maxReconnect: options.maxReconnect };
}

const goSource = "nats-io/nats.go v1.53.1 nats.go, doReconnect; dial times measured";
const jsSource = "nats-io/nats.js core 3.4.0 options.ts and protocol.ts; dial times measured";

export const natsPresets: readonly Preset[] = [
  preset({
    name: "nats.go",
    describe:
      "one server, no TLS: 2 s + up to 100 ms before every attempt, 60 attempts. With n servers the n − 1 others are tried first, without a wait.",
    source: goSource,
    constants: goDefaults,
    backoff: natsGoBackoff(),
  }),
  preset({
    name: "nats.go-tls",
    describe: "as nats.go with TLS configured: up to 1 s of jitter instead of 100 ms",
    source: goSource,
    constants: goDefaults,
    backoff: natsGoBackoff({ tls: true }),
  }),
  preset({
    name: "nats.js",
    describe:
      "one server, no TLS: at once, then 2 s + up to 100 ms; gives up for ever after 10 attempts (some 20 s)",
    source: jsSource,
    constants: jsDefaults,
    backoff: natsJsBackoff(),
  }),
  preset({
    name: "nats.js-tls",
    describe: "as nats.js with options.tls set: up to 1 s of jitter",
    source: jsSource,
    constants: jsDefaults,
    backoff: natsJsBackoff({ tls: true }),
  }),
];
