/** The gate under random calls and faults: every promise settles, order is kept, nothing is sent twice that must not be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Effect, isHoldfastError } from "../../src/call/index.ts";
import { below, seededRandom } from "../../src/time/index.ts";
import { Fake, type FakeConnection, refused } from "./support/fake.ts";

const limits = { bytes: 200, entries: 8, ageMs: 2_000 };

interface Tracked {
  readonly id: number;
  readonly effect: Effect;
  readonly pinned: boolean;
  readonly abort: AbortController;
  /** Every send: whether it was written, and how it ended. */
  readonly sends: { written: boolean; end: "open" | "taken back" | "lost" | "answered" }[];
  settled: "no" | "ok" | unknown;
  leftMs: number | undefined;
  lastEpoch: number;
}

interface Knobs {
  readonly whenFull: "reject" | "drop-oldest";
  readonly lazy: boolean;
  /** A library that settles nothing when its connection is closed. */
  readonly forgets: boolean;
  readonly seed: number;
}

/** Settles nothing. */
async function forgetful(connection: FakeConnection): Promise<void> {
  connection.closed = "abrupt";
}

class Rig {
  readonly fake: Fake;
  readonly calls: Tracked[] = [];
  /** Ids in the order in which they were first sent on each connection. */
  readonly order: Map<number, number[]> = new Map();
  readonly wrong: unknown[] = [];
  readonly #random: ReturnType<typeof seededRandom>;

  constructor({ whenFull, lazy, forgets, seed }: Knobs) {
    this.#random = seededRandom(seed);
    this.fake = new Fake({
      seed,
      policy: { lazy, retryInitial: true },
      ...(forgets && { driver: { close: forgetful } }),
      config: { outbox: { ...limits, whenFull }, retry: { maxRetries: 2 } },
    });
    this.fake.answer = () => (this.#random.next() < 0.6 ? "accept" : refused());
    this.fake.link.on("state", () => {
      throw new Error("a listener's own mistake");
    });
  }

  call(n: number): void {
    const effect = (["once", "read", "idempotent", "once"] as const)[n % 4] as Effect;
    const tracked: Tracked = {
      id: this.calls.length,
      effect,
      pinned: n % 7 === 0,
      abort: new AbortController(),
      sends: [],
      settled: "no",
      leftMs: undefined,
      lastEpoch: 0,
    };
    this.calls.push(tracked);
    const description = {
      bytes: 5 + (n % 60),
      effect,
      kind: tracked.pinned ? ("pinned" as const) : ("unary" as const),
      deadlineMs: n % 3 === 0 ? undefined : 100 + n * 20,
      signal: tracked.abort.signal,
    };
    this.fake.link
      .call(description, (connection) => this.#send(tracked, connection))
      .then(
        () => {
          tracked.settled = "ok";
        },
        (error: unknown) => {
          tracked.settled = error;
        },
      );
  }

  /** What a send throws is an answer to the gate: so what is wrong is kept for the test. */
  #send(tracked: Tracked, connection: FakeConnection): Promise<unknown> {
    try {
      this.#checkSend(tracked, connection);
    } catch (error) {
      this.wrong.push(error);
    }
    return this.#transmit(tracked, connection);
  }

  #checkSend(tracked: Tracked, connection: FakeConnection): void {
    assert.equal(connection.closed, undefined, "nothing is sent to a closed connection");
    assert.equal(tracked.leftMs, undefined, `call ${tracked.id} is sent although its caller left`);
    assert.equal(tracked.settled, "no", `call ${tracked.id} is sent although it is settled`);
    const before = tracked.sends.at(-1);
    if (before !== undefined) {
      if (before.end === "open" && tracked.lastEpoch !== connection.epoch) before.end = "lost";
      assert.notEqual(before.end, "open", "sent while the last send is open");
      const harmless = before.end === "taken back" || tracked.effect !== "once";
      assert.ok(harmless, `call ${tracked.id} (${tracked.effect}) is sent again after "${before.end}"`);
      assert.ok(!tracked.pinned, "a pinned call is sent once");
    }
  }

