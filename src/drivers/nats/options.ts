/** nats.js' own options into what the engine takes and what the library keeps. Pure: nothing is dialled. */
import type { LookupFunction } from "node:net";
import type { Auth, Authenticator, ConnectionOptions, TlsOptions } from "@nats-io/transport-node";
import { type Backoff, fromFunction, immediately, natsGoBackoff } from "../../backoff/index.ts";
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import {
  boolean,
  callback,
  duration,
  object,
  oneOf,
  optional,
  type ResilienceOptions,
  refusedOptionError,
} from "../../options/index.ts";
import type { NatsCallbacks } from "./callbacks.ts";
import { DEFAULT_PORT, parseServers, type ServerUrl } from "./endpoints.ts";
import { checkGivenOptions } from "./given-options.ts";
import { type WebSocketFactory, webSocketFactory } from "./websocket.ts";

/** nats.js' option names; milliseconds, counts and bytes. */
export interface NatsDefaults {
  readonly maxReconnectAttempts: number;
  readonly reconnectTimeWait: number;
  readonly reconnectJitter: number;
  readonly reconnectJitterTLS: number;
  readonly timeout: number;
  readonly pingInterval: number;
  readonly maxPingOut: number;
  readonly reconnectBufSize: number;
}

/** The peers' documented defaults; where they differ, nats.go's. */
export const natsDefaults: NatsDefaults = {
  // Attempts on one server in a row before it is given up; nats.js: 10.
  maxReconnectAttempts: 60,
  reconnectTimeWait: 2_000,
  reconnectJitter: 100,
  reconnectJitterTLS: 1_000,
  // nats.js: 20,000 ms for each address.
  timeout: 2_000,
  pingInterval: 120_000,
  maxPingOut: 2,
  reconnectBufSize: 8 * 1024 * 1024,
};

/** One attempt, as a `credentials` function sees it. */
export interface CredentialsAttempt {
  /** `host:port` of the server being dialled. */
  readonly server: string;
  /** 1 for the first attempt of an outage, or of the first connect. */
  readonly attempt: number;
  /** Aborted when the attempt is given up. */
  readonly signal: AbortSignal;
}

/** `resilience`: the engine's options and the few that only NATS has. */
export interface NatsResilienceOptions extends ResilienceOptions {
  /** Gives up the first connect, with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Within this time after a publish a PING asks the server to confirm it, so that at a loss only younger messages
   * count as `unconfirmed`. Default 100 ms; 0 = only the liveness probe confirms.
   */
  readonly confirmWithinMs?: number;
  /** nats.go's callbacks; see `NatsCallbacks`. */
  readonly callbacks?: NatsCallbacks<never>;
  /**
   * Asked before each attempt, within its time, for what logs in (or an authenticator that signs the server's nonce).
   * A rejection fails that attempt only. Unlike the library's authenticators it may be asynchronous.
   */
  readonly credentials?: (
    attempt: CredentialsAttempt,
  ) => Auth | Authenticator | Promise<Auth | Authenticator>;
  /** Finds the addresses of a host name at each attempt. Default: the system's resolver. */
  readonly lookup?: LookupFunction;
  /** An -ERR of no known meaning is told (default), or closes for good, as in nats.go. */
  readonly unknownServerError?: "told" | "close";
  /**
   * The kernel took nothing of what was published for this long: told as an async error (nats.go's FlusherTimeout).
   * Default: never; the liveness probe finds such a server too.
   */
  readonly writeStallMs?: number;
  /** A stalled write ends the connection (nats.go's ReconnectOnFlusherError). Default `false`. */
  readonly reconnectOnWriteStall?: boolean;
}

/** nats.js' connection options plus `resilience`. */
export interface NatsConnectOptions extends Omit<ConnectionOptions, "tls"> {
  /** `null` refuses TLS also where the server offers it. */
  readonly tls?: (TlsOptions & { readonly rejectUnauthorized?: boolean }) | null;
  /** Makes the WebSocket of each attempt (`ws://`, `wss://`). Default: the platform's; Node.js before 22 has none. */
  readonly wsFactory?: WebSocketFactory;
  readonly resilience?: NatsResilienceOptions;
}

