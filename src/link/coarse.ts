import { type Clock, CoarseTimers, type World } from "../time/index.ts";

/** All links on one clock share their coarse timers. */
const coarseOf: WeakMap<Clock, CoarseTimers> = new WeakMap();

export function sharedCoarse({ clock, detach }: World): CoarseTimers {
  const known = coarseOf.get(clock);
  if (known !== undefined) return known;
  // Detached: the timer they share must not hold the context of the request that happened to arm it.
  const setTimer: Clock["setTimer"] = (...args) => detach(() => clock.setTimer(...args));
  const coarse = new CoarseTimers({
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    setTimer,
  });
  coarseOf.set(clock, coarse);
  return coarse;
}
