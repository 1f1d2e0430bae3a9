/** From the library's own options and ours to what a link needs: endpoints, policy, deadlines. */
import { isIP } from "node:net";
import { type Backoff, constant, fromFunction, immediately, presetNamed } from "../../backoff/index.ts";
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import {
  boolean,
  duration,
  integer,
  optionError,
  type ResilienceOptions,
  type ResolvedResilience,
  resolveResilience,
} from "../../options/index.ts";
import type { AnyRedisClientOptions } from "./library.ts";

/** `resilience` of a Redis client: the options of every driver, and where else the same data is served. */
export interface RedisClientResilience extends ResilienceOptions {
  /**
   * Further servers of the same data: `"host:port"`, `"redis://host:port"`, `"rediss://host:port"` (TLS), or an
   * endpoint. The server of `url` or `socket` comes first where one is given. Credentials and TLS settings are shared.
   */
  readonly endpoints?: readonly (string | Endpoint)[];
  /**
   * Waits between the sends of one call that the server refuses for now (LOADING, TRYAGAIN, CLUSTERDOWN …); when it
   * is exhausted the caller gets the refusal. Default: 100 ms, as often as `retry.maxRetries` allows.
   */
  readonly retryBackoff?: Backoff;
  /**
   * Sends a call again whose reply did not come within `commandOptions.timeout`, if that is safe, at most
   * `retry.maxRetries` times, each with the whole timeout. Default false: the timeout is the caller's, and over.
   */
  readonly retryTimeouts?: boolean;
  /**
   * Sends a call again that was lost with its connection, if that is safe, at most `retry.maxRetries` times. Default
   * true. False: it is told (`HF_LOST` with its outcome); what never reached the kernel still waits and is sent.
   */
  readonly retryLosses?: boolean;
  /**
   * The connection is lost when the server takes nothing of what is written for that long (milliseconds, 1 or more;
   * found at most a quarter of it later). Its calls end as at any loss. A write that is slow and goes on is left alone.
   * Default `Infinity`: none. go-redis' WriteTimeout and redis-py's socket_timeout set it.
   */
  readonly writeTimeoutMs?: number;
}

export interface RedisSettings {
  readonly retryBackoff: Backoff | undefined;
  readonly retryTimeouts: boolean;
  readonly retryLosses: boolean;
  /** Infinity: none. */
  readonly writeTimeoutMs: number;
  readonly endpoints: readonly Endpoint[];
  readonly resolved: ResolvedResilience;
  /** Emit `ping-interval` after each probe, as the library does. */
  readonly tellsPings: boolean;
}

type SocketOptions = NonNullable<AnyRedisClientOptions["socket"]>;
type LooseSocket = Partial<
  Record<"host" | "path" | "servername", string> & {
    port: number;
    tls: boolean;
    connectTimeout: number;
    reconnectStrategy: number | false | ((retries: number, cause: Error) => number | false | Error);
  }
>;

export function looseSocket(socket: SocketOptions | undefined): LooseSocket {
  return (socket ?? {}) as LooseSocket;
}

const defaultPort = 6379;
const writeTimeout = duration({ min: 1, max: Number.POSITIVE_INFINITY });

/**
 * @param options the library's options, its `url` already read into `socket`
 * @throws `HF_OPTION`
 */
export function readSettings(
  options: AnyRedisClientOptions,
  given: RedisClientResilience | undefined,
): RedisSettings {
  const {
    endpoints,
    retryBackoff,
    retryTimeouts = false,
    retryLosses = true,
    writeTimeoutMs = Infinity,
    ...resilience
  } = given ?? {};
  const socket = looseSocket(options.socket);
  const wishes = fromLibrary(options, socket);
  const resolved = resolveResilience({
    ...wishes,
    ...resilience,
    ...((wishes.liveness ?? resilience.liveness) && {
      liveness: { ...wishes.liveness, ...resilience.liveness },
    }),
    ...((wishes.outbox ?? resilience.outbox) && { outbox: { ...resilience.outbox, ...wishes.outbox } }),
  });
  return {
    retryBackoff,
    retryTimeouts: boolean().read(retryTimeouts, "resilience.retryTimeouts"),
    retryLosses: boolean().read(retryLosses, "resilience.retryLosses"),
    writeTimeoutMs: writeTimeout.read(writeTimeoutMs, "resilience.writeTimeoutMs"),
    endpoints: readEndpoints(socket, endpoints),
    resolved,
    tellsPings: options.pingInterval !== undefined,
  };
}

/** What the library's own options ask of the engine; `resilience` has the last word, except on what bounds a queue. */
function fromLibrary(options: AnyRedisClientOptions, socket: LooseSocket): ResilienceOptions {
  const { commandsQueueMaxLength, disableOfflineQueue, pingInterval } = options;
  const waiting = disableOfflineQueue ? 0 : commandsQueueMaxLength;
  return {
    ...(socket.connectTimeout !== undefined && { connectTimeoutMs: socket.connectTimeout }),
    ...fromStrategy(socket.reconnectStrategy),
    ...(pingInterval && { liveness: { idleProbeMs: pingInterval } }),
    ...(waiting !== undefined && { outbox: { entries: waiting } }),
  };
}

