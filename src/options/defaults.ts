/**
 * Every default of our own, with its reason. docs/defaults.md is generated from this file; a test keeps them equal.
 * A driver may replace one where its peer documents another.
 */
import { governorDefaults } from "../governor/index.ts";

export interface Default<T> {
  readonly value: T;
  /** Unit or shape, for the table. */
  readonly unit: string;
  readonly reason: string;
}

/** Every default by its dotted option name. */
export interface Defaults {
  readonly "backoff.minMs": Default<number>;
  readonly "backoff.baseMs": Default<number>;
  readonly "backoff.capMs": Default<number>;
  readonly "backoff.immediateFirst": Default<boolean>;
  readonly "auth.minMs": Default<number>;
  readonly "auth.baseMs": Default<number>;
  readonly "auth.capMs": Default<number>;
  readonly "auth.maxFailures": Default<number>;
  readonly "limits.maxAttempts": Default<number>;
  readonly "limits.maxAttemptsPerEndpoint": Default<number>;
  readonly "limits.maxElapsedMs": Default<number>;
  readonly delayPer: Default<"round" | "attempt">;
  readonly order: Default<"shuffled" | "given">;
  readonly reconnect: Default<boolean>;
  readonly retryInitial: Default<boolean>;
  readonly lazy: Default<boolean>;
  readonly connectTimeoutMs: Default<number>;
  readonly restoreTimeoutMs: Default<number>;
  readonly stableAfterMs: Default<number>;
  readonly minDialGapMs: Default<number>;
  readonly closeTimeoutMs: Default<number>;
  readonly drainTimeoutMs: Default<number>;
  readonly "liveness.idleProbeMs": Default<number>;
  readonly "liveness.probeTimeoutMs": Default<number>;
  readonly "liveness.tcpKeepAliveMs": Default<number>;
  readonly "outbox.bytes": Default<number>;
  readonly "outbox.entries": Default<number>;
  readonly "outbox.ageMs": Default<number>;
  readonly "outbox.whenFull": Default<"reject" | "drop-oldest">;
  readonly "retry.maxRetries": Default<number>;
  readonly writeBufferBytes: Default<number>;
  readonly "governor.maxConcurrentDials": Default<number>;
  readonly "governor.minDialGapMs": Default<number>;
}

function of<T>(value: T, unit: string, reason: string): Default<T> {
  return { value, unit, reason };
}

