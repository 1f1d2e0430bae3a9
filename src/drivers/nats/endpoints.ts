/** Server URLs as NATS writes them, and the members that a server names. */
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { optionError, redactText } from "../../options/index.ts";

export const DEFAULT_PORT = 4222;

/** What one server URL says: where, how, and as whom. */
export interface ServerUrl {
  readonly endpoint: Endpoint;
  /** Dialled through WebSocket (`ws://`, `wss://`). */
  readonly websocket: boolean;
  /** Path and query of a WebSocket URL. */
  readonly path: string;
  readonly user?: string;
  readonly pass?: string;
  /** A URL with a name but no password carries a token, as in nats.go. */
  readonly token?: string;
}

const schemes: Readonly<Record<string, { websocket: boolean; tls: boolean; port: number }>> = {
  nats: { websocket: false, tls: false, port: DEFAULT_PORT },
  tls: { websocket: false, tls: true, port: DEFAULT_PORT },
  ws: { websocket: true, tls: false, port: 80 },
  wss: { websocket: true, tls: true, port: 443 },
};

/**
 * Reads `nats://user:pass@host:port`, `tls://host`, `ws://host/path`, `wss://host`, `host:port`, `host`, `[v6]:port`.
 * @param scheme what a text without one has
 * @throws `HF_OPTION`
 */
export function parseServer(text: string, key = "servers", scheme = "nats"): ServerUrl {
  const allowed = 'a server such as "127.0.0.1:4222", "nats://host:4222", "tls://host" or "wss://host"';
  if (typeof text !== "string") throw optionError(key, text, allowed);
  const trimmed = text.trim();
  const schemed = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `${scheme}://${bracketed(trimmed)}`;
  const name = schemed.slice(0, schemed.indexOf(":")).toLowerCase();
  const kind = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
  if (kind === undefined) throw optionError(key, redactText(text), allowed);
  let url: URL;
  try {
    // A scheme that URL does not know: a known one's default port would be eaten.
    url = new URL(`natshost${schemed.slice(name.length)}`);
  } catch {
    throw optionError(key, redactText(text), allowed);
  }
  if (url.hostname === "") throw optionError(key, redactText(text), allowed);
  const endpoint: Endpoint = {
    host: unbracketed(url.hostname),
    port: url.port === "" ? kind.port : Number(url.port),
    ...(kind.tls && { tls: true }),
  };
  const path = kind.websocket ? `${url.pathname}${url.search}` : "";
  return { endpoint, websocket: kind.websocket, path: path === "" ? "/" : path, ...userInfo(url) };
}

/** Reads a whole list; WebSocket servers and others don't mix, as in both peers. */
export function parseServers(texts: readonly string[], key: string, scheme = "nats"): readonly ServerUrl[] {
  const servers = texts.map((text, i) =>
    parseServer(text, texts.length === 1 ? key : `${key}[${i}]`, scheme),
  );
  if (new Set(servers.map(({ websocket }) => websocket)).size > 1)
    throw optionError(key, texts.map(redactText), "WebSocket servers (ws://, wss://) or others, not both");
  return servers;
}

function userInfo(url: URL): Pick<ServerUrl, "user" | "pass" | "token"> {
  if (url.username === "") return {};
  const user = decodeURIComponent(url.username);
  return url.password === "" ? { token: user } : { user, pass: decodeURIComponent(url.password) };
}

/** The host text of a bare IPv6 address needs brackets before a URL can be read from it. */
function bracketed(text: string): string {
  return !text.includes("[") && text.split(":").length > 2 ? `[${text}]` : text;
}

function unbracketed(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** The members a server names in INFO. Addresses inherit what the certificate must say and whether to use TLS. */
export function discoveredEndpoints(
  connectUrls: readonly string[] | undefined,
  from: Endpoint,
  websocket = false,
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const text of connectUrls ?? []) {
    const { endpoint } = parseServer(text, "connect_urls", websocket ? "ws" : "nats");
    const serverName = from.serverName ?? (isAddress(from.host) ? undefined : from.host);
    const member: Endpoint = {
      ...endpoint,
      ...(from.tls && { tls: true }),
      ...(isAddress(endpoint.host) && serverName !== undefined && { serverName }),
    };
    found.set(endpointId(member), member);
  }
  return [...found.values()];
}

/** True for an IPv4 or IPv6 address, which no certificate name can be taken from. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}
