/** nats.go's options by their own names and defaults, into ours. Pure: nothing is dialled. */
import type { ConnectionOptions } from "@nats-io/transport-node";
import { fromFunction, immediately } from "../../backoff/index.ts";
import {
  boolean,
  type Check,
  callback,
  duration,
  either,
  integer,
  listOf,
  object,
  oneOf,
  optional,
  optionError,
  string,
} from "../../options/index.ts";
import type { NatsCallbacks } from "./callbacks.ts";
import { type GoCredentials, goAuthenticators, goCredentialNames } from "./credentials.ts";
import { refuseGoOptions } from "./go-refused.ts";
import { type NatsConnectOptions, type NatsResilienceOptions, natsDefaults } from "./options.ts";

/** Milliseconds, or a duration as Go writes it (`"2s"`, `"1m30s"`). */
type GoDuration = number | string;

/**
 * The fields of nats.go's `Options`, all optional; absent is nats.go's default. Those that have no counterpart here are
 * refused, each with its reason.
 */
export interface NatsGoOptions<NC = unknown> extends NatsCallbacks<NC>, GoCredentials {
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
  /** TLS is demanded from this side too. */
  readonly Secure?: boolean;
  /** TLS settings as nats.js takes them; their presence demands TLS. */
  readonly TLSConfig?: NonNullable<NatsConnectOptions["tls"]>;
  /** TLS before the server's INFO; the server must be set up for it. Default `false`. */
  readonly TLSHandshakeFirst?: boolean;
  /** Chooses server and delay of each attempt, as nats.js' `reconnectToServer` does. */
  readonly ReconnectToServerCB?: NonNullable<ConnectionOptions["reconnectToServer"]>;
  /** How long a drain may take. Default here: `drainTimeoutMs`; nats.go's is 30 s. */
  readonly DrainTimeout?: GoDuration;
  /** A server that takes no written byte for this long is told as an async error. Default here: never; nats.go's is 1 min. */
  readonly FlusherTimeout?: GoDuration;
  /** A stalled write ends the connection. Default `false`. */
  readonly ReconnectOnFlusherError?: boolean;
  readonly User?: string;
  readonly Password?: string;
  readonly Token?: string;
  readonly InboxPrefix?: string;
  readonly NoEcho?: boolean;
  readonly Verbose?: boolean;
  readonly Pedantic?: boolean;
  /** nats.js always does this: only `true` is taken. */
  readonly PermissionErrOnSubscribe?: true;
  /** nats.js always checks: only `false` is taken. */
  readonly SkipSubjectValidation?: false;
}

const time = duration({ min: 0, max: Number.MAX_SAFE_INTEGER });
const signed = either(integer({}), duration({ min: Number.NEGATIVE_INFINITY }));
const cb = optional(callback<(...args: never[]) => unknown>());

