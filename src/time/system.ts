/** The one file that touches the machine's clock, timers and randomness. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Timer, TimerOptions } from "./clock.ts";
import { type Random, seededRandom } from "./random.ts";
import { VirtualClock } from "./virtual.ts";

/** Node fires a timer above this after 1 ms (with a warning), so longer ones are armed in pieces. */
const LONGEST_NODE_TIMER_MS = 2 ** 31 - 1;

/**
 * A timer that fires later than this finds that the process itself was busy, or stopped. Node runs timers before it reads:
 * deadlines would pass on peers whose answers lie in the kernel. So such a timer waits until what came has been read.
 */
const LATE_MS = 10;

/** Late timers whose turn is still to come: those after them wait too, so that the order stays. */
let deferred = 0;

// Taken once: the global name is an accessor, which costs as much as the reading itself.
const { performance } = globalThis;

let turnMs = 0;
let turnIsKnown = false;
const settled = Promise.resolve();
const forgetTurn = (): void => {
  turnIsKnown = false;
};

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  turnMs(): number {
    if (!turnIsKnown) {
      turnMs = performance.now();
      turnIsKnown = true;
      void settled.then(forgetTurn);
    }
    return turnMs;
  },
  wallMs: () => Date.now(),
  setTimer(delayMs: number, fire: () => void, options: TimerOptions = {}): Timer {
    if (delayMs === Number.POSITIVE_INFINITY) return { cancel() {} };
    const dueMs = performance.now() + (delayMs > 0 ? delayMs : 0);
    let handle: NodeJS.Timeout;
    let turn: NodeJS.Immediate | undefined;
    const due = (): void => {
      if (deferred === 0 && performance.now() - dueMs < LATE_MS) return fire();
      deferred++;
      // Not unref'd: the loop would go to sleep before it, perhaps for good. It holds the process for a turn at most.
      turn = setImmediate(() => {
        turn = undefined;
        deferred--;
        fire();
      });
    };
    const arm = (): void => {
      const leftMs = dueMs - performance.now();
      handle =
        leftMs > LONGEST_NODE_TIMER_MS
          ? setTimeout(arm, LONGEST_NODE_TIMER_MS)
          : setTimeout(due, Math.max(0, Math.ceil(leftMs)));
      if (options.unref) handle.unref();
    };
    arm();
    return {
      cancel(): void {
        clearTimeout(handle);
        if (turn === undefined) return;
        clearImmediate(turn);
        turn = undefined;
        deferred--;
      },
    };
  },
};

export const systemRandom: Random = { next: () => Math.random() };

/**
 * What the engine takes from its surroundings: time, randomness, and a way out of the caller's async context (a
 * reconnect loop must not run inside the request that happened to trigger it).
 */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  detach<T>(run: () => T): T;
}

const rootContext = AsyncLocalStorage.snapshot();

export const systemWorld: World = {
  clock: systemClock,
  random: systemRandom,
  detach: (run) => rootContext(run),
};

/** A world that stands still until told to move, and whose randomness is given by `seed`. */
export function virtualWorld(seed = 1): World & { readonly clock: VirtualClock } {
  return { clock: new VirtualClock(), random: seededRandom(seed), detach: (run) => run() };
}
