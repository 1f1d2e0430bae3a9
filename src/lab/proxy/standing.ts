/** The faults in force: applied to what is there and to what comes, and undone. */
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../time/index.ts";
import type { TestAuthority } from "../tls/index.ts";
import { checkFault } from "./check.ts";
import type { ProxyConnection } from "./connection.ts";
import type { Door, DoorState } from "./door.ts";
import type { ProxyTeller } from "./events.ts";
import type { ConnectionInfo, Direction, Fault } from "./fault.ts";
import { ActiveFault, type Subject } from "./grip.ts";
import type { FaultHandle } from "./handle.ts";
import { end } from "./sockets.ts";
import { TlsTrap } from "./tls-trap.ts";

interface Standing {
  readonly fault: ActiveFault;
  readonly trap: TlsTrap | undefined;
  readonly undone: Promise<void>;
  /** Ends `undone` as this work ends. */
  settle(work: Promise<void>): void;
  timer: Timer | undefined;
  undoing: Promise<void> | undefined;
}

export interface StandingOptions {
  readonly seed: number;
  readonly clock: Clock;
  readonly authority: TestAuthority | undefined;
  readonly teller: ProxyTeller;
  readonly door: Door;
  /** The live connections. */
  readonly connections: ReadonlyMap<number, ProxyConnection>;
}

export class StandingFaults {
  readonly #options: StandingOptions;
  readonly #standing = new Set<Standing>();
  #applied = 0;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  async apply(shape: Fault): Promise<FaultHandle> {
    checkFault(shape);
    // Made before the fault takes force: from then on it must be able to act.
    const trap = shape.kind === "tls" ? await TlsTrap.make(shape, this.#options.authority) : undefined;
    const standing = this.#stand(shape, trap);
    const { fault } = standing;
    const inForce = this.#updateDoor();
    for (const connection of this.#options.connections.values())
      if (isOnTheWire(fault) && fault.takes(connection.info(), false)) connection.attach(fault);
    this.#options.teller.tell("faultOn", { fault: fault.label, kind: fault.kind });
    await inForce.catch(async (error) => {
      await this.#undo(standing).catch(() => {}); // the first failure says more
      throw error;
    });
    const { durationMs } = shape;
    if (durationMs !== undefined && !standing.undoing)
      standing.timer = this.#options.clock.setTimer(durationMs, () => {
        this.#undo(standing).catch(() => {}); // `undone` and the event tell of it
      });
    return this.#handle(standing);
  }

  async clear(): Promise<void> {
    await Promise.all([...this.#standing].map((standing) => this.#undo(standing)));
  }

  /** Faults of the entrance: true when one took the client, which then goes no further. */
  turnAway(atFirst: ConnectionInfo, client: Socket): boolean {
    for (const { fault, trap } of this.#standing) {
      const { shape } = fault;
      if (isOnTheWire(fault) || shape.kind === "refuse" || shape.kind === "freeze") continue;
      if (shape.kind === "maxConnections" && this.#options.connections.size < shape.limit) continue;
      if (!fault.takes(atFirst, true)) continue;
      const { id } = atFirst;
      const { teller, clock } = this.#options;
      fault.act({ id, info: () => atFirst }, undefined, 0);
      client.once("close", () => teller.tell("closed", { connection: id, up: 0, down: 0 }));
      if (shape.kind === "drop") end(client, shape.how ?? "rst", clock);
      if (shape.kind === "maxConnections") end(client, shape.how ?? "fin", clock);
      const { label } = fault;
      trap?.catch(client, () => teller.tell("badCertificateAccepted", { connection: id, fault: label }));
      return true;
    }
    return false;
  }

  /** Puts on a new connection what is in force. */
  attachTo(connection: ProxyConnection): void {
    const atFirst = connection.info();
    for (const { fault } of this.#standing)
      if (isOnTheWire(fault) && fault.takes(atFirst, true)) connection.attach(fault);
  }

  #stand(shape: Fault, trap: TlsTrap | undefined): Standing {
    const tell = (fault: ActiveFault, subject: Subject, direction: Direction | undefined): void => {
      const { up, down } = subject.info();
      const who = { fault: fault.label, kind: fault.kind, connection: subject.id };
      const bytes = { up: up.delivered, down: down.delivered };
      this.#options.teller.tell("hit", { ...who, ...(direction && { direction }), ...bytes });
    };
    const fault = new ActiveFault(++this.#applied, shape, this.#options.seed, tell);
    let settle!: (work: Promise<void>) => void;
    const undone = new Promise<void>((resolve) => {
      settle = resolve;
    });
    undone.catch(() => {}); // whoever waits for it is told; nobody has to
    const standing: Standing = { fault, trap, undone, settle, timer: undefined, undoing: undefined };
    this.#standing.add(standing);
    return standing;
  }

  #handle(standing: Standing): FaultHandle {
    const { fault, undone } = standing;
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
    const { fault, trap } = standing;
    standing.timer?.cancel();
    this.#standing.delete(standing);
    standing.undoing = this.#updateDoor();
    standing.settle(standing.undoing);
    for (const connection of this.#options.connections.values()) connection.detach(fault);
    trap?.release();
    let bytes = 0;
    for (const grip of fault.grips.values()) bytes += grip.bytes;
    const facts = { fault: fault.label, kind: fault.kind, connections: fault.grips.size, bytes };
    this.#options.teller.tell("faultOff", facts);
    return standing.undoing;
  }

  #updateDoor(): Promise<void> {
    let wanted: DoorState = "open";
    for (const { shape } of [...this.#standing].map(({ fault }) => fault)) {
      if (shape.kind === "refuse" && wanted === "open") wanted = "refuse";
      if (shape.kind === "freeze") wanted = shape.connects ? "freeze-mute" : "freeze-full";
    }
    const done = this.#options.door.set(wanted);
    done.catch((error: Error) => this.#options.teller.tell("listenFailed", { reason: error.message }));
    return done;
  }
}

/** Whether a fault works on the bytes of a connection, and not at the door or the entrance. */
function isOnTheWire({ kind }: ActiveFault): boolean {
  return !["refuse", "freeze", "drop", "maxConnections", "tls"].includes(kind);
}
