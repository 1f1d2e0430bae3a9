/** The fault proxy: a TCP proxy on loopback that does to connections what networks and servers do to them. */
import type { Socket } from "node:net";
import { HoldfastError } from "../../call/index.ts";
import { systemWorld, type Timer, type World } from "../../time/index.ts";
import type { TestAuthority } from "../tls/index.ts";
import { checkFault, checkUpstream, optionError } from "./check.ts";
import { hostPort, newcomer, ProxyConnection, type Upstream } from "./connection.ts";
import { Door, type DoorState } from "./door.ts";
import {
  type Disposer,
  type ProxyEventName,
  type ProxyEvents,
  type ProxyLogEntry,
  ProxyTeller,
} from "./events.ts";
import type { ConnectionInfo, Ending, Fault } from "./fault.ts";
import { ActiveFault } from "./grip.ts";
import { end } from "./sockets.ts";
import { TlsTrap } from "./tls-trap.ts";

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

/** What a fault in force has done to one connection. */
export interface FaultHit {
  readonly connection: number;
  /** How many times it changed something. */
  readonly acts: number;
  /** Bytes swallowed, delayed or changed. */
  readonly bytes: number;
}

/** A fault in force. `await using` undoes it at the end of the block. */
export interface FaultHandle extends AsyncDisposable {
  readonly label: string;
  readonly active: boolean;
  /** Whom it has hit so far. */
  readonly hits: readonly FaultHit[];
  /** Resolves when the fault was undone, by `undo()`, its `durationMs` or the end of the proxy. */
  readonly undone: Promise<void>;
  /** Resolves when everything is as if the fault had not been applied (what it broke stays broken). Idempotent. */
  undo(): Promise<void>;
}

/** Which live connections to cut. */
export interface CutTarget {
  readonly connections?: number | readonly number[];
  readonly filter?: (connection: ConnectionInfo) => boolean;
}

interface Standing {
  readonly fault: ActiveFault;
  readonly trap: TlsTrap | undefined;
  timer: Timer | undefined;
  undoing: Promise<void> | undefined;
  settle(work: Promise<void>): void;
}

export class FaultProxy implements AsyncDisposable {
  readonly seed: number;
  readonly #world: World;
  readonly #dialTimeoutMs: number;
  readonly #teller: ProxyTeller;
  readonly #door: Door;
  readonly #host: string;
  readonly #authority: TestAuthority | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<number, ProxyConnection>();
  readonly #standing = new Map<ActiveFault, Standing>();
  #upstream: Upstream;
  #accepted = 0;
  #faults = 0;
  #closing: Promise<void> | undefined;

  constructor(options: FaultProxyOptions) {
    this.seed = options.seed ?? 1;
    this.#world = options.world ?? systemWorld;
    this.#dialTimeoutMs = options.dialTimeoutMs ?? 5_000;
    this.#upstream = checkUpstream(options.upstream);
    this.#host = options.host ?? "127.0.0.1";
    this.#authority = options.authority;
    this.#teller = new ProxyTeller(this.#world.clock);
    this.#door = new Door(this.#host, (socket) => this.#accept(socket));
  }

  /** Listens; done by `faultProxy()`. */
  async start(port: number): Promise<this> {
    await this.#door.start(port);
    return this;
  }

  get host(): string {
    return this.#host;
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
    checkFault(shape);
    // Made before the fault takes force: from then on it must be able to act.
    const trap = shape.kind === "tls" ? await TlsTrap.make(shape, this.#authority) : undefined;
    if (this.#closing) throw new HoldfastError("HF_CLOSED", "the proxy is closed");
    const fault = new ActiveFault(++this.#faults, shape, this.seed, (one, subject, direction) => {
      const { up, down } = subject.info();
      const facts = { fault: one.label, kind: one.kind, connection: subject.id };
      const bytes = { up: up.delivered, down: down.delivered };
      this.#teller.tell("hit", { ...facts, ...(direction && { direction }), ...bytes });
    });
    let settle!: (work: Promise<void>) => void;
    const undone = new Promise<void>((resolve) => {
      settle = resolve;
    });
    undone.catch(() => {}); // whoever waits for it is told; nobody has to
    const standing: Standing = { fault, trap, timer: undefined, undoing: undefined, settle };
    this.#standing.set(fault, standing);
    const inForce = this.#updateDoor();
    for (const connection of this.#connections.values())
      if (isOnTheWire(fault) && fault.takes(connection.info(), false)) connection.attach(fault);
    this.#teller.tell("faultOn", { fault: fault.label, kind: fault.kind });
    await inForce;
    if (shape.durationMs !== undefined && !standing.undoing)
      standing.timer = this.#world.clock.setTimer(shape.durationMs, () => {
        this.#undo(standing).catch(() => {});
      });
    return this.#handle(standing, undone);
  }

