import { HoldfastError, reasonOf } from "../call/index.ts";
import { sharedCoarse } from "./coarse.ts";
import { Connections } from "./connections.ts";
import type { ConnectionsOwner, Told } from "./connections-owner.ts";
import type { LinkClass, RestoreReport } from "./driver.ts";
import { Gate } from "./gate.ts";
import type { GateOwner } from "./gate-owner.ts";
import { GuardedDriver } from "./guarded.ts";
import type { LinkConfig } from "./link-config.ts";
import { Liveness, type LivenessOwner } from "./liveness.ts";
import type { Runner } from "./runner.ts";
import type { Session } from "./session.ts";
import type { EmitEffect, LinkEvent } from "./state.ts";

/**
 * A link's gate, connections and liveness, and what they tell it. One object with methods, because every link has its
 * own: as closures it weighed 1 kB.
 */
export class Parts<C> implements GateOwner, ConnectionsOwner, LivenessOwner {
  readonly gate: Gate<C>;
  readonly connections: Connections<C>;
  readonly liveness: Liveness;
  readonly #runner: Runner;
  readonly #probesWhileBusy: boolean;

  constructor(config: LinkConfig<C>, session: Session, runner: Runner) {
    const { driver, policy, world } = config;
    const { clock } = world;
    const coarse = sharedCoarse(world);
    this.#runner = runner;
    this.#probesWhileBusy = driver.probesWhileBusy === true;
    const guarded = new GuardedDriver(driver, this);
    this.gate = new Gate<C>(guarded, config, this, { clock, coarse });
    this.connections = new Connections<C>(driver, guarded, session, this, clock, policy.closeTimeoutMs);
    this.liveness = new Liveness({ clock, coarse }, config.liveness, this);
  }

  demand(): void {
    const { phase } = this.#runner.state;
    if (phase === "dormant" || phase === "idle") this.#runner.dispatch({ type: "demand" });
  }

  idle(): void {
    if (this.#runner.state.draining) this.#runner.dispatch({ type: "inFlightZero" });
  }

  learned(linkClass: LinkClass, cause: unknown): void {
    const pending = this.gate.pending + 1;
    this.#runner.dispatch({ type: "lost", epoch: this.#runner.state.epoch, linkClass, cause, pending });
  }

  overdue(sentMs: number): void {
    this.liveness.overdue(sentMs);
  }

  driverThrew(error: unknown): void {
    this.#runner.say({ name: "asyncError", data: { error } });
  }

  dialed(epoch: number): void {
    this.#runner.dispatch({ type: "dialed", epoch });
  }

  restored(epoch: number, version: number, report: RestoreReport): void {
    if (report.refused?.length)
      this.#runner.note({ name: "restoreRefused", data: { items: report.refused } });
    this.#runner.dispatch({ type: "restored", epoch, version });
  }

  failed(epoch: number, linkClass: LinkClass, cause: unknown): void {
    this.#runner.dispatch({ type: "failed", epoch, linkClass, cause, pending: this.gate.pending });
  }

  lost(epoch: number, linkClass: LinkClass, cause: unknown): void {
    this.#runner.dispatch({ type: "lost", epoch, linkClass, cause, pending: this.gate.pending });
  }

  closed(epoch: number): void {
    this.gate.settleLeftovers(epoch);
    this.#runner.dispatch({ type: "connectionClosed", epoch });
  }

  alive(epoch: number): void {
    if (epoch === this.#runner.state.epoch) this.liveness.alive();
  }

  told({ kind, ...data }: Told): void {
    if (kind === "discovered") this.#runner.dispatch({ type: kind, ...data } as LinkEvent);
    else this.#runner.say({ name: kind, data } as EmitEffect);
  }

  inFlight(): number {
    return this.#probesWhileBusy ? 0 : this.gate.inFlight;
  }

  probe(): Promise<void> | undefined {
    return this.connections.probe(this.#runner.state.epoch);
  }

  suspect(silentMs: number, cause: unknown): void {
    const endpoint = this.#runner.state.current?.id ?? "";
    const error = new HoldfastError("HF_HALF_OPEN", `${endpoint} stopped answering: ${reasonOf(cause)}`, {
      cause,
      details: { silentMs },
    });
    this.#runner.note({ name: "halfOpen", data: { endpoint, silentMs } });
    const pending = this.gate.pending;
    this.#runner.dispatch({
      type: "lost",
      epoch: this.#runner.state.epoch,
      linkClass: "transient",
      cause: error,
      pending,
    });
  }
}
