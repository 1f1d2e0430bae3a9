/** One supervised connection: dialled, restored, watched, lost, re-dialled, until closed. Carries out what the machine asks for. */
import type { CallDescription, HoldfastError } from "../call/index.ts";
import type { Endpoint } from "../endpoint/index.ts";
import type { Timer, World } from "../time/index.ts";
import type { Connections } from "./connections.ts";
import { Emitter } from "./emitter.ts";
import type { Entry } from "./entry.ts";
import type { LinkEvents } from "./events.ts";
import type { Gate } from "./gate.ts";
import type { LinkConfig } from "./link-config.ts";
import { closedError } from "./link-errors.ts";
import type { Liveness } from "./liveness.ts";
import { initialState } from "./machine.ts";
import { Parts } from "./parts.ts";
import { type DialPermits, freePermits, type Permit } from "./permits.ts";
import type { CloseReason } from "./phase.ts";
import type { LinkPolicy } from "./policy.ts";
import { Runner } from "./runner.ts";
import { Session } from "./session.ts";
import { type LinkSnapshot, takeSnapshot } from "./snapshot.ts";
import type { LinkEffect, LinkState, TimerName } from "./state.ts";
import { LinkStats } from "./stats.ts";
import { whenReady } from "./when-ready.ts";

export class Link<C> {
  readonly name: string;
  readonly session: Session;
  readonly #driverName: string;
  readonly #drainTimeoutMs: number;
  readonly #order: "shuffled" | "given";
  readonly #world: World;
  readonly #events: Emitter<LinkEvents>;
  readonly #gate: Gate<C>;
  readonly #connections: Connections<C>;
  readonly #liveness: Liveness;
  readonly #permits: DialPermits;
  readonly #timers: { [K in TimerName]: Timer | undefined } = { phase: undefined, drain: undefined };
  #permit: Permit | undefined;
  #permitRound = 0;
  readonly #runner: Runner;
  readonly #stats: LinkStats = new LinkStats();
  #ended: Promise<void> | undefined;

  constructor(config: LinkConfig<C>) {
    this.#driverName = config.driver.name;
    this.#drainTimeoutMs = config.drainTimeoutMs;
    this.#order = config.endpointOptions.order ?? "shuffled";
    this.#world = config.world;
    this.name = config.name;
    const { clock, random } = config.world;
    this.#permits = config.permits ?? freePermits;
    this.session = new Session((version) => this.#runner.dispatch({ type: "sessionChanged", version }));
    this.#events = new Emitter<LinkEvents>((error, event) => {
      // A listener's own failure is told once, and never about itself.
      if (event !== "asyncError") this.#runner.say({ name: "asyncError", data: { error } });
    });
    const atStart = { nowMs: clock.nowMs(), random };
    const state = initialState(config.policy, config.endpoints, config.endpointOptions, atStart);
    this.#runner = new Runner(state, config.world, this.#events, (effect) => this.#perform(effect));
    const parts = new Parts<C>(config, this.session, this.#runner);
    this.#gate = parts.gate;
    this.#connections = parts.connections;
    this.#liveness = parts.liveness;
  }

  get phase(): LinkState["phase"] {
    return this.#runner.state.phase;
  }

  /** Why it ended; `undefined` while it has not. */
  get why(): CloseReason | undefined {
    return this.#runner.state.why;
  }

