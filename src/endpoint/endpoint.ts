/** One address a client may dial. */
export interface Endpoint {
  /** Host name or address; empty for a unix socket. */
  readonly host: string;
  /** 1–65535; 0 for a unix socket. */
  readonly port: number;
  /** A unix socket's path, instead of host and port. */
  readonly path?: string;
  /** Dial with TLS. Default `false`. */
  readonly tls?: boolean;
  /** Name the certificate must carry; default is `host`. */
  readonly serverName?: string;
}

/** What identifies an endpoint in events, logs and the governor: `host:port`, `[v6]:port` or the path. */
export function endpointId(endpoint: Endpoint): string {
  if (endpoint.path !== undefined) return endpoint.path;
  return `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}
