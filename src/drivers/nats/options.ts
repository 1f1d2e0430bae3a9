/** nats.js' own options into what the engine takes and what the library keeps. Pure: nothing is dialled. */
import type { ConnectionOptions, Server, TlsOptions } from "@nats-io/transport-node";
import { fromFunction, immediately, natsGoBackoff } from "../../backoff/index.ts";
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import type { Chooser } from "../../link/index.ts";
import { optionError, type ResilienceOptions } from "../../options/index.ts";
import type { NatsCallbacks } from "./callbacks.ts";
import { DEFAULT_PORT, parseServer, type ServerUrl } from "./endpoints.ts";

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
}

/** nats.js' connection options plus `resilience`. */
export interface NatsConnectOptions extends Omit<ConnectionOptions, "tls"> {
  /** `null` refuses TLS also where the server offers it. */
  readonly tls?: (TlsOptions & { readonly rejectUnauthorized?: boolean }) | null;
  readonly resilience?: NatsResilienceOptions;
}

/** Everything a connection is made of. */
export interface NatsPlan {
  readonly endpoints: readonly Endpoint[];
  /** What the library itself is given; its own reconnecting is off. */
  readonly library: ConnectionOptions;
  readonly resilience: ResilienceOptions;
  readonly signal: AbortSignal | undefined;
  readonly confirmWithinMs: number;
  readonly callbacks: NatsCallbacks<never> | undefined;
  /** Members that a server names are dialled too. */
  readonly discover: boolean;
  /** The same refusal of credentials twice from one server ends the connection. */
  readonly authAbort: boolean;
  /** Wait for the first connection although it is retried. */
  readonly waitOnFirstConnect: boolean;
}

/** @throws `HF_OPTION` naming key, value and what is allowed */
export function fromNatsOptions(options: NatsConnectOptions = {}): NatsPlan {
  const { resilience: own = {}, ...library } = options;
  const { signal, confirmWithinMs = 100, callbacks, ...given } = own;
  if (!(confirmWithinMs >= 0))
    throw optionError("resilience.confirmWithinMs", confirmWithinMs, "milliseconds, at least 0");
  const servers = serversOf(options);
  const credentials = servers.find((server) => server.user !== undefined || server.token !== undefined);
  return {
    endpoints: servers.map(({ endpoint }) => endpoint),
    library: {
      ...(library as ConnectionOptions),
      ...credentialsOf(options, credentials),
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
    resilience: { ...engineOptions(options), ...given },
    signal,
    confirmWithinMs,
    callbacks,
    discover: options.ignoreClusterUpdates !== true,
    authAbort: options.ignoreAuthErrorAbort !== true,
    waitOnFirstConnect: options.waitOnFirstConnect === true,
  };
}

function serversOf(options: NatsConnectOptions): readonly ServerUrl[] {
  const given = typeof options.servers === "string" ? [options.servers] : (options.servers ?? []);
  if (given.length > 0 && options.port !== undefined)
    throw optionError("port", options.port, 'absent when "servers" is given');
  if (given.length === 0) return [parseServer(`127.0.0.1:${options.port ?? DEFAULT_PORT}`)];
  return given.map((text, i) => parseServer(text, given.length === 1 ? "servers" : `servers[${i}]`));
}

/** nats.js ignores credentials in a URL without a word; nats.go uses them, and so do we unless others are given. */
function credentialsOf(options: NatsConnectOptions, url: ServerUrl | undefined): Partial<ConnectionOptions> {
  if (url === undefined || options.user || options.token || options.authenticator) return {};
  if (url.token !== undefined) return { token: url.token };
  return { user: url.user as string, pass: url.pass as string };
}

function engineOptions(o: NatsConnectOptions): ResilienceOptions {
  const maxAttempts = o.maxReconnectAttempts ?? natsDefaults.maxReconnectAttempts;
  return {
    backoff: immediately(
      o.reconnectDelayHandler === undefined
        ? natsGoBackoff({
            reconnectWaitMs: o.reconnectTimeWait ?? natsDefaults.reconnectTimeWait,
            reconnectJitterMs: o.reconnectJitter ?? natsDefaults.reconnectJitter,
            reconnectJitterTlsMs: o.reconnectJitterTLS ?? natsDefaults.reconnectJitterTLS,
            tls: usesTls(o),
            maxReconnect: -1,
          })
        : fromFunction(o.reconnectDelayHandler, "reconnectDelayHandler"),
    ),
    delayPer: "round",
    ...maxReconnect(maxAttempts, o.reconnect !== false),
    order: o.noRandomize === true ? "given" : "shuffled",
    retryInitial: o.waitOnFirstConnect === true,
    connectTimeoutMs: o.timeout ?? natsDefaults.timeout,
    ...liveness(o.pingInterval, o.maxPingOut),
    outbox: { bytes: natsDefaults.reconnectBufSize, entries: Infinity, ageMs: Infinity },
  };
}

function usesTls(o: NatsConnectOptions): boolean {
  const servers = typeof o.servers === "string" ? [o.servers] : (o.servers ?? []);
  return (o.tls !== undefined && o.tls !== null) || servers.some((server) => /^tls:\/\//i.test(server));
}

/** Attempts in a row on one server; any negative number is for ever, 0 is none. */
export function maxReconnect(
  max: number | null,
  reconnect: boolean,
): Pick<ResilienceOptions, "limits" | "reconnect"> {
  if (max === null || max === 0) return { reconnect: false };
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

/**
 * nats.js' `reconnectToServer` as a chooser. A handler that throws, or names a server that is not in the pool, is
 * reported and gets the default choice; in the library it closes the connection for good.
 */
export function chooserOf(
  handler: NonNullable<ConnectionOptions["reconnectToServer"]>,
  report: (error: unknown) => void,
): Chooser {
  return ({ candidates }) => {
    try {
      const answer = handler(candidates.map(serverOf), null);
      if (answer === null || answer === undefined) return undefined;
      const { server, delay } = "delay" in answer ? answer : { server: answer, delay: 0 };
      const known = candidates.find((candidate) => candidate.id === server?.listen);
      if (known === undefined) throw new Error("reconnectToServer returned a server that is not in the pool");
      return { endpointId: known.id, delayMs: Number.isFinite(delay) && delay > 0 ? Math.floor(delay) : 0 };
    } catch (error) {
      report(error);
      return undefined;
    }
  };
}

/** What is known of a candidate, in a snapshot or to a chooser. */
interface KnownServer {
  readonly id: string;
  readonly origin: string;
  readonly failures: number;
  readonly dialledMs?: number;
}

/** One candidate as nats.js shows it to handlers and in `getServers()`. */
export function serverOf({ id, origin, failures, dialledMs = 0 }: KnownServer): Server {
  const { host, port } = parseServer(id).endpoint;
  const dialled = Number.isFinite(dialledMs);
  return {
    hostname: host,
    port,
    listen: id,
    src: id,
    tlsName: "",
    reconnects: failures,
    lastConnect: dialled ? dialledMs : 0,
    gossiped: origin === "discovered",
    didConnect: dialled && failures === 0,
  };
}