  #transmit(tracked: Tracked, connection: FakeConnection): Promise<unknown> {
    const written = this.#random.next() < 0.6;
    const send: Tracked["sends"][number] = { written, end: "open" };
    tracked.sends.push(send);
    tracked.lastEpoch = connection.epoch;
    const ids = this.order.get(connection.epoch) ?? [];
    this.order.set(connection.epoch, [...ids, tracked.id]);
    if (this.#random.next() < 0.05) {
      send.end = "answered";
      throw new Error("thrown by send");
    }
    return new Promise((resolve, reject) => {
      connection.sent.push({
        id: String(tracked.id),
        written,
        resolve: (value) => {
          if (send.end === "open") send.end = "answered";
          resolve(value);
        },
        reject: (error) => {
          if (send.end === "open") send.end = written ? "lost" : "taken back";
          reject(error);
        },
      });
    });
  }

  /** The server answers the oldest open call, or refuses it. */
  answer(n: number): void {
    const { last } = this.fake;
    if (last === undefined || last.closed !== undefined) return;
    const open = last.sent;
    const at = open.shift();
    if (n % 5 === 0) at?.reject(new Error("ERR wrong type"));
    else at?.resolve(n);
  }

  leave(n: number): void {
    const waiting = this.calls.filter((call) => call.settled === "no");
    const one = waiting[below(this.#random, Math.max(1, waiting.length)) % Math.max(1, waiting.length)];
    if (one === undefined || n % 2 > 0) return;
    one.leftMs = this.fake.world.clock.nowMs();
    one.abort.abort(new Error("the caller left"));
  }

  check(): void {
    if (this.wrong.length > 0) throw this.wrong[0];
    const { waiting, waitingBytes } = this.fake.link.snapshot();
    assert.ok(waiting <= limits.entries, `${waiting} waiting`);
    assert.ok(waitingBytes <= limits.bytes, `${waitingBytes} bytes waiting`);
    for (const [epoch, ids] of this.order) {
      const firsts = ids.filter((id, i) => ids.indexOf(id) === i);
      assert.deepEqual(firsts, firsts.toSorted(byNumber), `order on connection ${epoch}`);
    }
  }

  /** What each caller was told agrees with what happened. */
  checkOutcomes(): void {
    if (this.wrong.length > 0) throw this.wrong[0];
    for (const call of this.calls) {
      assert.notEqual(call.settled, "no", `call ${call.id} never settled`);
      if (!isHoldfastError(call.settled)) continue;
      const written = call.sends.some((send) => send.written && send.end !== "answered");
      if (call.settled.outcome === "not-applied" && call.effect !== "read")
        assert.ok(!written, `call ${call.id} was told "not-applied", but was written`);
      if (call.settled.outcome === "maybe-applied") assert.ok(call.sends.length > 0, "never sent, yet maybe");
    }
  }
}

const byNumber = (a: number, b: number): number => a - b;

const acts = fc.array(
  fc.tuple(
    fc.constantFrom("call", "call", "call", "answer", "answer", "advance", "advance", "lose", "leave"),
    fc.nat(100),
  ),
  { minLength: 10, maxLength: 80 },
);

async function play(rig: Rig, script: readonly (readonly [string, number])[]): Promise<void> {
  rig.fake.link.connect().catch(() => {});
  for (const [name, n] of script) {
    if (name === "call") rig.call(n);
    else if (name === "answer") rig.answer(n);
    else if (name === "leave") rig.leave(n);
    else if (name === "lose") rig.fake.last?.sink.lost(new Error("ECONNRESET"));
    else await rig.fake.advance(n * 3);
    rig.check();
  }
}

const knobs: fc.Arbitrary<Knobs> = fc.record({
  whenFull: fc.constantFrom("reject", "drop-oldest"),
  lazy: fc.boolean(),
  forgets: fc.boolean(),
  seed: fc.integer(),
});

test("calls under losses, refusals, deadlines and callers who leave", async () => {
  const seen = { again: 0, ok: 0, maybe: 0, full: 0 };
  await fc.assert(
    fc.asyncProperty(knobs, acts, fc.boolean(), async (knob, script, drains) => {
      const rig = new Rig(knob);
      await play(rig, script);
      const over = drains ? rig.fake.link.drain(500) : rig.fake.link.close();
      await rig.fake.advance(5_000);
      await over;
      await rig.fake.advance(0);
      rig.checkOutcomes();
      assert.equal(rig.fake.world.clock.pendingTimers, 0, "no timer is left");
      for (const connection of rig.fake.made) assert.ok(connection.closed, "every connection is closed");
      for (const { settled, sends } of rig.calls) {
        if (sends.length > 1) seen.again++;
        if (settled === "ok") seen.ok++;
        if (isHoldfastError(settled) && settled.outcome === "maybe-applied") seen.maybe++;
        if (isHoldfastError(settled) && settled.code === "HF_OUTBOX_FULL") seen.full++;
      }
    }),
    { numRuns: 700, includeErrorInReport: true },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 100, `${what}: ${count}`);
});
