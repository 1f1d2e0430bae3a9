/** The options of a TCP client: validated as a whole before anything is dialled. */
import type { Endpoint } from "../../endpoint/index.ts";
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
  optionError,
  type ResilienceOptions,
  type ResolvedResilience,
  refusedOptionError,
  resolveResilience,
  string,
} from "../../options/index.ts";
import type { ConnectionSettings } from "./connection.ts";
import {
  type Framing,
  type FramingSettings,
  fromUnpackSetting,
  readFraming,
  type UnpackSetting,
} from "./framing/index.ts";
import { createHeartbeat, type HeartbeatSettings } from "./heartbeat.ts";
import { type GivenReconnectSetting, snakeSetting } from "./policy.ts";
import type { ReconnectSetting } from "./reconnect-setting.ts";
import type { Lookup } from "./resolve.ts";
import type { TlsSettings } from "./socket.ts";
import { parseTcpUrl } from "./url.ts";

/** One server: a URL, or its parts. `tls` is by default what the client's `tls` says. */
export type TcpEndpoint =
  | string
  | { readonly host: string; readonly port: number; readonly tls?: boolean; readonly serverName?: string };

/** Milliseconds everywhere; a timeout of 0 is off. Exactly one of `url`, `port` and `endpoints` says where to dial. */
export interface TcpClientOptions {
  /** `tcp://host:port` or `tls://host:port`. */
  readonly url?: string;
  /** Default `127.0.0.1`, as libhv's `createsocket(port)`. */
  readonly host?: string;
  readonly port?: number;
  /** Several servers, to fail over between. */
  readonly endpoints?: readonly TcpEndpoint[];
  /** `true`, or TLS settings. Certificates are verified unless `rejectUnauthorized: false` is said outright. */
  readonly tls?: boolean | TlsSettings;
  /** How the stream is cut into frames. Default: not at all, chunks come as they are. */
  readonly framing?: FramingSettings;
  /** The same in libhv's words; not beside `framing`. */
  readonly unpack?: UnpackSetting;
  /** As `setReconnect`; `null` = never. Without it our own defaults hold. */
  readonly reconnect?: GivenReconnectSetting | null;
  /** libhv's name for `resilience.connectTimeoutMs`. */
  readonly connect_timeout?: number;
  /** For every connection: see `Channel.setKeepaliveTimeout`. Default off. */
  readonly keepaliveTimeoutMs?: number;
  /** For every connection: see `Channel.setReadTimeout`. Default off. */
  readonly readTimeoutMs?: number;
  /** For every connection: see `Channel.setWriteTimeout`. Default off. */
  readonly writeTimeoutMs?: number;
  /** For every connection: how long `channel.close()` waits for the kernel. Default 60,000, as libhv. */
  readonly closeTimeoutMs?: number;
  /** For every connection. Default none. */
  readonly heartbeat?: HeartbeatSettings;
  /** Send small writes at once. Default `true`. */
  readonly noDelay?: boolean;
  /** Finds the addresses of a host. Default: the system's resolver. */
  readonly lookup?: Lookup;
  readonly resilience?: ResilienceOptions;
}

/** Options after validation. */
export interface ResolvedTcpOptions {
  readonly endpoints: readonly Endpoint[];
  readonly tls: TlsSettings;
  readonly connection: ConnectionSettings;
  readonly reconnect: ReconnectSetting | null | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly noDelay: boolean;
  readonly lookup: Lookup | undefined;
  readonly given: ResilienceOptions;
  readonly resilience: ResolvedResilience;
}

/** libhv's close timeout. */
const closeTimeoutMs = 60_000;

/** Most clients of a large fleet say nothing of these: they share one object each. */
const nothingGiven: ResilienceOptions = Object.freeze({});
const noTls: TlsSettings = Object.freeze({});
const noFraming: Framing = Object.freeze({ mode: "none" });
const connectionKeys = [
  "framing",
  "unpack",
  "keepaliveTimeoutMs",
  "readTimeoutMs",
  "writeTimeoutMs",
  "closeTimeoutMs",
  "heartbeat",
] as const satisfies readonly (keyof TcpClientOptions)[];
const defaultConnection: ConnectionSettings = Object.freeze({
  framing: noFraming,
  keepaliveTimeoutMs: Infinity,
  readTimeoutMs: Infinity,
  writeTimeoutMs: Infinity,
  closeTimeoutMs,
  heartbeat: undefined,
});

const anything: Check<unknown> = { allowed: "any value", read: (value) => value };
const port = integer({ min: 1, max: 65_535 });
const timeout = optional(number({ min: 0, max: Infinity }));