/** Everything a connection is made of. */
export interface NatsPlan {
  readonly servers: readonly ServerUrl[];
  readonly endpoints: readonly Endpoint[];
  /** What the library itself is given; its own reconnecting is off. */
  readonly library: ConnectionOptions;
  readonly resilience: ResilienceOptions;
  /** The backoff from the moment on when a server turns out to demand TLS. */
  readonly tlsBackoff: Backoff | undefined;
  /** Set when the servers are dialled through WebSocket. */
  readonly webSocket: WebSocketFactory | undefined;
  /** No login is given otherwise: the one in a server's URL is used. */
  readonly urlLogin: boolean;
  readonly own: NatsOwnOptions;
  /** Members that a server names are dialled too. */
  readonly discover: boolean;
  /** The same refusal of credentials twice from one server ends the connection. */
  readonly authAbort: boolean;
  /** Wait for the first connection although it is retried. */
  readonly waitOnFirstConnect: boolean;
}

const ms = duration({ min: 0, max: Number.POSITIVE_INFINITY });
const ownShape = object({
  signal: optional({ allowed: "an AbortSignal", read: (value) => value as AbortSignal }),
  confirmWithinMs: optional(ms),
  callbacks: optional({ allowed: "an object", read: (value) => value as NatsCallbacks<never> }),
  credentials: optional(callback<NonNullable<NatsResilienceOptions["credentials"]>>()),
  lookup: optional(callback<LookupFunction>()),
  unknownServerError: optional(oneOf(["told", "close"] as const)),
  writeStallMs: optional(duration({ min: 1, max: Number.POSITIVE_INFINITY })),
  reconnectOnWriteStall: optional(boolean()),
});

/** The part of `resilience` that only NATS has. */
export type NatsOwnOptions = Pick<
  NatsResilienceOptions,
  "signal" | "callbacks" | "credentials" | "lookup" | "unknownServerError" | "reconnectOnWriteStall"
> & { readonly confirmWithinMs: number; readonly writeStallMs: number };

/**
 * @param scheme what a server without one has
 * @throws `HF_OPTION` naming key, value and what is allowed
 */
export function fromNatsOptions(options: NatsConnectOptions = {}, scheme = "nats"): NatsPlan {
  checkGivenOptions(options);
  const { resilience: mixed = {}, wsFactory, ...library } = options;
  const [own, given] = ownOptions(mixed);
  const servers = serversOf(options, scheme);
  const websocket = servers[0]?.websocket === true;
  if (websocket && options.tls)
    throw refusedOptionError("tls", "a WebSocket is made secure by wss:// and the option wsFactory");
  const tls = usesTls(options, servers);
  const later = !tls && options.reconnectDelayHandler === undefined && given.backoff === undefined;
  return {
    servers,
    endpoints: servers.map(({ endpoint }) => endpoint),
    library: {
      ...(library as ConnectionOptions),
      servers: servers.map(({ endpoint }) => endpointId(endpoint)),
      port: undefined as never,
      // When and where to dial is the engine's to decide; discovered servers are merged there too.
      reconnect: false,
      ignoreClusterUpdates: true,
      noRandomize: true,
      // The engine asks for a sign of life itself.
      pingInterval: natsDefaults.pingInterval,
      resolve: false,
    },
    resilience: { ...engineOptions(options, tls), ...given },
    tlsBackoff: later ? backoffOf(options, true) : undefined,
    webSocket: websocket ? webSocketFactory(wsFactory) : undefined,
    urlLogin: !options.user && !options.token && !options.authenticator,
    own,
    discover: options.ignoreClusterUpdates !== true,
    authAbort: options.ignoreAuthErrorAbort !== true,
    waitOnFirstConnect: options.waitOnFirstConnect === true,
  };
}

