import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createHeartbeat,
  type Heartbeat,
  type HeartbeatSettings,
} from "../../../src/drivers/tcp/heartbeat.ts";
import { VirtualClock } from "../../../src/time/index.ts";

const pong = Buffer.from("pong");
const isReply = (frame: Buffer): boolean => frame.equals(pong);

/** A connection's heartbeat in virtual time: what it did and when, as "12 send" or "17 suspect". */
class Beating {
  readonly clock: VirtualClock = new VirtualClock();
  readonly log: string[] = [];
  readonly heart: Heartbeat;
  readonly #answer: (heart: Heartbeat, clock: VirtualClock) => void;

  constructor(
    settings: HeartbeatSettings,
    answer: (heart: Heartbeat, clock: VirtualClock) => void = () => {},
  ) {
    this.heart = createHeartbeat(settings, this.clock.nowMs());
    this.#answer = answer;
    this.#arm();
  }

  #arm(): void {
    this.clock.setTimer(this.heart.dueMs - this.clock.nowMs(), () => {
      const action = this.heart.onTick(this.clock.nowMs());
      if (action.do !== "wait") this.log.push(`${this.clock.nowMs()} ${action.do}`);
      if (action.do === "send") this.#answer(this.heart, this.clock);
      if (action.do !== "suspect") this.#arm();
    });
  }
}

describe("a heartbeat", () => {
  it("is sent every interval, the first after one interval", () => {
    const beating = new Beating({ intervalMs: 100, payload: "ping" });
    beating.clock.advance(350);
    assert.deepEqual(beating.log, ["100 send", "200 send", "300 send"]);
  });

  it("has libhv's interval, and like libhv expects no answer unless told how one looks", () => {
    const beating = new Beating({ payload: "ping" });
    beating.clock.advance(60_000);
    assert.deepEqual(
      beating.log,
      [10, 20, 30, 40, 50, 60].map((s) => `${s}000 send`),
    );
  });

  it("goes on while replies come", () => {
    const beating = new Beating(
      { intervalMs: 100, timeoutMs: 50, payload: "ping", isReply },
      (heart, clock) => clock.setTimer(49, () => assert.equal(heart.onFrame(pong), true)),
    );
    beating.clock.advance(399);
    assert.deepEqual(beating.log, ["100 send", "200 send", "300 send"]);
  });

  it("suspects the peer when no reply came in time, once", () => {
    const beating = new Beating({ intervalMs: 100, timeoutMs: 50, payload: "ping", isReply });
    beating.clock.advance(1_000);
    assert.deepEqual(beating.log, ["100 send", "150 suspect"]);
    assert.equal(beating.heart.dueMs, Infinity);
    assert.deepEqual(beating.heart.onTick(2_000), { do: "wait" });
  });

  it("waits 5 s for a reply by default", () => {
    const beating = new Beating({ payload: "ping", isReply });
    beating.clock.advance(20_000);
    assert.deepEqual(beating.log, ["10000 send", "15000 suspect"]);
  });

  it("is not fooled by a peer that streams but does not answer", () => {
    const beating = new Beating({ intervalMs: 100, timeoutMs: 50, payload: "ping", isReply }, (heart) => {
      heart.onRead();
      assert.equal(heart.onFrame(Buffer.from("data")), false);
    });
    beating.clock.advance(200);
    assert.deepEqual(beating.log, ["100 send", "150 suspect"]);
  });

  it("takes any byte for an answer when it has a deadline but no isReply", () => {
    let silent = false;
    const beating = new Beating({ intervalMs: 100, timeoutMs: 50, payload: "ping" }, (heart, clock) => {
      clock.setTimer(10, () => {
        if (!silent) heart.onRead();
      });
    });
    beating.clock.advance(250);
    silent = true;
    beating.clock.advance(250);
    assert.deepEqual(beating.log, ["100 send", "200 send", "300 send", "350 suspect"]);
  });

  it("counts from the oldest unanswered one when the deadline is longer than the interval", () => {
    const beating = new Beating({ intervalMs: 100, timeoutMs: 250, payload: "ping", isReply });
    beating.clock.advance(1_000);
    assert.deepEqual(beating.log, ["100 send", "200 send", "300 send", "350 suspect"]);
  });

  it("asks again, instead of suspecting, when we slept past the deadline", () => {
    const heart = createHeartbeat({ intervalMs: 100, timeoutMs: 50, payload: "ping", isReply }, 0);
    assert.equal(heart.onTick(100).do, "send");
    assert.equal(heart.onTick(3_600_000).do, "send");
    assert.equal(heart.dueMs, 3_600_050);
    assert.deepEqual(heart.onTick(3_600_050), { do: "suspect", unansweredMs: 50 });
  });

  it("does nothing when called early", () => {
    const heart = createHeartbeat({ intervalMs: 100, payload: "ping" }, 0);
    assert.deepEqual(heart.onTick(99), { do: "wait" });
    assert.equal(heart.dueMs, 100);
  });

  it("sends text as UTF-8, bytes as they are, and asks a function each time", () => {
    const sent = (payload: HeartbeatSettings["payload"], nowMs: number, heart?: Heartbeat): Buffer => {
      const action = (heart ?? createHeartbeat({ intervalMs: 1, payload }, 0)).onTick(nowMs);
      assert.ok(action.do === "send");
      return action.payload;
    };
    assert.deepEqual(sent("p\u00e9", 1), Buffer.from([0x70, 0xc3, 0xa9]));
    assert.deepEqual(sent(new Uint8Array([1, 2]), 1), Buffer.from([1, 2]));
    let count = 0;
    const heart = createHeartbeat({ intervalMs: 1, payload: () => `${++count}` }, 0);
    assert.deepEqual(
      [1, 2].map((nowMs) => String(sent("", nowMs, heart))),
      ["1", "2"],
    );
  });

  const bad: ReadonlyArray<readonly [settings: unknown, ...words: RegExp[]]> = [
    [{}, /heartbeat\.payload/],
    [{ payload: "" }, /heartbeat\.payload/],
    [{ payload: 5 }, /heartbeat\.payload/, /function/],
    [{ payload: "a", intervalMs: 0 }, /heartbeat\.intervalMs/, /at least 1/],
    [{ payload: "a", intervalMs: Number.POSITIVE_INFINITY }, /heartbeat\.intervalMs/],
    [{ payload: "a", timeoutMs: -1 }, /heartbeat\.timeoutMs/],
    [{ payload: "a", isReply: "pong" }, /heartbeat\.isReply/, /function/],
    [{ payload: "a", interval: 5 }, /did you mean "intervalMs"/],
  ];
  for (const [settings, ...words] of bad) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      assert.throws(() => createHeartbeat(settings as HeartbeatSettings, 0), optionErrorWith(...words));
    });
  }

  it("refuses what a payload function returns when it can't be sent", () => {
    const heart = createHeartbeat({ intervalMs: 1, payload: (() => 7) as unknown as () => string }, 0);
    assert.throws(() => heart.onTick(1), optionErrorWith(/heartbeat\.payload/));
  });
});

function optionErrorWith(...words: RegExp[]): (error: Error & { code?: string }) => boolean {
  return (error) => {
    assert.equal(error.code, "HF_OPTION");
    for (const word of words) assert.match(error.message, word);
    return true;
  };
}
