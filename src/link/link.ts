/** One supervised connection. Carries out what the machine asks for. */
import { type CallDescription, HoldfastError, reasonOf } from "../call/index.ts";
import type { Timer } from "../time/index.ts";
import { sharedCoarse } from "./coarse.ts";
import { Connections } from "./connections.ts";
import type { LinkClass } from "./driver.ts";
import { Emitter } from "./emitter.ts";
import type { LinkEvents } from "./events.ts";
import { Gate } from "./gate.ts";
import type { LinkConfig } from "./link-config.ts";
import { closedError } from "./link-errors.ts";
import { Liveness } from "./liveness.ts";
import { initialState, step } from "./machine.ts";
import { type DialPermits, freePermits, type Permit } from "./permits.ts";
import type { CloseReason } from "./phase.ts";
import type { LinkPolicy } from "./policy.ts";
import { Session } from "./session.ts";
import { type LinkSnapshot, takeSnapshot } from "./snapshot.ts";
import type { EmitEffect, LinkEffect, LinkEvent, LinkState, TimerName } from "./state.ts";
import { LinkStats } from "./stats.ts";
import { whenReady } from "./when-ready.ts";

export class Link<C> {
  readonly name: string;
  readonly session: Session;
  readonly #config: LinkConfig<C>;
  readonly #events: Emitter<LinkEvents>;
  readonly #gate: Gate<C>;
  readonly #connections: Connections<C>;
  readonly #liveness: Liveness;
  readonly #permits: DialPermits;
  readonly #timers: { [K in TimerName]: Timer | undefined } = { phase: undefined, drain: undefined };
  readonly #queue: LinkEvent[] = [];
  readonly #emits: EmitEffect[] = [];
  #running = false;
  #over = false;
  #permit: Permit | undefined;
  #permitRound = 0;
  #state: LinkState;
  readonly #stats: LinkStats = new LinkStats();
  #ended: Promise<void> | undefined;