  /** Undoes every fault. */
  async clear(): Promise<void> {
    await Promise.all([...this.#standing.values()].map((standing) => this.#undo(standing)));
  }

  /** Ends live connections, idle ones too, both sides at once. Returns how many. */
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
    await this.clear();
    await Promise.all([door, ...gone]);
    this.#teller.close();
  }

  #handle(standing: Standing, undone: Promise<void>): FaultHandle {
    const { fault } = standing;
    const undo = (): Promise<void> => this.#undo(standing);
    return {
      label: fault.label,
      undone,
      undo,
      get active() {
        return standing.undoing === undefined;
      },
      get hits() {
        return [...fault.grips].map(([connection, grip]) => ({ connection, ...grip }));
      },
      [Symbol.asyncDispose]: undo,
    };
  }

  #undo(standing: Standing): Promise<void> {
    if (standing.undoing) return standing.undoing;
    const { fault } = standing;
    standing.timer?.cancel();
    this.#standing.delete(fault);
    standing.undoing = this.#updateDoor();
    standing.settle(standing.undoing);
    for (const connection of this.#connections.values()) connection.detach(fault);
    standing.trap?.release();
    let bytes = 0;
    for (const grip of fault.grips.values()) bytes += grip.bytes;
    const connections = fault.grips.size;
    this.#teller.tell("faultOff", { fault: fault.label, kind: fault.kind, connections, bytes });
    return standing.undoing;
  }

  #updateDoor(): Promise<void> {
    let wanted: DoorState = "open";
    for (const { shape } of this.#standing.keys()) {
      if (shape.kind === "refuse" && wanted === "open") wanted = "refuse";
      if (shape.kind === "freeze") wanted = shape.connects ? "freeze-mute" : "freeze-full";
    }
    const done = this.#door.set(wanted);
    done.catch((error: Error) => this.#teller.tell("listenFailed", { reason: error.message }));
    return done;
  }

  #accept(client: Socket): void {
    const atFirst = newcomer(++this.#accepted, client, this.#upstream);
    this.#track(client);
    this.#teller.tell("accepted", { connection: atFirst.id, client: atFirst.client });
    for (const standing of this.#standing.values()) if (this.#turnsAway(standing, atFirst, client)) return;
    const connection = new ProxyConnection(atFirst, client, this.#upstream, {
      clock: this.#world.clock,
      dialTimeoutMs: this.#dialTimeoutMs,
      hooks: {
        opened: ({ id }) => this.#teller.tell("opened", { connection: id, upstream: atFirst.upstream }),
        upstreamFailed: ({ id }, reason) =>
          this.#teller.tell("upstreamFailed", { connection: id, upstream: atFirst.upstream, reason }),
        closed: (one) => this.#closed(one),
      },
    });
    this.#track(connection.upstreamSocket);
    this.#connections.set(atFirst.id, connection);
    for (const fault of this.#standing.keys())
      if (isOnTheWire(fault) && fault.takes(atFirst, true)) connection.attach(fault);
    connection.start();
  }

  /** Faults of the entrance: the client is accepted and goes no further. */
  #turnsAway({ fault, trap }: Standing, atFirst: ConnectionInfo, client: Socket): boolean {
    const { shape } = fault;
    const { id } = atFirst;
    if (shape.kind !== "drop" && shape.kind !== "maxConnections" && !trap) return false;
    if (shape.kind === "maxConnections" && this.#connections.size < shape.limit) return false;
    if (!fault.takes(atFirst, true)) return false;
    fault.act({ id, info: () => atFirst }, undefined, 0);
    client.once("close", () => this.#teller.tell("closed", { connection: id, up: 0, down: 0 }));
    if (shape.kind === "drop") end(client, shape.how ?? "rst", this.#world.clock);
    if (shape.kind === "maxConnections") end(client, shape.how ?? "fin", this.#world.clock);
    trap?.catch(client, () =>
      this.#teller.tell("badCertificateAccepted", { connection: id, fault: fault.label }),
    );
    return true;
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

/** Whether a fault works on the bytes of a connection, and not at the door or the entrance. */
function isOnTheWire({ kind }: ActiveFault): boolean {
  return !["refuse", "freeze", "drop", "maxConnections", "tls"].includes(kind);
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
