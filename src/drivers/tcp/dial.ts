/** Dials one host: looked up anew, every address tried, TCP and TLS, until the caller's signal says stop. */
import type { Socket } from "node:net";
import { reasonOf } from "../../call/index.ts";
import { type Clock, systemClock, type Timer } from "../../time/index.ts";
import { type HostAddress, type Lookup, lookupAll, resolveHost } from "./resolve.ts";
import { openSocket, type SocketPlan } from "./socket.ts";

/** What to dial and how. There is no timeout here: the caller aborts the signal. */
export interface DialPlan extends Omit<SocketPlan, "address"> {
  /** Ends everything; no socket is left. */
  readonly signal: AbortSignal;
  /** Finds the addresses of the host. Default: the system's resolver, all of them. */
  readonly lookup?: Lookup;
  /** Head start of an address before the next one is tried beside it, in milliseconds. Default 250 (RFC 8305). */
  readonly staggerMs?: number;
  /** Hears the step under way: `resolve`, `tcp`, `tls`. */
  readonly step?: (name: string) => void;
  /** Hears of every socket when it is made. */
  readonly opened?: (socket: Socket) => void;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

const staggerMs = 250;
/** An address that has answered gets longer for its TLS handshake, before another one is dialled beside it. */
const secureStaggerMs = 1_000;

/**
 * Dials every address of the host until one is connected (and secure, with TLS). A silent address costs its head
 * start and is not given up: unlike Node's own racing, which aborts each after 250 ms and so never reaches a server
 * that is further away than that.
 *
 * Rejects with the error of the one address, an `AggregateError` with one error for each of several, the resolver's
 * error, or `signal.reason`.
 */
export async function dialSocket(plan: DialPlan): Promise<Socket> {
  plan.signal.throwIfAborted();
  plan.step?.("resolve");
  const addresses = await resolveHost(plan.host, plan.lookup ?? lookupAll, plan.signal);
  plan.signal.throwIfAborted();
  return await new Race(plan, addresses).run();
}

class Race {
  readonly #plan: DialPlan;
  readonly #left: HostAddress[];
  readonly #running: Set<Socket> = new Set();
  readonly #errors: unknown[] = [];
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #over = false;

  constructor(plan: DialPlan, addresses: readonly HostAddress[]) {
    this.#plan = plan;
    this.#left = [...addresses];
    this.#clock = plan.clock ?? systemClock;
  }

  run(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#plan;
      const end = (settle: () => void, winner?: Socket): void => {
        if (this.#over) return;
        this.#over = true;
        this.#timer?.cancel();
        signal.removeEventListener("abort", abort);
        for (const socket of this.#running) if (socket !== winner) socket.destroy();
        settle();
      };
      const abort = (): void => end(() => reject(signal.reason));
      signal.addEventListener("abort", abort, { once: true });
      this.#next(
        (socket) => end(() => resolve(socket), socket),
        () => end(() => reject(everyAddress(this.#plan.host, this.#errors))),
      );
    });
  }

  #next(won: (socket: Socket) => void, lost: () => void): void {
    const address = this.#left.shift();
    if (this.#over || address === undefined) return;
    const headStart = (delayMs: number): void => {
      this.#timer?.cancel();
      this.#timer =
        this.#left.length > 0 ? this.#clock.setTimer(delayMs, () => this.#next(won, lost)) : undefined;
    };
    this.#plan.step?.("tcp");
    const socket = openSocket(
      { ...this.#plan, address: address.address },
      {
        connected: () => {
          if (this.#over || this.#plan.tls === undefined) return;
          this.#plan.step?.("tls");
          headStart(secureStaggerMs);
        },
        ready: () => (this.#over ? socket.destroy() : won(socket)),
        failed: (error) => {
          this.#running.delete(socket);
          if (this.#over) return;
          this.#errors.push(error);
          if (this.#left.length > 0) this.#next(won, lost);
          else if (this.#running.size === 0) lost();
        },
      },
    );
    this.#running.add(socket);
    this.#plan.opened?.(socket);
    headStart(this.#plan.staggerMs ?? staggerMs);
  }
}

function everyAddress(host: string, errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const reasons = errors.map(reasonOf).join("; ");
  return new AggregateError(errors, `every address of ${host} failed (${reasons})`);
}
