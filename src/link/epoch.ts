/** One physical connection from its dial to its last socket; to the driver it is both the `Dial` and its `Sink`. */
import { HoldfastError } from "../call/index.ts";
import { type Endpoint, endpointId } from "../endpoint/index.ts";
import type { ConnectionsOwner } from "./connections-owner.ts";
import type { Dial, LinkClass, Sink, TappedSocket } from "./driver.ts";
import type { GuardedDriver } from "./guarded.ts";
import type { Session } from "./session.ts";

const none: readonly never[] = [];

export class Epoch<C> implements Dial, Sink {
  readonly epoch: number;
  readonly endpoint: Endpoint;
  readonly attempt: number;
  readonly session: Session;
  stepName = "dial";
  connection: C | undefined = undefined;
  /** Given up: a late success is closed, late reports are dropped. */
  over = false;
  opening: Promise<unknown> | undefined = undefined;
  /** Set while its end is under way: gives up waiting for it. */
  abandon: (() => void) | undefined = undefined;
  readonly #guarded: GuardedDriver<C>;
  readonly #owner: ConnectionsOwner;
  #lost = false;
  #aborted: HoldfastError | undefined;
  /** Made when the driver asks for it, and let go at `ready`: a signal weighs more than the rest of an idle epoch. */
  #abort: AbortController | undefined;
  #taps: readonly TappedSocket[] = none;

  constructor(
    number: number,
    endpoint: Endpoint,
    attempt: number,
    session: Session,
    guarded: GuardedDriver<C>,
    owner: ConnectionsOwner,
  ) {
    this.epoch = number;
    this.endpoint = endpoint;
    this.attempt = attempt;
    this.session = session;
    this.#guarded = guarded;
    this.#owner = owner;
  }

  get sink(): Sink {
    return this;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted !== undefined) this.#abort.abort(this.#aborted);
    }
    return this.#abort.signal;
  }

  abort(why: string): void {
    this.#aborted ??= new HoldfastError("HF_CLOSED", why);
    this.#abort?.abort(this.#aborted);
  }

  forgetSignal(): void {
    this.#abort = undefined;
  }

  tap(socket: TappedSocket): void {
    if (this.over) socket.destroy();
    // A push, or a spread, would take room for sixteen more.
    else this.#taps = this.#taps.length === 0 ? [socket] : [...this.#taps, socket];
  }

  step(name: string): void {
    this.stepName = name;
  }

  destroyTaps(): void {
    for (const socket of this.#taps) if (!socket.destroyed) socket.destroy();
    this.#taps = none;
  }

  lost(cause: unknown, linkClass?: LinkClass): void {
    if (this.over || this.#lost) return;
    this.#lost = true;
    this.#owner.lost(this.epoch, linkClass ?? this.#guarded.classifyLink(cause, "ready"), cause);
  }

  alive(): void {
    if (!this.over) this.#owner.alive(this.epoch);
  }

  discovered(endpoints: readonly Endpoint[]): void {
    if (!this.over) this.#owner.told({ kind: "discovered", endpoints });
  }

  asyncError(error: unknown): void {
    if (!this.over) this.#owner.told({ kind: "asyncError", error });
  }

  lameDuck(detail?: string): void {
    if (!this.over) this.#owner.told({ kind: "lameDuck", endpoint: endpointId(this.endpoint), detail });
  }

  // What was lost is told also when the connection is already over.
  unconfirmed(report: { readonly count: number; readonly bytes: number }): void {
    this.#owner.told({ kind: "unconfirmed", ...report });
  }

  gap(report: { readonly subscription: string; readonly downMs: number }): void {
    this.#owner.told({ kind: "gap", ...report });
  }
}
