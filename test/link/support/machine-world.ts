/** A world around the pure machine: carries out its effects late, wrongly or never, and checks the invariants on the way. */
import assert from "node:assert/strict";
import {
  initialState,
  type LinkClass,
  type LinkEffect,
  type LinkEvent,
  type LinkPolicy,
  type LinkState,
  step,
} from "../../../src/link/index.ts";
import { below, type Random, seededRandom, type Timer, VirtualClock } from "../../../src/time/index.ts";
import { Grammar } from "./grammar.ts";

interface Peer {
  readonly epoch: number;
  phase: "dialing" | "open" | "over" | "gone";
  restoredVersion: number;
}

type Emitted = Extract<LinkEffect, { type: "emit" }>["event"];

const classes: readonly LinkClass[] = [
  "transient",
  "transient",
  "transient",
  "transient",
  "endpoint",
  "auth",
];

export class MachineWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly grammar: Grammar = new Grammar();
  readonly emitted: Emitted[] = [];
  readonly dials: { readonly id: string; readonly atMs: number }[] = [];
  state: LinkState;
  sessionVersion = 0;
  /** Calls that wait, as the machine is told; by default now none and now one. */
  waiting: () => number = () => below(this.#random, 2);
  readonly #random: Random;
  readonly #peers: Map<number, Peer> = new Map();
  readonly #timers: Map<string, Timer> = new Map();
  readonly #queue: LinkEvent[] = [];
  #running = false;
  #permit: "none" | "asked" | "granted" = "none";
  #permitRound = 0;
  #open: number | undefined;
  #failedWaiting = 0;

  constructor(policy: LinkPolicy, endpoints: number, seed: number) {
    this.#random = seededRandom(seed);
    const given = Array.from({ length: endpoints }, (_, i) => ({ host: `given-${i}`, port: 1 }));
    this.state = initialState(policy, given, { order: "given" }, { nowMs: 0, random: this.#random });
  }

  get gateOpen(): boolean {
    return this.#open !== undefined;
  }

  send(event: LinkEvent): void {
    this.#queue.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    this.#running = false;
  }

  /** A late report of a connection that is over, or was never made. */
  sendLate(kind: number): void {
    const epoch = this.state.epoch - 1 - below(this.#random, 3);
    const cause = new Error("late");
    const pending = 0;
    const events: LinkEvent[] = [
      { type: "dialed", epoch },
      { type: "restored", epoch, version: this.sessionVersion },
      { type: "failed", epoch, linkClass: "fatal", cause },
      { type: "lost", epoch, linkClass: "fatal", cause, pending },
    ];
    const event = events[kind % events.length] as LinkEvent;
    const [state, effects] = step(this.state, event, { nowMs: this.clock.nowMs(), random: this.#random });
    assert.equal(state, this.state, "a late event changes nothing");
    for (const effect of effects) assert.deepEqual(effect, { type: "discard", epoch });
  }

  changeSession(): void {
    this.send({ type: "sessionChanged", version: ++this.sessionVersion });
  }

  /** Takes away the connection in use or being made. */
  lose(linkClass: LinkClass = "transient"): void {
    const { epoch } = this.state;
    this.send({ type: "lost", epoch, linkClass, cause: new Error("lost"), pending: below(this.#random, 2) });
  }

  /** After `closed` nothing may be left. */
  assertOver(): void {
    assert.equal(this.state.phase, "closed");
    assert.equal(this.#timers.size, 0, "no timer of the machine is left");
    assert.equal(this.#permit, "none", "no permit is left");
    assert.equal(this.#open, undefined, "the gate is shut");
    assert.equal(this.#failedWaiting, 1, "waiting calls are failed once");
    assert.deepEqual(this.state.releasing, []);
    for (const peer of this.#peers.values()) assert.notEqual(peer.phase, "open", `epoch ${peer.epoch}`);
    for (const peer of this.#peers.values()) assert.notEqual(peer.phase, "dialing", `epoch ${peer.epoch}`);
    this.grammar.assertOver();
  }

  #step(event: LinkEvent): void {
    const before = this.state.phase;
    const [state, effects] = step(this.state, event, { nowMs: this.clock.nowMs(), random: this.#random });
    this.state = state;
    if (before === "closed") {
      // Only a late success is still let go of.
      const late = event.type === "dialed" ? [{ type: "discard", epoch: event.epoch }] : [];
      assert.deepEqual(effects, late, `${event.type} after closed`);
    }
    for (const effect of effects) this.#perform(effect);
    if (state.phase !== "ready") assert.equal(this.#open, undefined, `gate open in ${state.phase}`);
    else assert.equal(this.#open, state.epoch);
    const holds = ["parked", "dialing", "restoring"].includes(state.phase);
    assert.equal(this.#permit !== "none", holds, `a permit is ${this.#permit} in ${state.phase}`);
    const timed = ["waiting", "dialing", "restoring", "closing"].includes(state.phase);
    if (timed) assert.ok(this.#timers.has("phase"), `${state.phase} can't last for ever`);
  }

  #after(share: number, fire: () => void): void {
    // A fifth of everything happens at once, the rest within `share` ms.
    const delayMs = this.#random.next() < 0.2 ? 0 : below(this.#random, share);
    this.clock.setTimer(delayMs, fire);
  }

  #perform(effect: LinkEffect): void {
    switch (effect.type) {
      case "requestPermit":
        return this.#ask();
      case "yieldPermit":
        assert.notEqual(this.#permit, "none", "a permit is yielded once");
        this.#permit = "none";
        this.#permitRound++;
        return;
      case "setTimer":
        return this.#setTimer(effect.name, effect.delayMs);
      case "cancelTimer":
        this.#timers.get(effect.name)?.cancel();
        this.#timers.delete(effect.name);
        return;
      case "dial":
        return this.#dial(effect.epoch, effect.endpoint.host);
      case "restore":
        return this.#restore(this.#peer(effect.epoch));
      case "discard":
        return this.#end(effect.epoch);
      case "closeConnection":
        return this.#end(effect.epoch);
      case "openGate":
        assert.equal(this.#open, undefined, "one connection delivers at a time");
        assert.equal(this.#peer(effect.epoch).phase, "open");
        assert.equal(this.#peer(effect.epoch).restoredVersion, this.sessionVersion, "restored as it stands");
        this.#open = effect.epoch;
        return;
      case "shutGate":
        assert.equal(this.#open, effect.epoch);
        this.#open = undefined;
        return;
      case "failWaiting":
        this.#failedWaiting++;
        return;
      case "drainGate":
        return;
      case "emit":
        this.emitted.push(effect.event);
        this.grammar.take(effect.event);
    }
  }

  #peer(epoch: number): Peer {
    const peer = this.#peers.get(epoch);
    assert.ok(peer, `epoch ${epoch} was never dialled`);
    return peer;
  }

  #ask(): void {
    assert.equal(this.#permit, "none", "one permit at a time");
    this.#permit = "asked";
    const round = ++this.#permitRound;
    const grant = (): void => {
      if (round !== this.#permitRound) return;
      this.#permit = "granted";
      this.send({ type: "granted" });
    };
    const luck = this.#random.next();
    if (luck < 0.5) return grant();
    if (luck < 0.95) return this.#after(2_000, grant);
    this.send({ type: "permitFailed", cause: new Error("no permits"), pending: this.waiting() });
  }

  #setTimer(name: "phase" | "drain", delayMs: number): void {
    assert.ok(delayMs >= 0, `a timer of ${delayMs} ms`);
    this.#timers.get(name)?.cancel();
    const timer = this.clock.setTimer(delayMs, () => {
      this.#timers.delete(name);
      this.send({ type: "timer", name, cause: new Error("timeout"), pending: this.waiting() });
    });
    this.#timers.set(name, timer);
  }

  #dial(epoch: number, id: string): void {
    assert.equal(this.#permit, "granted", "no dial without a permit");
    const nowMs = this.clock.nowMs();
    const last = this.dials.findLast((dial) => dial.id === id);
    const gapMs = nowMs - (last?.atMs ?? Number.NEGATIVE_INFINITY);
    assert.ok(gapMs >= this.state.policy.minDialGapMs, `dialled ${id} ${gapMs} ms after the last time`);
    this.dials.push({ id, atMs: nowMs });
    const peer: Peer = { epoch, phase: "dialing", restoredVersion: -1 };
    this.#peers.set(epoch, peer);
    const luck = this.#random.next();
    if (luck < 0.1) return; // hangs
    this.#after(800, () => {
      if (luck > 0.6 && peer.phase === "dialing") peer.phase = "open";
      this.send(luck > 0.6 ? { type: "dialed", epoch } : this.#failure(epoch));
    });
  }

  #failure(epoch: number): LinkEvent {
    const linkClass = classes[below(this.#random, classes.length)] as LinkClass;
    const cause = new Error(`failed ${epoch}`);
    const pending = this.waiting();
    if (this.#random.next() < 0.3) return { type: "lost", epoch, linkClass, cause, pending };
    return { type: "failed", epoch, linkClass, cause, pending };
  }

  #restore(peer: Peer): void {
    const version = this.sessionVersion;
    const luck = this.#random.next();
    if (luck < 0.05) return; // hangs
    this.#after(400, () => {
      if (luck > 0.3) peer.restoredVersion = version;
      const done = { type: "restored", epoch: peer.epoch, version } as const;
      this.send(luck > 0.3 ? done : this.#failure(peer.epoch));
    });
  }

  #end(epoch: number): void {
    const peer = this.#peers.get(epoch);
    if (peer === undefined || peer.phase === "over" || peer.phase === "gone") return;
    assert.notEqual(this.#open, epoch, "the gate is shut before its connection is closed");
    peer.phase = "over";
    if (this.#random.next() < 0.1) return; // a library that never confirms
    this.#after(1_500, () => {
      peer.phase = "gone";
      this.send({ type: "connectionClosed", epoch });
    });
  }
}
