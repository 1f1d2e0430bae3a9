import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { optionError, redactText } from "../../options/index.ts";

export const DEFAULT_PORT = 4222;

/** What one server URL says: where, and as whom. */
export interface ServerUrl {
  readonly endpoint: Endpoint;
  readonly user?: string;
  readonly pass?: string;
  /** A URL with a name but no password carries a token, as in nats.go. */
  readonly token?: string;
}

/** Reads `nats://user:pass@host:port`, `tls://host`, `host:port`, `host`, `[v6]:port`. Throws `HF_OPTION`. */
export function parseServer(text: string, key = "servers"): ServerUrl {
  const trimmed = text.trim();
  const schemed = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `nats://${bracketed(trimmed)}`;
  const allowed = 'a server such as "127.0.0.1:4222", "nats://host:4222" or "tls://host"';
  const scheme = schemed.slice(0, schemed.indexOf(":")).toLowerCase();
  if (scheme !== "nats" && scheme !== "tls") throw optionError(key, redactText(text), allowed);
  let url: URL;
  try {
    // The special scheme lets URL split host and port; its own default port must not be eaten.
    url = new URL(`natshost${schemed.slice(scheme.length)}`);
  } catch {
    throw optionError(key, redactText(text), allowed);
  }
  if (url.hostname === "") throw optionError(key, redactText(text), allowed);
  const host = unbracketed(url.hostname);
  const endpoint: Endpoint = {
    host,
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    ...(scheme === "tls" && { tls: true }),
  };
  return { endpoint, ...userInfo(url) };
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
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const text of connectUrls ?? []) {
    const { endpoint } = parseServer(text, "connect_urls");
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
