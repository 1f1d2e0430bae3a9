/** nats.go's options by their own names and defaults, into ours. Pure: nothing is dialled. */
import { fromFunction, immediately, natsGoBackoff } from "../../backoff/index.ts";
import {
  boolean,
  callback,
  duration,
  either,
  integer,
  listOf,
  object,
  oneOf,
  optional,
  type ResilienceOptions,
  string,
} from "../../options/index.ts";
import type { NatsCallbacks } from "./callbacks.ts";
import { liveness, maxReconnect, type NatsConnectOptions, natsDefaults } from "./options.ts";

/** Milliseconds, or a duration as Go writes it (`"2s"`, `"1m30s"`). */
type GoDuration = number | string;

/** The fields of nats.go's `Options` that concern the connection. All are optional; absent is nats.go's default. */
export interface NatsGoOptions<NC = unknown> extends NatsCallbacks<NC> {
  readonly Url?: string;
  readonly Servers?: readonly string[];
  /** Default `false`: the servers are shuffled. */
  readonly NoRandomize?: boolean;
  readonly Name?: string;
  /** Default `true`. */
  readonly AllowReconnect?: boolean;
  /** For each server; negative = never give up. Default 60. */
  readonly MaxReconnect?: number;
  /** Default 2 s. */
  readonly ReconnectWait?: GoDuration;
  /** Called after every server was tried without success, with 1, 2, 3…; returns the wait. No jitter is added. */
  readonly CustomReconnectDelayCB?: (attempts: number) => GoDuration;
  /** Upper bound of the random part without TLS. Default 100 ms. */
  readonly ReconnectJitter?: GoDuration;
  /** The same with TLS. Default 1 s. */
  readonly ReconnectJitterTLS?: GoDuration;
  /** Neither random part is larger. Named in NATS' text, absent from Go's code. Default: none. */
  readonly ReconnectJitterMax?: GoDuration;
  /** One attempt: resolve, TCP, TLS and handshake together. Default 2 s. */
  readonly Timeout?: GoDuration;
  /** 0 or negative: no pings. Default here: the engine's own probe (docs/nats.md); nats.go's is 2 min. */
  readonly PingInterval?: GoDuration;
  /** Unanswered pings after which the connection is stale. Default 2. */
  readonly MaxPingsOut?: number;
  /** Bytes; 0 = the default of 8 MiB, negative = nothing is kept. */
  readonly ReconnectBufSize?: number;
  /** Default `false`. */
  readonly RetryOnFailedConnect?: boolean;
  readonly IgnoreDiscoveredServers?: boolean;
  readonly IgnoreAuthErrorAbort?: boolean;
  readonly Secure?: boolean;
  readonly User?: string;
  readonly Password?: string;
  readonly Token?: string;
  readonly InboxPrefix?: string;
  readonly NoEcho?: boolean;
  readonly Verbose?: boolean;
  readonly Pedantic?: boolean;
}

const time = duration({ min: 0, max: Number.POSITIVE_INFINITY });
const signed = either(integer({}), duration({ min: Number.NEGATIVE_INFINITY }));
const cb = optional(callback<(...args: never[]) => unknown>());

const shape = object({
  Url: optional(string()),
  Servers: optional(listOf(string())),
  NoRandomize: optional(boolean()),
  Name: optional(string({ allowEmpty: true })),
  AllowReconnect: optional(boolean()),
  MaxReconnect: optional(integer({})),
  ReconnectWait: optional(time),
  CustomReconnectDelayCB: cb,
  ReconnectJitter: optional(time),
  ReconnectJitterTLS: optional(time),
  ReconnectJitterMax: optional(time),
  Timeout: optional(duration({ min: 1 })),
  PingInterval: optional(signed),
  MaxPingsOut: optional(integer({})),
  ReconnectBufSize: optional(integer({})),
  RetryOnFailedConnect: optional(boolean()),
  IgnoreDiscoveredServers: optional(boolean()),
  IgnoreAuthErrorAbort: optional(boolean()),
  Secure: optional(boolean()),
  User: optional(string()),
  Password: optional(string({ allowEmpty: true })),
  Token: optional(string()),
  InboxPrefix: optional(string()),
  NoEcho: optional(boolean()),
  Verbose: optional(boolean()),
  Pedantic: optional(boolean()),
  ConnectedCB: cb,
  DisconnectedCB: cb,
  DisconnectedErrCB: cb,
  ReconnectedCB: cb,
  ReconnectErrCB: cb,
  DiscoveredServersCB: cb,
  AsyncErrorCB: cb,
  LameDuckModeHandler: cb,
  ClosedCB: cb,
  NoCallbacksAfterClientClose: optional(boolean()),
  RetriedFirstConnectIs: optional(oneOf(["ConnectedCB", "ReconnectedCB"] as const)),
});

