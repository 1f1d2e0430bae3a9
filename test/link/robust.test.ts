/** Drivers, listeners and callers that misbehave; liveness; contexts. */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { isHoldfastError } from "../../src/call/index.ts";
import { takenBack } from "../../src/link/index.ts";
import { systemWorld, VirtualClock } from "../../src/time/index.ts";
import { Fake, refused } from "./support/fake.ts";

const boom = (): never => {
  throw new Error("a driver's own mistake");
};

test("a driver whose every judgement throws still loses, settles and reconnects", async () => {
  const driver = { classifyLink: boom, classifyCall: boom, takeBack: boom, bufferedBytes: boom };
  const fake = new Fake({ driver });
  const errors: unknown[] = [];
  fake.link.on("asyncError", ({ error }) => errors.push(error));
  await fake.link.connect();
  await fake.advance(6_000);
  const call = fake.call("once");
  fake.lose();
  await fake.advance(100);
  await assert.rejects(call, (e) => isHoldfastError(e) && e.outcome === "maybe-applied");
  assert.equal(fake.link.phase, "ready");
  assert.ok(errors.length >= 3, `${errors.length} told`);
  await fake.link.close();
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("a library that never ends a dial or a connection keeps nobody waiting", async () => {
  const never = new Promise<never>(() => {});
  const dialing = new Fake({ driver: { open: () => never } });
  const connecting = dialing.link.connect();
  const closed = dialing.link.close();
  await assert.rejects(connecting, /closed by its owner/);
  await dialing.advance(1_050);
  await closed;

  const ending = new Fake({ driver: { close: () => never } });
  await ending.link.connect();
  await ending.advance(6_000);
  const call = ending.call("open");
  ending.lose();
  await ending.advance(1_000);
  await assert.rejects(call, (e) => isHoldfastError(e) && e.outcome === "maybe-applied");
  const over = ending.link.close();
  await ending.advance(2_050);
  await over;
  for (const { world } of [dialing, ending]) assert.equal(world.clock.pendingTimers, 0);
});

test("taken back from a connection that looks well: sent again on the next one, not at once for ever", async () => {
  const fake = new Fake();
  await fake.link.connect();
  await fake.advance(6_000);
  let sends = 0;
  const call = fake.link.call({ bytes: 1, effect: "once", kind: "unary" }, (connection) => {
    sends++;
    return connection.epoch === 1 ? Promise.reject(takenBack) : Promise.resolve("done");
  });
  await fake.advance(100);
  assert.equal(sends, 1);
  fake.lose();
  await fake.advance(100);
  assert.equal(await call, "done");
  assert.equal(sends, 2);
  await fake.link.close();
});

test("taken-back calls go back to their old place, in front of those that came later", async () => {
  const fake = new Fake();
  await fake.link.connect();
  await fake.advance(6_000);
  for (const id of ["1", "2", "3"]) void fake.call(id, {}, id === "2");
  let up = false;
  fake.answer = () => (up ? "accept" : refused());
  fake.lose();
  void fake.call("4");
  await fake.advance(10);
  up = true;
  await fake.advance(200);
  assert.deepEqual(
    fake.last.sent.map((sent) => sent.id),
    ["1", "3", "4"],
  );
  await fake.link.close();
});

test("a call to be repeated after a while leaves with its caller, its deadline, or the link", async () => {
  const retry = { outcome: "not-applied", retryAfterMs: 1_000 } as const;
  const fake = new Fake({ driver: { classifyCall: () => retry } });
  await fake.link.connect();
  const abort = new AbortController();
  const send = (): Promise<never> => Promise.reject(new Error("LOADING"));
  const description = { bytes: 1, effect: "once", kind: "unary" } as const;
  const left = fake.link.call({ ...description, signal: abort.signal }, send);
  const late = fake.link.call({ ...description, deadlineMs: 300 }, send);
  const open = fake.link.call(description, send);
  for (const promise of [left, late, open]) promise.catch(() => {});
  await fake.advance(10);
  assert.equal(fake.link.snapshot().waiting, 3);
  abort.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  await fake.advance(400);
  await assert.rejects(
    late,
    (e) => isHoldfastError(e) && e.code === "HF_DEADLINE" && e.outcome === "not-applied",
  );
  await fake.link.close();
  await assert.rejects(open, (e) => isHoldfastError(e) && e.outcome === "not-applied");
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("an outbox of no bytes lets nothing wait; the oldest makes room only for younger ones", async () => {
  const none = new Fake({ config: { outbox: { bytes: 0, entries: 10, ageMs: 1_000, whenFull: "reject" } } });
  await assert.rejects(
    none.call("x", { bytes: 0 }),
    (e) => isHoldfastError(e) && e.code === "HF_OUTBOX_FULL",
  );
  const one = new Fake({
    config: { outbox: { bytes: 20, entries: 1, ageMs: 1_000, whenFull: "drop-oldest" } },
  });
  const first = one.call("first");
  const second = one.call("second");
  await assert.rejects(first, /first was dropped from the full outbox/);
  await one.advance(1_100);
  await assert.rejects(second, (e) => isHoldfastError(e) && e.code === "HF_OUTBOX_EXPIRED");
});

test("the write buffer has a bound", async () => {
  const fake = new Fake({ driver: { bufferedBytes: () => 995 } });
  await fake.link.connect();
  await assert.rejects(fake.call("x"), (e) => isHoldfastError(e) && e.code === "HF_WRITE_BUFFER_FULL");
  await fake.link.close();
});

test("who waits for ready and leaves, leaves the link alone; who leaves connect closes it", async () => {
  const fake = new Fake();
  fake.answer = () => "hang";
  const connecting = fake.link.connect();
  connecting.catch(() => {});
  const abort = new AbortController();
  const waiting = fake.link.whenReady(abort.signal);
  abort.abort(new Error("left"));
  await assert.rejects(waiting, /left/);
  assert.equal(fake.link.phase, "dialing");
  await fake.link.close();

  const other = new Fake();
  await assert.rejects(other.link.connect(AbortSignal.abort(new Error("never mind"))), /never mind/);
  assert.equal(other.dials.length, 0);
  assert.equal(other.link.phase, "closed");
});

test("a listener that throws unwinds nothing, and is told; closed is the last word", async () => {
  const fake = new Fake();
  const heard: string[] = [];
  fake.link.on("asyncError", ({ error }) => heard.push((error as Error).message));
  for (const name of ["connected", "disconnected", "closed"] as const)
    fake.link.on(name, () => {
      throw new Error(name);
    });
  await fake.link.connect();
  await fake.link.close();
  assert.deepEqual(heard, ["connected", "disconnected"]);
});

test("reconnects don't run in the context of the caller who triggered them", async () => {
  const store = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const fake = new Fake({ policy: { minDialGapMs: 0 }, config: { world: systemWorld } });
  fake.answer = () => {
    seen.push(store.getStore());
    return "accept";
  };
  await store.run("request 1", () => fake.link.connect());
  store.run("request 2", () => fake.link.reconnectNow());
  await fake.link.whenReady();
  assert.deepEqual(seen, [undefined, undefined]);
  await fake.link.close();
});

test("liveness: an idle connection is probed; no answer is half-open; a busy one is left alone", async () => {
  let probes = 0;
  let answers = true;
  const probe = (): Promise<void> => {
    probes++;
    return answers ? Promise.resolve() : new Promise(() => {});
  };
  const liveness = { idleProbeMs: 1_000, probeTimeoutMs: 500 };
  const fake = new Fake({ driver: { probe }, config: { liveness } });
  await fake.link.connect();
  await fake.advance(5_400);
  assert.equal(probes, 5);
  const blocking = fake.call("BLPOP", { kind: "blocking" });
  await fake.advance(60_000);
  assert.equal(probes, 5);
  assert.equal(fake.dials.length, 1);
  fake.last.sent[0]?.resolve(1);
  fake.last.sink.alive();
  await blocking;
  answers = false;
  fake.news();
  await fake.advance(3_000);
  assert.deepEqual(fake.news().slice(0, 3), ["halfOpen a", "parked", "disconnected a"]);
  await fake.link.close();
  assert.equal(fake.world.clock.pendingTimers, 0);
});

test("liveness: a machine that slept finds a dead peer within one probe interval and one probe timeout of its wake", async () => {
  let leapMs = 0;
  class Leaping extends VirtualClock {
    override wallMs(): number {
      return super.wallMs() + leapMs;
    }
  }
  const probed: number[] = [];
  const clock = new Leaping();
  const world = { clock, random: { next: () => 0 }, detach: <T>(run: () => T): T => run() };
  let gone = false;
  const probe = (): Promise<void> => {
    probed.push(clock.nowMs());
    return gone ? new Promise(() => {}) : Promise.resolve();
  };
  const liveness = { idleProbeMs: 1_000, probeTimeoutMs: 500 };
  const fake = new Fake({ driver: { probe }, config: { liveness, world } });
  const halfOpen: number[] = [];
  fake.link.on("halfOpen", () => halfOpen.push(clock.nowMs()));
  await fake.link.connect();
  // Awake and heard of just before it sleeps: without the leap the next look would only find a short silence.
  await clock.advanceAsync(900);
  fake.last.sink.alive();
  leapMs = 3_600_000;
  await clock.advanceAsync(100);
  assert.deepEqual(probed, [1_000]);
  // The worst case: asleep right after a look, and the peer is gone at the wake.
  leapMs *= 2;
  gone = true;
  const wokeMs = clock.nowMs();
  for (let i = 0; i < 9; i++) {
    await clock.advanceAsync(100);
    fake.last.sink.alive(); // what was still in the kernel hides the silence, not the leap
  }
  await clock.advanceAsync(750);
  assert.equal(probed.length, 2);
  const tickMs = 25;
  assert.ok((probed[1] as number) - wokeMs <= 1_000 + tickMs, `probed ${probed}`);
  assert.equal(halfOpen.length, 1);
  assert.ok((halfOpen[0] as number) - wokeMs <= 1_500 + 2 * tickMs, `half-open ${halfOpen}`);
  await fake.link.close();
});
