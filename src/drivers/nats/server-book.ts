/** What is known of each server beside what the engine keeps: its URL, as whom to log in, when it was dialled. */
import type { Auth, Server } from "@nats-io/transport-node";
import { type Endpoint, endpointId } from "../../endpoint/index.ts";
import { optionError } from "../../options/index.ts";
import { isAddress, parseServers, type ServerUrl } from "./endpoints.ts";

/** A candidate as the engine shows it. */
interface Known {
  readonly id: string;
  readonly origin: string;
  readonly failures: number;
}

export class ServerBook {
  /** All servers are dialled through WebSocket, or none. */
  readonly websocket: boolean;
  /** What a server without a scheme has in `setServers`. */
  readonly #scheme: string;
  #given: ReadonlyMap<string, ServerUrl>;
  /** Members take over the login of the server that named them, as in nats.go. */
  readonly #members: Map<string, ServerUrl> = new Map();
  readonly #dialledMs: Map<string, number> = new Map();
  readonly #connected: Set<string> = new Set();
  #current = "";

  constructor(servers: readonly ServerUrl[]) {
    const first = servers[0];
    this.websocket = first?.websocket === true;
    this.#scheme = this.websocket ? (first?.endpoint.tls ? "wss" : "ws") : "nats";
    this.#given = byId(servers);
  }

  /** Reads the owner's new list; nothing is changed when one entry is wrong. @throws `HF_OPTION` */
  replace(texts: readonly string[]): readonly Endpoint[] {
    if (!Array.isArray(texts) || texts.length === 0)
      throw optionError("servers", texts, "a list with at least one server");
    const servers = parseServers(texts, "servers", this.#scheme);
    if (servers[0]?.websocket !== this.websocket) {
      const kind = this.websocket ? "WebSocket servers (ws://, wss://)" : "no WebSocket servers";
      throw optionError("servers", [...this.#given.keys()], `${kind}, as the connection was made with`);
    }
    // The list that `getServers` gives may be given back: it shows neither scheme nor login.
    const kept = servers.map((server, i) => {
      const before = this.#of(endpointId(server.endpoint));
      if (before !== undefined && !texts[i]?.includes("://")) return before;
      return withLogin(server, before);
    });
    this.#given = byId(kept);
    return kept.map(({ endpoint }) => endpoint);
  }

  /** Notes members that the server in use named. */
  discovered(members: readonly Endpoint[]): void {
    const from = this.#of(this.#current);
    for (const endpoint of members) {
      const id = endpointId(endpoint);
      if (!this.#given.has(id) && from !== undefined) this.#members.set(id, { ...from, endpoint, path: "/" });
    }
  }

  dialled(id: string, wallMs: number): void {
    this.#current = id;
    this.#dialledMs.set(id, wallMs);
  }

  connected(id: string): void {
    this.#connected.add(id);
  }

  /** The login that the URL of the server being dialled carries. */
  login(): Auth {
    const { token, user, pass } = this.#of(this.#current) ?? {};
    if (token !== undefined) return { auth_token: token };
    return user === undefined ? undefined : { user, pass: pass ?? "" };
  }

  /** What a WebSocket is opened with; without a login. */
  urlOf(endpoint: Endpoint): string {
    const path = this.#of(endpointId(endpoint))?.path ?? "/";
    return `${endpoint.tls ? "wss" : "ws"}://${endpointId(endpoint)}${path}`;
  }

  /** One candidate as nats.js shows it in `getServers()` and to handlers: a copy, without a login. */
  server({ id, origin, failures }: Known): Server {
    const colon = id.lastIndexOf(":");
    const host = id.slice(0, colon);
    const hostname = host.startsWith("[") ? host.slice(1, -1) : host;
    return Object.freeze({
      hostname,
      port: Number(id.slice(colon + 1)),
      listen: id,
      src: this.#srcOf(id),
      tlsName: isAddress(hostname) ? "" : hostname,
      reconnects: failures,
      lastConnect: this.#dialledMs.get(id) ?? 0,
      gossiped: origin === "discovered",
      didConnect: this.#connected.has(id),
    });
  }

  #srcOf(id: string): string {
    const known = this.#of(id);
    return this.websocket && known !== undefined ? this.urlOf(known.endpoint) : id;
  }

  #of(id: string): ServerUrl | undefined {
    return this.#given.get(id) ?? this.#members.get(id);
  }
}

function byId(servers: readonly ServerUrl[]): ReadonlyMap<string, ServerUrl> {
  return new Map(servers.map((server) => [endpointId(server.endpoint), server]));
}

function withLogin(server: ServerUrl, before: ServerUrl | undefined): ServerUrl {
  if (before === undefined || server.user !== undefined || server.token !== undefined) return server;
  const { user, pass, token } = before;
  return {
    ...server,
    ...(user !== undefined && { user }),
    ...(pass !== undefined && { pass }),
    ...(token !== undefined && { token }),
  };
}