const CALLBACKS = [
  "ConnectedCB",
  "DisconnectedCB",
  "DisconnectedErrCB",
  "ReconnectedCB",
  "ReconnectErrCB",
  "DiscoveredServersCB",
  "AsyncErrorCB",
  "LameDuckModeHandler",
  "ClosedCB",
  "NoCallbacksAfterClientClose",
  "RetriedFirstConnectIs",
] as const;

/** @throws `HF_OPTION` naming key, value and what is allowed; an unknown key with "did you mean" */
export function fromGoOptions<NC>(options: NatsGoOptions<NC> = {}): NatsConnectOptions {
  const go = shape.read(options, "");
  const servers = [...(go.Url === undefined ? [] : go.Url.split(",")), ...(go.Servers ?? [])];
  const tls = go.Secure === true || servers.some((server) => /^\s*tls:\/\//i.test(server));
  const callbacks = Object.fromEntries(
    CALLBACKS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  const library: NatsConnectOptions = {
    ...(servers.length > 0 && { servers }),
    noRandomize: go.NoRandomize ?? false,
    ignoreClusterUpdates: go.IgnoreDiscoveredServers ?? false,
    ignoreAuthErrorAbort: go.IgnoreAuthErrorAbort ?? false,
    ...(go.Name && { name: go.Name }),
    ...(go.Secure === true && { tls: {} }),
    ...(go.User !== undefined && { user: go.User }),
    ...(go.Password !== undefined && { pass: go.Password }),
    ...(go.Token !== undefined && { token: go.Token }),
    ...(go.InboxPrefix !== undefined && { inboxPrefix: go.InboxPrefix }),
    ...(go.NoEcho !== undefined && { noEcho: go.NoEcho }),
    ...(go.Verbose !== undefined && { verbose: go.Verbose }),
    ...(go.Pedantic !== undefined && { pedantic: go.Pedantic }),
  };
  return { ...library, resilience: { ...engineOptions(options, go, tls), callbacks } };
}

function engineOptions(
  options: NatsGoOptions<never>,
  go: ReturnType<typeof shape.read>,
  tls: boolean,
): ResilienceOptions {
  const custom = options.CustomReconnectDelayCB;
  const bufSize = go.ReconnectBufSize ?? 0;
  return {
    backoff: immediately(
      custom === undefined
        ? natsGoBackoff({
            reconnectWaitMs: go.ReconnectWait ?? natsDefaults.reconnectTimeWait,
            reconnectJitterMs: go.ReconnectJitter ?? natsDefaults.reconnectJitter,
            reconnectJitterTlsMs: go.ReconnectJitterTLS ?? natsDefaults.reconnectJitterTLS,
            ...(go.ReconnectJitterMax !== undefined && { reconnectJitterMaxMs: go.ReconnectJitterMax }),
            tls,
            maxReconnect: -1, // counted for each server by the engine
          })
        : fromFunction(
            ({ attempt }) => time.read(custom(Math.max(1, attempt)), "CustomReconnectDelayCB()"),
            "CustomReconnectDelayCB",
          ),
    ),
    delayPer: "round",
    ...maxReconnect(go.MaxReconnect ?? natsDefaults.maxReconnectAttempts, go.AllowReconnect !== false),
    connectTimeoutMs: go.Timeout ?? natsDefaults.timeout,
    ...liveness(go.PingInterval, go.MaxPingsOut),
    outbox: {
      bytes: bufSize === 0 ? natsDefaults.reconnectBufSize : Math.max(0, bufSize),
      entries: Number.POSITIVE_INFINITY,
      ageMs: Number.POSITIVE_INFINITY,
    },
    retryInitial: go.RetryOnFailedConnect ?? false,
  };
}