  /** The error of everything that is asked of a link that is over. */
  closedError(): HoldfastError {
    return closedError(this.#runner.state.why ?? "user", this.#runner.state.closeCause);
  }

  /** The connection in use; `undefined` unless ready. */
  get connection(): C | undefined {
    return this.#gate.connection;
  }

  /** Number of the newest physical connection. */
  get epoch(): number {
    return this.#runner.state.epoch;
  }

  on<K extends keyof LinkEvents>(name: K, listener: (event: LinkEvents[K]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** One listener for every event, for tracing; a second call replaces it. */
  tap(listener: (name: keyof LinkEvents, event: LinkEvents[keyof LinkEvents]) => void): void {
    this.#events.tap(listener);
  }

  /**
   * Starts the link and waits for the first `ready`. A lazy link resolves at once.
   * @throws the reason it closed; `signal.reason` when aborted, which closes the link
   */
  async connect(signal?: AbortSignal): Promise<void> {
    if (this.#runner.state.phase === "idle" && !signal?.aborted) this.#runner.dispatch({ type: "start" });
    try {
      await this.whenReady(signal);
    } catch (error) {
      if (signal?.aborted) void this.close();
      throw error;
    }
  }

  /**
   * Waits for `ready`; one who leaves by `signal` leaves the link as it is.
   * @throws the reason it closed; `signal.reason` when aborted
   */
  whenReady(signal?: AbortSignal): Promise<void> {
    return whenReady(this, signal);
  }

  /** Passes one call through the gate. See `Gate.call`. */
  call<T>(call: CallDescription, send: (connection: C) => Promise<T>): Promise<T> {
    return this.#gate.call(call, send);
  }

  /** Passes a call that transmits itself. See `Gate.pass`. */
  pass(entry: Entry<C>): Promise<unknown> {
    return this.#gate.pass(entry);
  }

  /** Dials now, wherever the link is in its back-off. A thousand calls are one dial; never below `minDialGapMs`. */
  reconnectNow(): void {
    this.#mustBeOpen();
    this.#runner.dispatch({ type: "reconnectNow", pending: this.#gate.pending });
  }

  /** Leaves the current endpoint for the next one. */
  failover(): void {
    this.#mustBeOpen();
    this.#runner.dispatch({ type: "failover", pending: this.#gate.pending });
  }

  /**
   * Gives other endpoints, from the next attempt on: all of these and no others. Those that stay keep their counts; the
   * connection in use is left alone.
   * @param given at least one
   */
  setEndpoints(given: readonly Endpoint[]): void {
    this.#mustBeOpen();
    this.#runner.dispatch({ type: "replaced", endpoints: given, order: this.#order });
  }

  /** Changes when and how often it dials, from now on; a wait under way keeps its end. */
  setPolicy(policy: LinkPolicy): void {
    this.#runner.dispatch({ type: "policy", policy });
  }

  /** Tells the link that its endpoint may be back: a wait is cut short. */
  wake(endpointId?: string): void {
    this.#runner.dispatch(endpointId === undefined ? { type: "wake" } : { type: "wake", endpointId });
  }

  /** Takes no new calls, finishes those in flight and waiting, then closes; at the deadline it closes anyway. */
  drain(deadlineMs: number = this.#drainTimeoutMs): Promise<void> {
    const ended = this.#whenClosed();
    this.#runner.dispatch({ type: "drain", pending: this.#gate.pending, deadlineMs });
    return ended;
  }

  /** Closes now. Safe in every state, idempotent; resolves when no socket or timer is left. */
  close(): Promise<void> {
    const ended = this.#whenClosed();
    this.#runner.dispatch({ type: "close" });
    return ended;
  }

  snapshot(): LinkSnapshot {
    return takeSnapshot(this.name, this.#driverName, this.#runner.state, this.#world.clock, {
      waiting: this.#gate.waiting,
      waitingBytes: this.#gate.waitingBytes,
      inFlight: this.#gate.inFlight,
      stats: this.#stats,
    });
  }

  #whenClosed(): Promise<void> {
    this.#ended ??= new Promise<void>((resolve) => {
      const done = (): void => void this.#connections.released().then(resolve);
      if (this.#runner.state.phase === "closed") done();
      else this.#events.once("closed", done);
    });
    return this.#ended;
  }

  #mustBeOpen(): void {
    if (this.#runner.state.phase === "closed" || this.#runner.state.phase === "closing")
      throw this.closedError();
  }

  #perform(effect: LinkEffect): void {
    switch (effect.type) {
      case "requestPermit":
        return this.#requestPermit(effect.endpointId);
      case "yieldPermit":
        this.#permit?.yield(effect.evidence);
        this.#permit = undefined;
        this.#permitRound++;
        return;
      case "setTimer":
        return this.#setTimer(effect.name, effect.delayMs);
      case "cancelTimer":
        this.#timers[effect.name]?.cancel();
        this.#timers[effect.name] = undefined;
        return;
      case "dial":
        this.#stats.dials++;
        return this.#connections.dial(effect.epoch, effect.endpoint, effect.attempt);
      case "restore":
        return void this.#connections.restore(effect.epoch);
      case "discard":
        return this.#connections.destroy(effect.epoch);
      case "openGate":
        this.#stats.connects++;
        this.#liveness.start();
        return this.#gate.open(this.#connections.ready(effect.epoch), effect.epoch);
      case "shutGate":
        this.#liveness.stop();
        this.session.connectionLost();
        return this.#gate.shut(effect.cause);
      case "drainGate":
        return this.#gate.drain();
      case "closeConnection":
        return this.#connections.end(effect.epoch, effect.how, effect.deadlineMs);
      case "failWaiting":
        return this.#gate.close(closedError(effect.why, effect.cause));
      case "emit":
        this.#gate.noteCause(this.#stats.note(effect.event, this.#world.clock.nowMs()));
        this.#runner.note(effect.event);
    }
  }

  #requestPermit(endpointId: string): void {
    const round = ++this.#permitRound;
    // A grant may come before `request` returns, or after this link has left the queue.
    try {
      this.#permit = this.#permits.request(endpointId, () => {
        if (round === this.#permitRound) this.#runner.dispatch({ type: "granted" });
      });
    } catch (cause) {
      this.#runner.dispatch({ type: "permitFailed", cause, pending: this.#gate.pending });
    }
  }

  #setTimer(name: TimerName, delayMs: number): void {
    this.#timers[name]?.cancel();
    const timer = this.#world.clock.setTimer(delayMs, () => {
      if (this.#timers[name] === timer) this.#timers[name] = undefined;
      const { phase, epoch } = this.#runner.state;
      const attempting = name === "phase" && (phase === "dialing" || phase === "restoring");
      const cause = attempting ? this.#connections.timeoutError(epoch, delayMs) : undefined;
      this.#runner.dispatch({ type: "timer", name, cause, pending: this.#gate.pending });
    });
    this.#timers[name] = timer;
  }
}