/** Read by what it is for; never shown. */
const secret: Check<unknown> = { allowed: "a secret", read: (value) => value };
const settings: Check<object> = {
  allowed: "an object",
  read(value, key) {
    if (typeof value === "object" && value !== null) return value;
    throw optionError(key, "***", "an object");
  },
};

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
  TLSConfig: optional(settings),
  TLSHandshakeFirst: optional(boolean()),
  ReconnectToServerCB: cb,
  DrainTimeout: optional(time),
  FlusherTimeout: optional(duration({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  ReconnectOnFlusherError: optional(boolean()),
  UserCredentials: optional(either(string(), listOf(string(), 2))),
  UserCredentialBytes: optional(secret),
  UserJWT: cb,
  UserJWTAndSeed: optional(secret),
  Nkey: optional(string()),
  SignatureCB: cb,
  NkeyOptionFromSeed: optional(string()),
  TokenHandler: cb,
  UserInfo: cb,
  User: optional(string()),
  Password: optional(string({ allowEmpty: true })),
  Token: optional(string()),
  InboxPrefix: optional(string()),
  NoEcho: optional(boolean()),
  Verbose: optional(boolean()),
  Pedantic: optional(boolean()),
  PermissionErrOnSubscribe: optional(boolean()),
  SkipSubjectValidation: optional(boolean()),
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
  refuseGoOptions(options);
  const go = shape.read(options, "");
  const servers = [...(go.Url === undefined ? [] : go.Url.split(",")), ...(go.Servers ?? [])];
  const callbacks = picked(options, CALLBACKS);
  const authenticators = goAuthenticators(picked(options, goCredentialNames));
  const jitter = (wanted: number | undefined, usual: number): number =>
    Math.min(wanted ?? usual, go.ReconnectJitterMax ?? Number.POSITIVE_INFINITY);
  const tls = go.Secure === true || go.TLSConfig !== undefined || go.TLSHandshakeFirst === true;
  return {
    ...(servers.length > 0 && { servers }),
    noRandomize: go.NoRandomize ?? false,
    ignoreClusterUpdates: go.IgnoreDiscoveredServers ?? false,
    ignoreAuthErrorAbort: go.IgnoreAuthErrorAbort ?? false,
    reconnect: go.AllowReconnect ?? true,
    maxReconnectAttempts: go.MaxReconnect ?? natsDefaults.maxReconnectAttempts,
    reconnectTimeWait: go.ReconnectWait ?? natsDefaults.reconnectTimeWait,
    reconnectJitter: jitter(go.ReconnectJitter, natsDefaults.reconnectJitter),
    reconnectJitterTLS: jitter(go.ReconnectJitterTLS, natsDefaults.reconnectJitterTLS),
    timeout: go.Timeout ?? natsDefaults.timeout,
    ...(go.PingInterval !== undefined && { pingInterval: go.PingInterval }),
    ...(go.MaxPingsOut !== undefined && { maxPingOut: go.MaxPingsOut }),
    ...(options.ReconnectToServerCB && { reconnectToServer: options.ReconnectToServerCB }),
    ...(tls && { tls: { ...options.TLSConfig, ...(go.TLSHandshakeFirst && { handshakeFirst: true }) } }),
    ...(authenticators.length > 0 && { authenticator: [...authenticators] }),
    ...(go.Name && { name: go.Name }),
    ...(go.User !== undefined && { user: go.User }),
    ...(go.Password !== undefined && { pass: go.Password }),
    ...(go.Token !== undefined && { token: go.Token }),
    ...(go.InboxPrefix !== undefined && { inboxPrefix: go.InboxPrefix }),
    ...(go.NoEcho !== undefined && { noEcho: go.NoEcho }),
    ...(go.Verbose !== undefined && { verbose: go.Verbose }),
    ...(go.Pedantic !== undefined && { pedantic: go.Pedantic }),
    resilience: { ...resilienceOf(options, go), callbacks },
  };
}

/** Those of the named options that are given, as they are. */
function picked<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as Pick<T, K>;
}

/** nats.go gives up a stalled write after a minute, if one asks for it at all. */
const FLUSHER_TIMEOUT_MS = 60_000;

function resilienceOf(
  options: NatsGoOptions<never>,
  go: ReturnType<typeof shape.read>,
): NatsResilienceOptions {
  const custom = options.CustomReconnectDelayCB;
  const bufSize = go.ReconnectBufSize ?? 0;
  const stallMs = go.FlusherTimeout ?? (go.ReconnectOnFlusherError ? FLUSHER_TIMEOUT_MS : undefined);
  const delay = ({ attempt }: { readonly attempt: number }): number =>
    time.read(custom?.(Math.max(1, attempt)), "CustomReconnectDelayCB()");
  return {
    ...(custom !== undefined && { backoff: immediately(fromFunction(delay, "CustomReconnectDelayCB")) }),
    ...(go.DrainTimeout !== undefined && { drainTimeoutMs: go.DrainTimeout }),
    ...(stallMs !== undefined && { writeStallMs: stallMs }),
    ...(go.ReconnectOnFlusherError && { reconnectOnWriteStall: true }),
    outbox: {
      bytes: bufSize === 0 ? natsDefaults.reconnectBufSize : Math.max(0, bufSize),
      entries: Number.POSITIVE_INFINITY,
      ageMs: Number.POSITIVE_INFINITY,
    },
    retryInitial: go.RetryOnFailedConnect ?? false,
  };
}
