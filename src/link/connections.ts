/** What exists for each physical connection, from its dial to the last socket: owned here, released here. */
import { HoldfastError, reasonOf } from "../call/index.ts";
import { type Endpoint, endpointId } from "../endpoint/index.ts";
import type { Clock } from "../time/index.ts";
import type { ConnectionsOwner } from "./connections-owner.ts";
import type { Driver } from "./driver.ts";
import { Epoch } from "./epoch.ts";
import type { GuardedDriver } from "./guarded.ts";
import type { Session } from "./session.ts";

const none: readonly never[] = [];

export class Connections<C> {
  readonly #driver: Driver<C>;
  readonly #guarded: GuardedDriver<C>;
  readonly #session: Session;
  readonly #owner: ConnectionsOwner;
  readonly #clock: Clock;
  readonly #graceMs: number;
  /** Rarely more than one: a list weighs less than a map. */
  #epochs: readonly Epoch<C>[] = none;
  /** Ends under way. */
  #releasing: readonly Promise<unknown>[] = none;

  /** @param graceMs how long a library may take beyond its deadline to end a connection, before it is left behind */
  constructor(
    driver: Driver<C>,
    guarded: GuardedDriver<C>,
    session: Session,
    owner: ConnectionsOwner,
    clock: Clock,
    graceMs: number,
  ) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#driver = driver;
    this.#guarded = guarded;
    this.#session = session;
    this.#owner = owner;
  }

  get(epoch: number): C | undefined {
    return this.#find(epoch)?.connection;
  }

  /** The attempt is over and the connection in use: what only an attempt needs is let go. */
  ready(epoch: number): C {
    const ready = this.#find(epoch) as Epoch<C>;
    ready.forgetSignal();
    return ready.connection as C;
  }

  #find(number: number): Epoch<C> | undefined {
    return this.#epochs.find(({ epoch }) => epoch === number);
  }

  /** Resolves when everything that was given up is gone. */
  async released(): Promise<void> {
    while (this.#releasing.length > 0) await Promise.allSettled(this.#releasing);
  }

  dial(number: number, endpoint: Endpoint, attempt: number): void {
    const epoch = new Epoch<C>(number, endpoint, attempt, this.#session, this.#guarded, this.#owner);
    // A push, or a spread, would take room for sixteen more.
    this.#epochs = this.#epochs.length === 0 ? [epoch] : [...this.#epochs, epoch];
    epoch.opening = this.#open(epoch);
  }

  async #open(epoch: Epoch<C>): Promise<void> {
    try {
      const connection = await this.#driver.open(epoch);
      epoch.connection = connection;
      if (epoch.over) return;
      epoch.step("restore");
      this.#owner.dialed(epoch.epoch);
    } catch (error) {
      if (!epoch.over) this.#owner.failed(epoch.epoch, this.#guarded.classifyLink(error, "dial"), error);
    }
  }

  /** The error of a deadline: names the step the attempt was in. */
  timeoutError(number: number, deadlineMs: number): HoldfastError {
    const epoch = this.#find(number);
    const step = epoch?.stepName ?? "dial";
    const where = epoch === undefined ? "" : ` to ${endpointId(epoch.endpoint)}`;
    return new HoldfastError(
      "HF_CONNECT_TIMEOUT",
      `connecting${where} took longer than ${deadlineMs} ms (${step})`,
      {
        step,
      },
    );
  }

  async restore(number: number): Promise<void> {
    const epoch = this.#find(number);
    if (epoch?.connection === undefined || epoch.over) return;
    const version = this.#session.version;
    try {
      const report = await this.#driver.restore(epoch.connection, this.#session, epoch.signal);
      if (!epoch.over) this.#owner.restored(number, version, report);
    } catch (error) {
      if (!epoch.over) this.#owner.failed(number, this.#guarded.classifyLink(error, "restore"), error);
    }
  }

  probe(number: number): Promise<void> | undefined {
    const epoch = this.#find(number);
    if (epoch?.connection === undefined || epoch.over || this.#driver.probe === undefined) return undefined;
    return this.#driver.probe(epoch.connection, epoch.signal);
  }

  /** Ends one connection, or a dial still under way; tells `closed` when nothing of it is left. */
  end(number: number, how: "graceful" | "abrupt", deadlineMs: number): void {
    const epoch = this.#find(number);
    if (epoch === undefined) return this.#owner.closed(number);
    if (epoch.over) return;
    epoch.over = true;
    const gone = new Promise<void>((resolve) => {
      // A library that never confirms must keep nobody waiting; what it makes later is still closed.
      const timer = this.#clock.setTimer(deadlineMs + this.#graceMs, () => this.destroy(number));
      epoch.abandon = () => {
        epoch.abandon = undefined;
        timer.cancel();
        resolve();
      };
    }).then(() => {
      this.#releasing = this.#releasing.filter((end) => end !== gone);
      this.#epochs = this.#epochs.filter((other) => other !== epoch);
      this.#owner.closed(number);
    });
    this.#releasing = [...this.#releasing, gone];
    void this.#release(epoch, how, deadlineMs).finally(() => epoch.abandon?.());
  }

  /** Ends a connection at once; an end under way that takes too long is not waited for any more. */
  destroy(number: number): void {
    const epoch = this.#find(number);
    if (epoch === undefined) return;
    if (!epoch.over) return this.end(number, "abrupt", 0);
    epoch.abort("the connection is closed");
    epoch.destroyTaps();
    epoch.abandon?.();
  }

  async #release(epoch: Epoch<C>, how: "graceful" | "abrupt", deadlineMs: number): Promise<void> {
    if (epoch.connection === undefined) {
      epoch.abort("the attempt was given up");
      epoch.destroyTaps();
      await epoch.opening;
    }
    if (epoch.connection !== undefined) {
      try {
        await this.#driver.close(epoch.connection, how, deadlineMs);
      } catch (error) {
        this.#owner.told({
          kind: "asyncError",
          error: new Error(`closing failed: ${reasonOf(error)}`, { cause: error }),
        });
      }
    }
    epoch.abort("the connection is closed");
    epoch.destroyTaps();
  }
}