const tlsShape = object({
  ca: optional(anything),
  cert: optional(anything),
  key: optional(anything),
  pfx: optional(anything),
  passphrase: optional(anything),
  secureContext: optional(anything),
  ciphers: optional(string()),
  minVersion: optional(oneOf(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"])),
  maxVersion: optional(oneOf(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"])),
  ALPNProtocols: optional(anything),
  serverName: optional(string()),
  rejectUnauthorized: optional(boolean()),
});

const endpointShape = object({
  host: string(),
  port,
  tls: optional(boolean()),
  serverName: optional(string()),
});

const shape = object({
  url: optional(string()),
  host: optional(string()),
  port: optional(port),
  endpoints: optional(listOf(either(string(), anything), 1)),
  tls: optional(anything),
  framing: optional(anything),
  unpack: optional(anything),
  reconnect: optional(anything),
  connect_timeout: optional(number({ min: 1, max: Infinity })),
  keepaliveTimeoutMs: timeout,
  readTimeoutMs: timeout,
  writeTimeoutMs: timeout,
  closeTimeoutMs: timeout,
  heartbeat: optional(anything),
  noDelay: optional(boolean()),
  lookup: optional(callback<Lookup>()),
  resilience: optional(anything),
});

/** Throws `HF_OPTION` for the first thing that is wrong; dials nothing. */
export function resolveTcpOptions(options: TcpClientOptions): ResolvedTcpOptions {
  const read = shape.read(options, "");
  const given = options.resilience ?? nothingGiven;
  const resilience = resolveResilience(given);
  const tls = readTls(options.tls);
  if (options.heartbeat !== undefined) createHeartbeat(options.heartbeat, 0);
  refuseContradictions(options, given);
  return {
    endpoints: readEndpoints(options, tls !== undefined),
    tls: tls ?? noTls,
    connection: connectionKeys.some((key) => options[key] !== undefined)
      ? {
          framing: framingOf(options),
          keepaliveTimeoutMs: read.keepaliveTimeoutMs || Infinity,
          readTimeoutMs: read.readTimeoutMs || Infinity,
          writeTimeoutMs: read.writeTimeoutMs || Infinity,
          closeTimeoutMs: read.closeTimeoutMs ?? closeTimeoutMs,
          heartbeat: options.heartbeat,
        }
      : defaultConnection,
    reconnect: options.reconnect ? snakeSetting(options.reconnect, "reconnect") : options.reconnect,
    connectTimeoutMs: read.connect_timeout,
    noDelay: read.noDelay ?? true,
    lookup: read.lookup,
    given,
    resilience,
  };
}

function refuseContradictions(options: TcpClientOptions, given: ResilienceOptions): void {
  if (options.framing !== undefined && options.unpack !== undefined)
    throw refusedOptionError("unpack", 'it says the same as "framing"; give one of them');
  if (options.reconnect !== undefined && given.backoff !== undefined)
    throw refusedOptionError("resilience.backoff", '"reconnect" says already when to dial; give one of them');
  if (options.connect_timeout !== undefined && given.connectTimeoutMs !== undefined)
    throw refusedOptionError("connect_timeout", 'it says the same as "resilience.connectTimeoutMs"');
}

function framingOf({ framing, unpack }: TcpClientOptions): Framing {
  if (unpack !== undefined) return fromUnpackSetting(unpack);
  return framing === undefined ? noFraming : readFraming(framing);
}

function readTls(tls: unknown): TlsSettings | undefined {
  if (tls === undefined || tls === false) return undefined;
  return tls === true ? {} : (tlsShape.read(tls, "tls") as TlsSettings);
}

function readEndpoints(options: TcpClientOptions, tlsByDefault: boolean): Endpoint[] {
  const { url, host, port: onePort, endpoints } = options;
  const ways = [url, onePort, endpoints].filter((way) => way !== undefined).length;
  if (ways > 1)
    throw refusedOptionError(url === undefined ? "endpoints" : "url", "say where to dial in one way");
  if (host !== undefined && onePort === undefined) throw optionError("port", undefined, port.allowed);
  if (ways === 0) throw optionError("port", undefined, `${port.allowed}, or a url, or endpoints`);
  if (url !== undefined) return [fromUrl(url, "url", options.tls)];
  if (onePort !== undefined) return [withTls({ host: host ?? "127.0.0.1", port: onePort }, tlsByDefault)];
  return (endpoints ?? []).map((one, i) => {
    const key = `endpoints[${i}]`;
    if (typeof one === "string") return fromUrl(one, key, options.tls);
    const { tls, ...rest } = endpointShape.read(one, key);
    return withTls(rest as Endpoint, tls ?? tlsByDefault);
  });
}

function withTls(endpoint: Endpoint, tls: boolean): Endpoint {
  return tls ? { ...endpoint, tls } : endpoint;
}

/** The scheme decides; a client with TLS settings that dials `tcp://` would send in the clear what was meant to be safe. */
function fromUrl(url: string, key: string, tls: TcpClientOptions["tls"]): Endpoint {
  const endpoint = parseTcpUrl(url, key);
  if (tls !== undefined && (tls !== false) !== (endpoint.tls === true))
    throw refusedOptionError("tls", `it contradicts the scheme of "${key}"`);
  return endpoint;
}
