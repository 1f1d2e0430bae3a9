/** What can go wrong between a client and its server, as plain values. */

/** `up` is client → server, `down` is server → client. */
export type Direction = "up" | "down";
/** How a connection is ended: FIN is an orderly close, RST a reset. */
export type Ending = "fin" | "rst";

/** Which connections a fault takes hold of. */
export interface FaultTarget {
  /** Connections open now, those accepted from now on, or both. Default `"all"`. */
  readonly applyTo?: "all" | "new" | "existing";
  /** Only the connections with these numbers (the first accepted is 1). Default: every connection. */
  readonly connections?: number | readonly number[];
  /** Only the connections for which this returns true; asked once per connection. Default: every connection. */
  readonly filter?: (connection: ConnectionInfo) => boolean;
  /** Share of the connections to hit, 0 to 1; the verdict on a connection follows from the seed. Default 1. */
  readonly probability?: number;
  /** Hits no more than this many connections. Default: no limit. */
  readonly times?: number;
}

export interface FaultTerms {
  /** Undoes the fault this long after it took force. Default: until undone. */
  readonly durationMs?: number;
  /** Its name in events and logs. Default: the kind and a number. */
  readonly label?: string;
}

interface Directed {
  /** Default `"both"`. */
  readonly direction?: Direction | "both";
}

/** New connections are refused (`ECONNREFUSED`); open ones live on. The port is kept. */
export interface RefuseFault {
  readonly kind: "refuse";
}

/**
 * The server process is frozen: nobody accepts. With `connects: false` (default) the backlog is full, so that a
 * connect hangs in SYN_SENT (one sent before the end of the fault succeeds on a later SYN retransmit, after 1 to
 * 3 s). With `connects: true` the kernel completes connects that are never answered; the end of the fault resets them.
 */
export interface FreezeFault {
  readonly kind: "freeze";
  readonly connects?: boolean;
}

/** A new connection is accepted and ended at once. Default `how`: `"rst"`. */
export interface DropFault {
  readonly kind: "drop";
  readonly how?: Ending;
}

/** Connections beyond `limit` open ones are accepted and ended. Default `how`: `"fin"`, as `net.Server` does. */
export interface MaxConnectionsFault {
  readonly kind: "maxConnections";
  readonly limit: number;
  readonly how?: Ending;
}

/**
 * Nothing gets through, neither bytes nor a close. `discard` (default) reads and throws away, so the sender never
 * feels it; `stop-reading` leaves the bytes in the kernel, so the sender's writes back up. When the fault is undone
 * a stopped direction goes on where it was; a connection that lost bytes is reset, since its stream has a hole,
 * unless `afterwards` is `"resume"`.
 */
export interface BlackHoleFault extends Directed {
  readonly kind: "blackHole";
  readonly how?: "discard" | "stop-reading";
  readonly afterwards?: "rst" | "resume";
}

/** One-way delay of `delayMs` ± `jitterMs` (uniform). Order is kept; undoing it releases what it holds. */
export interface LatencyFault extends Directed {
  readonly kind: "latency";
  readonly delayMs: number;
  readonly jitterMs?: number;
}

/** The first bytes (or the close) of a direction are `delayMs` late, the rest follow in order. */
export interface SlowFirstByteFault extends Directed {
  readonly kind: "slowFirstByte";
  readonly delayMs: number;
}

/** A narrow line; the sender feels it as back-pressure. */
export interface BandwidthFault extends Directed {
  readonly kind: "bandwidth";
  readonly bytesPerSecond: number;
}

/** `bytes` at a time (default 1), every `everyMs`: short reads for the receiver. */
export interface DripFault extends Directed {
  readonly kind: "drip";
  readonly bytes?: number;
  readonly everyMs: number;
}

/** Ends the connection right after `afterBytes` bytes of a direction were delivered. Default `how`: `"rst"`. */
export interface TruncateFault extends Directed {
  readonly kind: "truncate";
  readonly afterBytes: number;
  readonly how?: Ending;
}

/** Changes about one byte in `everyBytes` (default 100), at places that follow from the seed. */
export interface CorruptFault extends Directed {
  readonly kind: "corrupt";
  readonly everyBytes?: number;
}

/** The receiver of `direction` gets a FIN; the other direction stays open. It can't be taken back. */
export interface HalfCloseFault {
  readonly kind: "halfClose";
  readonly direction: Direction;
}

/**
 * New connections meet a TLS server gone wrong: a certificate that is `expired`, for a `wrong-name`, or from an
 * `unknown-issuer`; one that demands a `client-certificate`; a `plaintext` answer; or a handshake that `hang`s.
 * Undoing it resets the clients that it still holds.
 */
export interface TlsFault {
  readonly kind: "tls";
  readonly how: "expired" | "wrong-name" | "unknown-issuer" | "client-certificate" | "plaintext" | "hang";
  /** Names in the certificate (`wrong-name` has its own). Default: `localhost`, `127.0.0.1` and `::1`. */
  readonly names?: readonly string[];
}

export type FaultShape =
  | RefuseFault
  | FreezeFault
  | DropFault
  | MaxConnectionsFault
  | BlackHoleFault
  | LatencyFault
  | SlowFirstByteFault
  | BandwidthFault
  | DripFault
  | TruncateFault
  | CorruptFault
  | HalfCloseFault
  | TlsFault;

export type FaultKind = FaultShape["kind"];

/** One fault: its shape, whom it hits, and for how long. */
export type Fault = FaultShape & FaultTarget & FaultTerms;

/** One proxied connection, as it is at the moment of asking. */
export interface ConnectionInfo {
  /** Counted from 1 in order of acceptance. */
  readonly id: number;
  readonly ageMs: number;
  /** The client's own address, as `host:port`. */
  readonly client: string;
  /** The upstream it was opened to, as `host:port`. */
  readonly upstream: string;
  /** Bytes read from the client, and handed on to the upstream. */
  readonly up: { readonly received: number; readonly delivered: number };
  /** Bytes read from the upstream, and handed on to the client. */
  readonly down: { readonly received: number; readonly delivered: number };
  /** Labels of the faults in force on it now. */
  readonly faults: readonly string[];
  /** Labels of the faults that have changed anything for it, in order. */
  readonly hitBy: readonly string[];
}
