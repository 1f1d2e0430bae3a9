/** The fault proxy: a TCP proxy on loopback that does to connections what networks and servers do to them. */
import type { Socket } from "node:net";
import { HoldfastError } from "../../call/index.ts";
import { optionError } from "../../options/index.ts";
import { systemWorld, type World } from "../../time/index.ts";
import type { TestAuthority } from "../tls/index.ts";
import { checkProxyOptions, checkUpstream } from "./check.ts";
import { type ConnectionHooks, hostPort, newcomer, ProxyConnection, type Upstream } from "./connection.ts";
import { Door } from "./door.ts";
import {
  type Disposer,
  type ProxyEventName,
  type ProxyEvents,
  type ProxyLogEntry,
  ProxyTeller,
} from "./events.ts";
import type { ConnectionInfo, Ending, Fault } from "./fault.ts";
import type { FaultHandle } from "./handle.ts";
import { StandingFaults } from "./standing.ts";

export interface FaultProxyOptions {
  /** The real server. Dialled anew for each client. */
  readonly upstream: Upstream;
  /** Loopback address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. The port is kept for the proxy's life, also while it refuses. */
  readonly port?: number;
  /** Decides probabilities, jitter and corruption. Default 1. */
  readonly seed?: number;
  /** How long the upstream has to take a connection before its client is reset. Default 5,000. */
  readonly dialTimeoutMs?: number;
  /** Signs the certificates of `tls` faults; the clients have to trust its `cert`. Default: none. */
  readonly authority?: TestAuthority;
  /** Where time comes from. Default: the system. */
  readonly world?: World;
}

/** Which live connections to cut. */
export interface CutTarget {
  readonly connections?: number | readonly number[];
  readonly filter?: (connection: ConnectionInfo) => boolean;
}

export class FaultProxy implements AsyncDisposable {
  readonly seed: number;
  readonly host: string;
  readonly #world: World;
  readonly #dialTimeoutMs: number;
  readonly #teller: ProxyTeller;
  readonly #door: Door;
  readonly #faults: StandingFaults;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<number, ProxyConnection>();
  readonly #hooks: ConnectionHooks;
  #upstream: Upstream;
  #accepted = 0;
  #closing: Promise<void> | undefined;

  constructor(options: FaultProxyOptions) {
    checkProxyOptions(options);
    this.seed = options.seed ?? 1;
    this.host = options.host ?? "127.0.0.1";
    this.#world = options.world ?? systemWorld;
    this.#dialTimeoutMs = options.dialTimeoutMs ?? 5_000;
    this.#upstream = options.upstream;
    const { clock } = this.#world;
    const teller = new ProxyTeller(clock);
    const door = new Door(this.host, clock, (socket) => this.#accept(socket));
    const { authority } = options;
    const connections = this.#connections;
    this.#teller = teller;
    this.#door = door;
    this.#faults = new StandingFaults({ seed: this.seed, clock, authority, teller, door, connections });
    this.#hooks = {
      opened: (id, upstream) => teller.tell("opened", { connection: id, upstream }),
      upstreamFailed: (id, upstream, reason) =>
        teller.tell("upstreamFailed", { connection: id, upstream, reason }),
      closed: (connection) => this.#closed(connection),
    };
  }

  /** Listens; done by `faultProxy()`. */
  async start(port: number): Promise<this> {
    await this.#door.start(port);
    return this;
  }

  get port(): number {
    return this.#door.port;
  }

  /** Where clients dial. */
  get endpoint(): Upstream {
    return { host: this.host, port: this.port };
  }

  /** Where clients dial, as `host:port`. */
  get address(): string {
    return hostPort(this.endpoint);
  }

  /** Where new connections go. Setting it leaves open connections where they are. */
  get upstream(): Upstream {
    return this.#upstream;
  }

  set upstream(upstream: Upstream) {
    this.#upstream = checkUpstream(upstream);
  }