export const defaults: Defaults = {
  "backoff.minMs": of(
    50,
    "ms",
    "Below it a fleet can saturate a restarted server; it is also what a TCP + TLS handshake takes across a region. A shorter wait that you ask for is warned of once (`HF_LOW_DELAY`).",
  ),
  "backoff.baseMs": of(
    400,
    "ms",
    "Mean of the first real wait (200 to 600 ms): longer than a restart of most servers' listener, shorter than a person notices. Growing by 1.5 instead of 2, from a later start, costs no more dials and leaves less to wait: after an outage of 1 s 0.54 s on average (p99 1.6 s), after 3 s 1.2 s (3.7 s); 50 ms + U[0, 200 ms·2ⁿ), tried before, left 0.8 s (3.2 s) and 2.2 s (8.2 s).",
  ),
  "backoff.capMs": of(
    7_500,
    "ms",
    "Waits of 2.5 to 7.5 s, 5 s on average, keep 10,000 clients near 200 arrivals in any 100 ms after a long outage (250 at most in the simulation), as full jitter up to 10 s does; but 2.7 s are left on average instead of 3.3, and 6.8 instead of 9 at p99.",
  ),
  "backoff.immediateFirst": of(
    true,
    "boolean",
    "Most losses are a single cut connection: the first try is at once, and it is slot 0 of the schedule, so it can't loop.",
  ),
  "auth.minMs": of(
    1_000,
    "ms",
    "Refused credentials rarely mend within a second, and servers count failed logins.",
  ),
  "auth.baseMs": of(
    5_000,
    "ms",
    "Slow enough not to look like an attack, fast enough to follow a rotated secret.",
  ),
  "auth.capMs": of(60_000, "ms", "A rotated secret is used within a minute."),
  "auth.maxFailures": of(
    Number.POSITIVE_INFINITY,
    "count",
    "A long-lived process must survive a wrong secret that is mended later; a first connect fails at once anyway.",
  ),
  "limits.maxAttempts": of(
    Number.POSITIVE_INFINITY,
    "count",
    "Once connected, giving up is the owner's decision: a client that stops after 20 s turns a short outage into a long one.",
  ),
  "limits.maxAttemptsPerEndpoint": of(
    Number.POSITIVE_INFINITY,
    "count",
    "An endpoint that is down today may be the only one up tomorrow.",
  ),
  "limits.maxElapsedMs": of(Number.POSITIVE_INFINITY, "ms", "See maxAttempts."),
  delayPer: of(
    "round",
    '"round" | "attempt"',
    "The next endpoint is tried at once; a wait comes only when all have failed.",
  ),
  order: of(
    "shuffled",
    '"shuffled" | "given"',
    "A fleet with one list would otherwise all dial its first entry.",
  ),
  reconnect: of(true, "boolean", "It is what this package is for."),
  retryInitial: of(false, "boolean", "A wrong address should fail the deployment, not wait."),
  lazy: of(false, "boolean", "Finding a dead server at start beats finding it at the first request."),
  connectTimeoutMs: of(
    5_000,
    "ms",
    "Covers resolve, TCP, TLS and handshake together; Node's own connect gives up after 134 s, and several clients never.",
  ),
  restoreTimeoutMs: of(
    10_000,
    "ms",
    "Thousands of subscriptions fit; a server that hangs in the middle does not.",
  ),
  stableAfterMs: of(
    5_000,
    "ms",
    "A connection that lived shorter did not prove anything: accept-then-drop backs off like refused.",
  ),
  minDialGapMs: of(
    100,
    "ms",
    "No bug of ours or of a caller may dial one endpoint more than ten times a second.",
  ),
  closeTimeoutMs: of(2_000, "ms", "What a graceful goodbye may take before the socket is destroyed."),
  drainTimeoutMs: of(10_000, "ms", "Shorter than the 30 s that orchestrators give a process to stop."),
  "liveness.idleProbeMs": of(
    15_000,
    "ms",
    "A half-open idle connection is found within 20 s; peers take 90 s to for ever.",
  ),
  "liveness.probeTimeoutMs": of(5_000, "ms", "Long enough for a garbage collection or a fork at the server."),
  "liveness.tcpKeepAliveMs": of(
    15_000,
    "ms",
    "The kernel's own probe for connections that must not be probed; the system default is 2 h.",
  ),
  "outbox.bytes": of(
    8 * 1024 * 1024,
    "bytes",
    "The figure that nats.go users know; at 1 kB a call it is ten thousand of them.",
  ),
  "outbox.entries": of(
    10_000,
    "count",
    "A waiting call costs about a kilobyte of heap beside its own bytes.",
  ),
  "outbox.ageMs": of(30_000, "ms", "A caller that waited half a minute has mostly gone."),
  "outbox.whenFull": of(
    "reject",
    '"reject" | "drop-oldest"',
    "The caller can act on an error; on a silent drop nobody can.",
  ),
  "retry.maxRetries": of(
    3,
    "count",
    "Further sends of calls that may be sent again; calls that never left don't count.",
  ),
  writeBufferBytes: of(
    16 * 1024 * 1024,
    "bytes",
    "A peer that stops reading must cost bounded memory; twice the outbox, so that a flush always fits.",
  ),
  "governor.maxConcurrentDials": of(
    governorDefaults.maxConcurrentDials,
    "count",
    "Half of the accept queue that kernels long had by default (128): a process full of links does not overflow its server's, and a slow handshake holds up few.",
  ),
  "governor.minDialGapMs": of(
    governorDefaults.minDialGapMs,
    "ms",
    "Links of one process to one server are no herd as long as few dial at a time; each keeps its own minDialGapMs. Raise it for a server that pays dearly for a handshake.",
  ),
};

export type DefaultName = keyof Defaults;
