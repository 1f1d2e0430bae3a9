/** One client, its connection to the upstream, and the two pipes between them. */
import { connect, type Socket } from "node:net";
import type { Clock } from "../../time/index.ts";
import type { ConnectionInfo, Direction, Ending } from "./fault.ts";
import type { ActiveFault, Subject } from "./grip.ts";
import { Pipe } from "./pipe.ts";
import { end, finish, reset } from "./sockets.ts";
import { type Stage, stageOf } from "./stages.ts";

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionHooks {
  opened(id: number, upstream: string): void;
  upstreamFailed(id: number, upstream: string, reason: string): void;
  closed(connection: ProxyConnection): void;
}

export function hostPort({ host, port }: Upstream): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What is known of a client before anything was done for it. */
export function newcomer(id: number, client: Socket, upstream: Upstream): ConnectionInfo {
  return {
    id,
    ageMs: 0,
    client: hostPort({ host: client.remoteAddress ?? "?", port: client.remotePort ?? 0 }),
    upstream: hostPort(upstream),
    up: { received: 0, delivered: 0 },
    down: { received: 0, delivered: 0 },
    faults: [],
    hitBy: [],
  };
}

export class ProxyConnection implements Subject {
  readonly id: number;
  readonly upstreamSocket: Socket;
  readonly #clientSocket: Socket;
  readonly #atFirst: ConnectionInfo;
  readonly #clock: Clock;
  readonly #openedMs: number;
  readonly #pipes: Record<Direction, Pipe>;
  readonly #stages = new Map<ActiveFault, Partial<Record<Direction, Stage>>>();
  readonly #hitBy: string[] = [];
  #opened = false;

  constructor(
    atFirst: ConnectionInfo,
    client: Socket,
    upstream: Upstream,
    options: { clock: Clock; dialTimeoutMs: number; hooks: ConnectionHooks },
  ) {
    const { clock, hooks } = options;
    this.id = atFirst.id;
    this.#clientSocket = client;
    this.#atFirst = atFirst;
    this.#clock = clock;
    this.#openedMs = clock.nowMs();
    const server = connect({ ...upstream, allowHalfOpen: true, noDelay: true, autoSelectFamily: false });
    this.upstreamSocket = server;
    const deadline = clock.setTimer(options.dialTimeoutMs, () => {
      server.destroy(new Error(`no connection within ${options.dialTimeoutMs} ms`));
    });
    server.once("connect", () => {
      this.#opened = true;
      deadline.cancel();
      hooks.opened(this.id, atFirst.upstream);
    });
    server.once("error", (error) => {
      if (!this.#opened) hooks.upstreamFailed(this.id, atFirst.upstream, error.message);
    });
    server.once("close", () => deadline.cancel());
    this.#pipes = {
      up: new Pipe(client, server, clock, (how) => this.cut(how)),
      down: new Pipe(server, client, clock, (how) => this.cut(how)),
    };
    let open = 2;
    const oneClosed = (): void => void (--open === 0 && hooks.closed(this));
    client.once("close", oneClosed);
    server.once("close", oneClosed);
  }

  info(): ConnectionInfo {
    const { up, down } = this.#pipes;
    return {
      ...this.#atFirst,
      ageMs: this.#clock.nowMs() - this.#openedMs,
      up: { received: up.received, delivered: up.delivered },
      down: { received: down.received, delivered: down.delivered },
      faults: [...this.#stages.keys()].map((fault) => fault.label),
      hitBy: [...this.#hitBy],
    };
  }

  /** Lets the bytes flow; to be called when the faults of a new connection are in place. */
  start(): void {
    this.#applyStages();
  }

  noteHit(label: string): void {
    this.#hitBy.push(label);
  }

  /** Puts a fault on this connection. Stages of several faults are passed in the order in which they came. */
  attach(fault: ActiveFault): void {
    const { shape } = fault;
    if (shape.kind === "halfClose") {
      fault.act(this, shape.direction, 0);
      this.#pipes[shape.direction].halfClose();
      return;
    }
    const wanted = "direction" in shape ? (shape.direction ?? "both") : "both";
    const stages: Partial<Record<Direction, Stage>> = {};
    for (const direction of ["up", "down"] as const) {
      if (wanted !== "both" && wanted !== direction) continue;
      const random = fault.random(this.id, direction === "up" ? 1 : 2);
      const stage = stageOf(shape, random, (bytes) => fault.act(this, direction, bytes));
      if (!stage) continue;
      stages[direction] = stage;
      if (stage.hole === "stop-reading") stage.act(0);
    }
    this.#stages.set(fault, stages);
    this.#applyStages();
  }

  /** Takes a fault off. A black hole that lost bytes of this connection resets it, unless told to resume. */
  detach(fault: ActiveFault): void {
    if (!this.#stages.delete(fault)) return;
    const { shape } = fault;
    const lost = shape.kind === "blackHole" && (fault.grips.get(this.id)?.bytes ?? 0) > 0;
    if (lost && shape.afterwards !== "resume") this.cut("rst");
    else this.#applyStages();
  }

  /** Ends both sides now; bytes not yet delivered are dropped. */
  cut(how: Ending): void {
    this.#pipes.up.close();
    this.#pipes.down.close();
    end(this.#clientSocket, how, this.#clock);
    if (this.upstreamSocket.connecting) this.upstreamSocket.destroy();
    else if (how === "rst") reset(this.upstreamSocket);
    else finish(this.upstreamSocket, this.#clock);
  }

  #applyStages(): void {
    for (const direction of ["up", "down"] as const) {
      const stages: Stage[] = [];
      for (const of of this.#stages.values()) {
        const stage = of[direction];
        if (stage) stages.push(stage);
      }
      this.#pipes[direction].stages = stages;
    }
  }
}