/**
 * Longer waits at first than the library (100 ms doubled to 2 s), growing more slowly to about the same: for no more
 * dials less is left to wait after an outage of 1 to 4 s, and the same after longer ones. The engine's default, made
 * for fleets, waits up to 7.5 s. Figures: docs/redis.md; shown by test/backoff/recovery.test.ts.
 */
const defaultBackoff: Backoff = presetNamed("holdfast-redis").backoff;

/** The library dials at once after a loss and asks its strategy, counting from 1, for every wait after that. */
function fromStrategy(strategy: LooseSocket["reconnectStrategy"]): ResilienceOptions {
  if (strategy === undefined) return { backoff: defaultBackoff };
  if (strategy === false) return { reconnect: false };
  if (typeof strategy === "number") return { backoff: immediately(constant(strategy)), retryInitial: true };
  const delayOf = fromFunction(({ attempt, cause }) => {
    const answer = strategy(attempt + 1, cause instanceof Error ? cause : new Error(String(cause)));
    return answer instanceof Error ? false : answer;
  }, "reconnectStrategy");
  return { backoff: immediately(delayOf), retryInitial: true };
}

function readEndpoints(
  socket: LooseSocket,
  more: RedisClientResilience["endpoints"] = [],
): readonly Endpoint[] {
  const named = socket.host !== undefined || socket.port !== undefined || socket.path !== undefined;
  const all = more.map((entry, i) => readEndpoint(entry, `resilience.endpoints[${i}]`, socket.tls === true));
  if (named || all.length === 0) all.unshift(ownEndpoint(socket));
  return [...new Map(all.map((endpoint) => [endpointId(endpoint), endpoint])).values()];
}

function ownEndpoint(socket: LooseSocket): Endpoint {
  if (socket.path !== undefined) return { host: "", port: 0, path: socket.path };
  return {
    host: socket.host ?? "localhost",
    port: socket.port ?? defaultPort,
    ...(socket.tls === true && { tls: true }),
    ...(socket.servername !== undefined && { serverName: socket.servername }),
  };
}

const endpointPort = integer({ min: 1, max: 65_535 });
const allowed = '"host:port", "redis://host:port", "rediss://host:port" or { host, port }';

function readEndpoint(entry: string | Endpoint, key: string, tls: boolean): Endpoint {
  if (typeof entry === "object" && entry !== null && typeof entry.host === "string") {
    if (entry.path !== undefined) return entry;
    endpointPort.read(entry.port, `${key}.port`);
    return tls ? { tls, ...entry } : entry;
  }
  if (typeof entry !== "string") throw optionError(key, entry, allowed);
  const given = /:(\d+)\/?$/.exec(entry)?.[1];
  if (given !== undefined && (Number(given) < 1 || Number(given) > 65_535)) {
    throw optionError(key, entry, allowed, `; its port ${given} is not from 1 to 65535`);
  }
  let url: URL;
  try {
    url = new URL(entry.includes("://") ? entry : `redis://${entry}`);
  } catch {
    throw optionError(key, entry, allowed);
  }
  const secure = url.protocol === "rediss:";
  if ((url.protocol !== "redis:" && !secure) || url.hostname === "") throw optionError(key, entry, allowed);
  if (url.username !== "" || url.password !== "" || !/^\/?$/.test(url.pathname) || url.search !== "") {
    throw optionError(key, entry, `${allowed}, without credentials or database: they are shared`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? defaultPort : Number(url.port);
  return { host, port, ...((secure || tls) && { tls: true }) };
}

/** The library's options for one connection: its own retrying, queueing and timing are all off, since ours are on. */
export function connectionOptions(
  base: AnyRedisClientOptions,
  endpoint: Endpoint,
  keepAliveMs: number | false,
  connectTimeoutMs: number,
  extra: AnyRedisClientOptions,
): AnyRedisClientOptions {
  const { url: _url, pingInterval: _ping, ...kept } = base;
  return {
    ...kept,
    ...extra,
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0 },
    socket: socketOptions(base.socket, endpoint, keepAliveMs, connectTimeoutMs),
  };
}

export function socketOptions(
  given: SocketOptions | undefined,
  endpoint: Endpoint,
  keepAliveMs: number | false,
  connectTimeoutMs: number,
): SocketOptions {
  const { host: _host, port: _port, path: _path, tls: _tls, ...rest } = looseSocket(given);
  const where =
    endpoint.path === undefined ? { host: endpoint.host, port: endpoint.port } : { path: endpoint.path };
  const name = endpoint.serverName ?? (isIP(endpoint.host) === 0 ? endpoint.host : undefined);
  return {
    keepAlive: keepAliveMs !== false,
    ...(keepAliveMs !== false && { keepAliveInitialDelay: keepAliveMs }),
    // Node gives up on each address of a name after 250 ms; every one may use its share of the whole deadline.
    ...(Number.isFinite(connectTimeoutMs) && {
      autoSelectFamilyAttemptTimeout: Math.max(250, Math.ceil(connectTimeoutMs / 3)),
    }),
    ...rest,
    ...where,
    ...(endpoint.tls === true && { tls: true, ...(name !== undefined && { servername: name }) }),
    connectTimeout: 0,
    reconnectStrategy: false,
  } as SocketOptions;
}