  /** The last 10,000 events, oldest first. */
  get log(): readonly ProxyLogEntry[] {
    return this.#teller.log;
  }

  /** The connections open now. */
  connections(): ConnectionInfo[] {
    return [...this.#connections.values()].map((connection) => connection.info());
  }

  on<Name extends ProxyEventName>(event: Name, listener: (facts: ProxyEvents[Name]) => void): Disposer {
    return this.#teller.on(event, listener);
  }

  /** The next event of that name (that `accepts` likes); rejects after `timeoutMs` (5,000) or when the proxy is closed. */
  next<Name extends ProxyEventName>(
    event: Name,
    accepts: (facts: ProxyEvents[Name]) => boolean = () => true,
    timeoutMs = 5_000,
  ): Promise<ProxyEvents[Name]> {
    return this.#teller.next(event, accepts, timeoutMs);
  }

  /**
   * Puts a fault in force. It holds for every connection accepted from this call on (a `tls` fault: from when this
   * resolves on, its certificate has to be made), so that none slips through; it resolves when it holds in full.
   * A wrong option rejects with `HF_OPTION`.
   */
  async fault(shape: Fault): Promise<FaultHandle> {
    if (this.#closing) throw new HoldfastError("HF_CLOSED", "the proxy is closed");
    return await this.#faults.apply(shape);
  }

  /** Undoes every fault. */
  clear(): Promise<void> {
    return this.#faults.clear();
  }

  /**
   * Ends live connections, idle ones too, both sides at once. Returns how many. A Node client that still has bytes to
   * read when the RST comes may see an orderly end: libuv reports bytes and a reset found together so.
   */
  cut(how: Ending, target: CutTarget = {}): number {
    if (how !== "rst" && how !== "fin") throw optionError("how", how, '"rst" or "fin"');
    const chosen = [...this.#connections.values()].filter((connection) => {
      if (target.connections !== undefined && ![target.connections].flat().includes(connection.id))
        return false;
      return target.filter?.(connection.info()) ?? true;
    });
    for (const connection of chosen) {
      const { id, up, down } = connection.info();
      this.#teller.tell("cut", { connection: id, how, up: up.delivered, down: down.delivered });
      connection.cut(how);
    }
    return chosen.length;
  }

  /** Ends everything; when it resolves no socket, timer or thread is left. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const door = this.#door.close();
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.allSettled([this.#faults.clear()]); // a port that can't be had again no longer matters
    await Promise.all([door, ...gone]);
    this.#teller.close();
  }

  #accept(client: Socket): void {
    if (this.#closing) {
      client.destroy(); // it came while the port was being opened again
      return;
    }
    const atFirst = newcomer(++this.#accepted, client, this.#upstream);
    this.#track(client);
    this.#teller.tell("accepted", { connection: atFirst.id, client: atFirst.client });
    if (this.#faults.turnAway(atFirst, client)) return;
    const connection = new ProxyConnection(atFirst, client, this.#upstream, {
      clock: this.#world.clock,
      dialTimeoutMs: this.#dialTimeoutMs,
      hooks: this.#hooks,
    });
    this.#track(connection.upstreamSocket);
    this.#connections.set(atFirst.id, connection);
    this.#faults.attachTo(connection);
    connection.start();
  }

  #closed(connection: ProxyConnection): void {
    const { id, up, down } = connection.info();
    this.#connections.delete(id);
    this.#teller.tell("closed", { connection: id, up: up.delivered, down: down.delivered });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // every end of a socket is read from its events; none may end the process
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

/**
 * Starts a proxy in front of `upstream`.
 *
 * ```ts
 * await using proxy = await faultProxy({ upstream: { host: "127.0.0.1", port: 6379 } });
 * {
 *   await using hole = await proxy.fault({ kind: "blackHole", direction: "down" });
 *   // replies get lost here
 * }
 * proxy.cut("rst");
 * ```
 */
export async function faultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  return await new FaultProxy(options).start(options.port ?? 0);
}