function ownOptions(mixed: NatsResilienceOptions): [NatsOwnOptions, ResilienceOptions] {
  const names = new Set(Object.keys(ownNames));
  const split = (mine: boolean): object =>
    Object.fromEntries(Object.entries(mixed).filter(([key]) => names.has(key) === mine));
  const own = ownShape.read(split(true), "resilience");
  const filled = {
    ...own,
    confirmWithinMs: own.confirmWithinMs ?? 100,
    writeStallMs: own.writeStallMs ?? Infinity,
  };
  return [filled as NatsOwnOptions, split(false)];
}

const ownNames: Readonly<Record<keyof NatsOwnOptions, true>> = {
  signal: true,
  confirmWithinMs: true,
  callbacks: true,
  credentials: true,
  lookup: true,
  unknownServerError: true,
  writeStallMs: true,
  reconnectOnWriteStall: true,
};

function serversOf(options: NatsConnectOptions, scheme: string): readonly ServerUrl[] {
  const given = typeof options.servers === "string" ? [options.servers] : (options.servers ?? []);
  if (given.length > 0 && options.port !== undefined)
    throw refusedOptionError("port", '"servers" is given, which has its own');
  if (given.length > 0) return parseServers(given, "servers", scheme);
  const port = options.port ?? (scheme === "nats" ? DEFAULT_PORT : 443);
  return parseServers([`127.0.0.1:${port}`], "servers", scheme);
}

function engineOptions(o: NatsConnectOptions, tls: boolean): ResilienceOptions {
  const maxAttempts = o.maxReconnectAttempts ?? natsDefaults.maxReconnectAttempts;
  return {
    backoff: backoffOf(o, tls),
    delayPer: "round",
    ...maxReconnect(o.maxReconnectAttempts === null ? 0 : maxAttempts, o.reconnect !== false),
    order: o.noRandomize === true ? "given" : "shuffled",
    retryInitial: o.waitOnFirstConnect === true,
    connectTimeoutMs: o.timeout || natsDefaults.timeout,
    ...liveness(o.pingInterval, o.maxPingOut),
    outbox: { bytes: natsDefaults.reconnectBufSize, entries: Infinity, ageMs: Infinity },
  };
}

function backoffOf(o: NatsConnectOptions, tls: boolean): Backoff {
  if (o.reconnectDelayHandler !== undefined)
    return immediately(fromFunction(o.reconnectDelayHandler, "reconnectDelayHandler"));
  return immediately(
    natsGoBackoff({
      reconnectWaitMs: o.reconnectTimeWait ?? natsDefaults.reconnectTimeWait,
      reconnectJitterMs: o.reconnectJitter ?? natsDefaults.reconnectJitter,
      reconnectJitterTlsMs: o.reconnectJitterTLS ?? natsDefaults.reconnectJitterTLS,
      tls,
      maxReconnect: -1, // counted for each server by the engine
    }),
  );
}

function usesTls(o: NatsConnectOptions, servers: readonly ServerUrl[]): boolean {
  return (o.tls !== undefined && o.tls !== null) || servers.some(({ endpoint }) => endpoint.tls === true);
}

/**
 * Attempts in a row on one server; any negative number is for ever. 0: the server that was lost is not dialled again,
 * each other one once.
 */
export function maxReconnect(
  max: number,
  reconnect: boolean,
): Pick<ResilienceOptions, "limits" | "reconnect"> {
  return { reconnect, limits: { maxAttemptsPerEndpoint: max < 0 ? Infinity : max } };
}

/**
 * Both peers call a connection stale at the first tick after `maxPingOut` unanswered ones: (max + 1) × interval.
 * With neither option given the engine's own bound (20 s) holds.
 */
export function liveness(
  pingInterval: number | undefined,
  maxPingOut: number | undefined,
): Pick<ResilienceOptions, "liveness"> {
  if (pingInterval === undefined && maxPingOut === undefined) return {};
  const intervalMs = pingInterval ?? natsDefaults.pingInterval;
  if (intervalMs <= 0) return { liveness: { idleProbeMs: false } };
  const pings = maxPingOut === undefined || maxPingOut <= 0 ? natsDefaults.maxPingOut : maxPingOut;
  return { liveness: { idleProbeMs: intervalMs, probeTimeoutMs: intervalMs * pings } };
}