  constructor(config: LinkConfig<C>) {
    this.#config = config;
    this.name = config.name;
    const { clock, random } = config.world;
    const coarse = sharedCoarse(config.world);
    this.#permits = config.permits ?? freePermits;
    this.session = new Session((version) => this.#dispatch({ type: "sessionChanged", version }));
    this.#events = new Emitter<LinkEvents>((error, event) => {
      // A listener's own failure is told once, and never about itself.
      if (event !== "asyncError") this.#say({ name: "asyncError", data: { error } });
    });
    this.#gate = new Gate<C>(
      config.driver,
      config,
      {
        demand: () => {
          const { phase } = this.#state;
          if (phase === "dormant" || phase === "idle") this.#dispatch({ type: "demand" });
        },
        idle: () => this.#state.draining && this.#dispatch({ type: "inFlightZero" }),
        learned: (linkClass, cause) => this.#lost(this.#state.epoch, linkClass, cause, 1),
        overdue: (sentMs) => this.#liveness.overdue(sentMs),
        driverThrew: (error) => this.#say({ name: "asyncError", data: { error } }),
      },
      { clock, coarse },
    );
    this.#connections = new Connections<C>(
      config.driver,
      this.session,
      {
        dialed: (epoch) => this.#dispatch({ type: "dialed", epoch }),
        restored: (epoch, version, report) => {
          if (report.refused?.length)
            this.#emits.push({ name: "restoreRefused", data: { items: report.refused } });
          this.#dispatch({ type: "restored", epoch, version });
        },
        failed: (epoch, linkClass, cause) => this.#dispatch({ type: "failed", epoch, linkClass, cause }),
        lost: (epoch, linkClass, cause) => this.#lost(epoch, linkClass, cause),
        closed: (epoch) => {
          this.#gate.settleLeftovers(epoch);
          this.#dispatch({ type: "connectionClosed", epoch });
        },
        alive: (epoch) => epoch === this.#state.epoch && this.#liveness.alive(),
        told: ({ kind, ...data }) =>
          kind === "discovered"
            ? this.#dispatch({ type: kind, ...data } as LinkEvent)
            : this.#say({ name: kind, data } as EmitEffect),
      },
      clock,
      config.policy.closeTimeoutMs,
    );
    this.#liveness = new Liveness({ clock, coarse }, config.liveness, {
      inFlight: () => (config.driver.probesWhileBusy ? 0 : this.#gate.inFlight),
      probe: () => this.#connections.probe(this.#state.epoch),
      suspect: (silentMs, cause) => this.#suspect(silentMs, cause),
    });
    this.#state = initialState(config.policy, config.endpoints, config.endpointOptions, {
      nowMs: clock.nowMs(),
      random,
    });
  }

  get phase(): LinkState["phase"] {
    return this.#state.phase;
  }

  /** Why it ended; `undefined` while it has not. */
  get why(): CloseReason | undefined {
    return this.#state.why;
  }

  /** The error of everything that is asked of a link that is over. */
  closedError(): HoldfastError {
    return closedError(this.#state.why ?? "user", this.#state.closeCause);
  }

  /** The connection in use; `undefined` unless ready. */
  get connection(): C | undefined {
    return this.#gate.connection;
  }

  /** Number of the newest physical connection. */
  get epoch(): number {
    return this.#state.epoch;
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
    if (this.#state.phase === "idle" && !signal?.aborted) this.#dispatch({ type: "start" });
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

  /** Dials now, wherever the link is in its back-off. A thousand calls are one dial; never below `minDialGapMs`. */
  reconnectNow(): void {
    this.#mustBeOpen();
    this.#dispatch({ type: "reconnectNow", pending: this.#gate.pending });
  }

  /** Leaves the current endpoint for the next one. */
  failover(): void {
    this.#mustBeOpen();
    this.#dispatch({ type: "failover", pending: this.#gate.pending });
  }

  /** Changes when and how often it dials, from now on; a wait under way keeps its end. */
  setPolicy(policy: LinkPolicy): void {
    this.#dispatch({ type: "policy", policy });
  }

  /** Tells the link that its endpoint may be back: a wait is cut short. */
  wake(endpointId?: string): void {
    this.#dispatch(endpointId === undefined ? { type: "wake" } : { type: "wake", endpointId });
  }

  /** Takes no new calls, finishes those in flight and waiting, then closes; at the deadline it closes anyway. */
  drain(deadlineMs: number = this.#config.drainTimeoutMs): Promise<void> {
    const ended = this.#whenClosed();
    this.#dispatch({ type: "drain", pending: this.#gate.pending, deadlineMs });
    return ended;
  }

  /** Closes now. Safe in every state, idempotent; resolves when no socket or timer is left. */
  close(): Promise<void> {
    const ended = this.#whenClosed();
    this.#dispatch({ type: "close" });
    return ended;
  }

  snapshot(): LinkSnapshot {
    return takeSnapshot(this.name, this.#config.driver.name, this.#state, this.#config.world.clock, {
      waiting: this.#gate.waiting,
      waitingBytes: this.#gate.waitingBytes,
      inFlight: this.#gate.inFlight,
      stats: this.#stats,
    });
  }

  #whenClosed(): Promise<void> {
    this.#ended ??= new Promise<void>((resolve) => {
      const done = (): void => void this.#connections.released().then(resolve);
      if (this.#state.phase === "closed") done();
      else this.#events.once("closed", done);
    });
    return this.#ended;
  }

  #mustBeOpen(): void {
    if (this.#state.phase === "closed" || this.#state.phase === "closing") throw this.closedError();
  }

  #suspect(silentMs: number, cause: unknown): void {
    const endpoint = this.#state.current?.id ?? "";
    const error = new HoldfastError("HF_HALF_OPEN", `${endpoint} stopped answering: ${reasonOf(cause)}`, {
      cause,
      details: { silentMs },
    });
    this.#emits.push({ name: "halfOpen", data: { endpoint, silentMs } });
    this.#lost(this.#state.epoch, "transient", error);
  }

  #lost(epoch: number, linkClass: LinkClass, cause: unknown, about = 0): void {
    this.#dispatch({ type: "lost", epoch, linkClass, cause, pending: this.#gate.pending + about });
  }

  /** Tells something in its turn, behind what has been noted before it. */
  #say(event: EmitEffect): void {
    this.#emits.push(event);
    this.#run();
  }

  /** Runs the machine. Events that arise on the way wait their turn; listeners hear last, from a queue. */
  #dispatch(event: LinkEvent): void {
    this.#queue.push(event);
    this.#run();
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#config.world.detach(() => {
      try {
        this.#drainQueue();
      } finally {
        this.#running = false;
      }
    });
  }

  #drainQueue(): void {
    const { clock, random } = this.#config.world;
    for (;;) {
      const event = this.#queue.shift();
      if (event !== undefined) {
        const [state, effects] = step(this.#state, event, { nowMs: clock.nowMs(), random });
        this.#state = state;
        for (const effect of effects) this.#try(effect);
        continue;
      }
      const emit = this.#emits.shift();
      if (emit === undefined) return;
      if (this.#over) continue; // `closed` was the last word
      this.#over = emit.name === "closed";
      this.#events.emit(emit.name, emit.data as never);
    }
  }

  /** What throws in one effect must not keep the others from being carried out. */
  #try(effect: LinkEffect): void {
    try {
      this.#perform(effect);
    } catch (error) {
      this.#emits.push({ name: "asyncError", data: { error } });
    }
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
        this.#gate.noteCause(this.#stats.note(effect.event, this.#config.world.clock.nowMs()));
        this.#emits.push(effect.event);
    }
  }

  #requestPermit(endpointId: string): void {
    const round = ++this.#permitRound;
    // A grant may come before `request` returns, or after this link has left the queue.
    this.#permit = this.#permits.request(endpointId, () => {
      if (round === this.#permitRound) this.#dispatch({ type: "granted" });
    });
  }

  #setTimer(name: TimerName, delayMs: number): void {
    this.#timers[name]?.cancel();
    const timer = this.#config.world.clock.setTimer(delayMs, () => {
      if (this.#timers[name] === timer) this.#timers[name] = undefined;
      const { phase, epoch } = this.#state;
      const attempting = name === "phase" && (phase === "dialing" || phase === "restoring");
      const cause = attempting ? this.#connections.timeoutError(epoch, delayMs) : undefined;
      this.#dispatch({ type: "timer", name, cause });
    });
    this.#timers[name] = timer;
  }
}
